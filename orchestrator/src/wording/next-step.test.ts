import { Incident, IncidentState } from "@vigie/proto";
import { expect, test } from "vitest";
import { incidentStep } from "./next-step.js";

const open = (...decision: string[]): Incident =>
  Incident.create({ id: "i-1", state: IncidentState.OPEN, decision });

test("a runbook that is proposed shows its plan first, and what a person types acts at once", () => {
  expect(incidentStep(open("policy is observe", "proposed: vigie do rebuild-redundancy web1"))).toEqual({
    command: "vigie do rebuild-redundancy web1",
    why: "see the plan, and say yes or no",
  });
  expect(incidentStep(open("proposed: h2# drbdsetup resume-sync 0"))).toEqual({
    command: "h2# drbdsetup resume-sync 0",
    why: "by hand, for no runbook does it",
  });
});
