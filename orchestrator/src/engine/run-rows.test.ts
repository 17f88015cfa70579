import {
  ActionOutcome,
  ActionResult,
  CommandRun,
  GuardFact,
  Run,
  RunEventKind,
  RunState,
} from "@vigie/proto";
import { expect, test } from "vitest";
import { rowChanges, withRow } from "./run-rows.js";
import { PLAN } from "./testing.js";

const RUN = Run.create({
  id: "r-1",
  plan: { ...PLAN, incidentId: "i-7" },
  state: RunState.RUNNING,
  approvedBy: "ada",
  events: [],
});

test("a step's audit record says by whose word and why it was, what the guard saw, and each command with its end", () => {
  const result = ActionResult.create({
    outcome: ActionOutcome.DONE,
    guard: [GuardFact.create({ name: "own cs", value: "SyncSource", holds: true, invariant: "I7" })],
    commands: [
      CommandRun.create({ argv: ["/usr/sbin/dmsetup", "remove"], exitCode: 0, output: "ok", durationMs: 12 }),
    ],
  });
  const row = { kind: RunEventKind.STEP_RESULT, stepId: "cut-link", attempt: 1, text: "done", result };
  const { run, event } = withRow(RUN, row, 99);
  const audit = rowChanges(run, event).flatMap((change) => (change.record === "audit" ? [change.audit] : []));
  expect(audit).toEqual([
    {
      unixMs: 99,
      actor: "engine",
      action: "run.step-result",
      subject: "r-1",
      detail: {
        runbook: "reset-stalled-sync",
        incident: "i-7",
        approvedBy: "ada",
        step: "cut-link",
        attempt: 1,
        text: "done",
        outcome: ActionOutcome.DONE,
        code: "",
        guard: result.guard,
        commands: result.commands,
        replayed: false,
      },
    },
  ]);
});

test("an approval is of the person who gave it, from its own row on", () => {
  const { run, event } = withRow(
    { ...RUN, approvedBy: "" },
    { kind: RunEventKind.APPROVED, actor: "eve" },
    1,
  );
  expect(run.approvedBy).toBe("eve");
  const [audit] = rowChanges(run, event).filter((change) => change.record === "audit");
  expect(audit).toMatchObject({ audit: { actor: "eve", detail: { approvedBy: "eve" } } });
});

test("all of a row is written in one commit: the row, the run, the audit record and what watchers are told", () => {
  const begun = withRow(RUN, { kind: RunEventKind.APPROVED, actor: "ada" }, 1).run;
  const { run, event } = withRow(begun, { kind: RunEventKind.FROZEN, text: "why" }, 2);
  expect(rowChanges(run, event).map(({ record }) => record)).toEqual(["run-event", "run", "audit", "watch"]);
  expect(event).toMatchObject({ sequence: 2, actor: "engine", unixMs: 2 });
  expect(run.state).toBe(RunState.FROZEN);
});
