/** A plan, and who may let it run: by its hash, once, in time, on the cluster that it was made for (I15, I32). */
import { status } from "@grpc/grpc-js";
import {
  GanetiFacts,
  OrchestratorServiceService,
  RunState,
  type OrchestratorServiceClient,
  type Run,
} from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ganetiReport, INVENTORY } from "../view/testing.js";
import { apiStage, call, type Answer, type ApiStage } from "./testing.js";

const { planRun, approveRun, abortRun, getRun, confirmLeadership } = OrchestratorServiceService;
const WEB1 = {
  runbook: "reset-stalled-sync",
  parameters: [{ name: "instance", value: "web1" }],
  incidentId: "",
  dryRun: false,
};

let stage: ApiStage;
let operator: OrchestratorServiceClient;
beforeEach(async () => {
  stage = await apiStage();
  operator = stage.client(await stage.certificate("operator", "olga"));
  await stage.lead();
});
afterEach(() => stage.end());

async function planned(): Promise<Run> {
  return (await stage.service.planRun(WEB1, "olga")).run;
}

function approve(run: Run, planHash = run.plan?.hash): Promise<Answer> {
  return call(operator, approveRun, { runId: run.id, planHash });
}

async function stateOf(run: Run): Promise<RunState | undefined> {
  const [kept] = await stage.orchestrator.store.runsById(run.id);
  return kept?.state;
}

test("a plan is kept, waits for approval, and shows the commands of both ends", async () => {
  const run = await planned();
  expect(run.state).toBe(RunState.AWAITING_APPROVAL);
  expect(run.plan?.refusals).toEqual([]);
  expect(run.plan?.configSerials).toContainEqual({ kind: "instance", name: "web1", serial: 5 });
  expect(run.plan?.steps.flatMap(({ manualCommands }) => manualCommands).join("\n")).toContain(
    "h1# iptables -I INPUT 1 -j VIGIE-CUT-",
  );
});

test("its hash approves it, under the name of the certificate", async () => {
  const run = await planned();
  expect((await approve(run)).code).toBe(0);
  const [kept] = await stage.orchestrator.store.runsById(run.id);
  expect(kept).toMatchObject({ state: RunState.RUNNING, approvedBy: "olga" });
  const audit = await stage.orchestrator.store.audit(0, 100);
  expect(audit.map(({ actor, action }) => `${actor} ${action}`)).toContain("olga run.approved");
});

describe("is refused, with a code that programs can read,", () => {
  test("by another hash", async () => {
    const run = await planned();
    expect(await approve(run, "0".repeat(64))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      vigieCode: "PLAN_CHANGED",
    });
    expect(await stateOf(run)).toBe(RunState.AWAITING_APPROVAL);
  });

  test("a second time", async () => {
    const run = await planned();
    await approve(run);
    expect(await approve(run)).toMatchObject({ code: status.ABORTED, vigieCode: "CONFLICT" });
  });

  test("twice at once: one of the two", async () => {
    const run = await planned();
    const answers = await Promise.all([approve(run), approve(run)]);
    expect(answers.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, status.ABORTED]);
  });

  test("after the instance was changed in Ganeti", async () => {
    const run = await planned();
    const [web1] = INVENTORY.instances;
    const changed = GanetiFacts.create({
      ...INVENTORY,
      instances: web1 === undefined ? [] : [{ ...web1, serial: 6 }],
    });
    stage.report("h1", { full: false, sources: [ganetiReport(changed)] });
    expect(await approve(run)).toMatchObject({ vigieCode: "PLAN_CHANGED" });
    expect(await stateOf(run)).toBe(RunState.AWAITING_APPROVAL);
  });

  test("after a quarter of an hour", async () => {
    const run = await planned();
    stage.later(15 * 60_000 + 1);
    expect(await approve(run)).toMatchObject({
      vigieCode: "PLAN_CHANGED",
      details: expect.stringContaining("15 minutes"),
    });
  });

  test("while another run works on the same nodes (I9)", async () => {
    const [first, second] = [await planned(), await planned()];
    await approve(first);
    expect(await approve(second)).toMatchObject({
      vigieCode: "CONFLICT",
      details: expect.stringContaining(first.id),
    });
  });

  test("by an orchestrator that does not lead (I26)", async () => {
    const run = await planned();
    stage.report("h2", { masterNode: "h2" });
    expect(await approve(run)).toMatchObject({ vigieCode: "NOT_LEADING" });
  });

  test("where there is no such run, or an empty id", async () => {
    expect(await call(operator, approveRun, { runId: "r-none", planHash: "" })).toMatchObject({
      code: status.NOT_FOUND,
      vigieCode: "NOT_FOUND",
    });
    await planned();
    expect((await call(operator, approveRun, { runId: "", planHash: "" })).vigieCode).toBe("NOT_FOUND");
  });

  test("by an id that begins two runs", async () => {
    const runs = [await planned(), await planned()];
    const common = runs.map(({ id }) => id.slice(0, 4))[0] ?? "";
    expect((await call(operator, getRun, { id: common })).vigieCode).toBe("INVALID_ARGUMENT");
  });
});

describe("a plan that cannot be run", () => {
  test("is shown with its reasons and not kept: there is nothing to approve", async () => {
    stage.report("h2", { full: true, sources: [] });
    const run = await planned();
    expect(run.plan?.refusals).not.toEqual([]);
    expect((await approve(run)).vigieCode).toBe("NOT_FOUND");
  });

  test("of an unknown runbook or disk is not made", async () => {
    expect((await call(operator, planRun, { ...WEB1, runbook: "drop-all" })).vigieCode).toBe("NOT_FOUND");
    expect(
      (await call(operator, planRun, { ...WEB1, parameters: [{ name: "instance", value: "web9" }] }))
        .vigieCode,
    ).toBe("NOT_FOUND");
  });
});

test("an abort needs a reason, and ends a run that waits", async () => {
  const run = await planned();
  expect((await call(operator, abortRun, { runId: run.id, reason: " " })).vigieCode).toBe("INVALID_ARGUMENT");
  expect((await call(operator, abortRun, { runId: run.id, reason: "wrong disk" })).code).toBe(0);
  await expect.poll(() => stateOf(run)).toBe(RunState.ABORTED);
});

test("a confirmation of leadership needs a reason, and is in the audit log under its name", async () => {
  const admin = stage.client(await stage.certificate("admin", "ada"));
  expect((await call(admin, confirmLeadership, { reason: "" })).vigieCode).toBe("INVALID_ARGUMENT");
  expect((await call(admin, confirmLeadership, { reason: "h2 is in the workshop" })).code).toBe(0);
  const audit = await stage.orchestrator.store.audit(0, 100);
  expect(audit.find(({ action }) => action === "leadership.confirmed")).toMatchObject({ actor: "ada" });
});
