import {
  Condition,
  ConnectionState,
  Damaged,
  DiskState,
  GanetiFacts,
  GanetiJob,
  Role,
  StepKind,
  type DrbdMinor,
  type Plan,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { cluster, INVENTORY, NOW_MS, onH1, onH2, stalled, type Says } from "../view/testing.js";
import { resetStalledSync } from "./reset-stalled-sync.js";
import { RUNBOOK_FOR, RUNBOOKS, runbookByName } from "./index.js";

const { SYNC_SOURCE, SYNC_TARGET, CONNECTED, STAND_ALONE } = ConnectionState;
const { PRIMARY, SECONDARY } = Role;

function planFor(says: Readonly<Record<string, Says>>, inventory?: GanetiFacts, key = "d1"): Plan {
  const view = cluster(says, inventory);
  const resource = view.resources.get(key);
  if (resource === undefined) throw new Error(`no disk ${key}`);
  return resetStalledSync.plan({
    resource,
    view,
    nowMs: NOW_MS,
    wallUnixMs: 1,
    incidentId: "i-1",
    ttlS: 30,
    minStillMs: 7_000,
  });
}

function ends(h1: Partial<DrbdMinor>, h2: Partial<DrbdMinor>): Record<string, Says> {
  return {
    h1: { minors: [onH1(h1)], still: { 0: 8_000 } },
    h2: { minors: [onH2(h2)], still: { 10: 8_000 } },
  };
}

test("the plan cuts, waits, restores, waits; the restore takes the cut back", () => {
  const { steps, refusals } = planFor(stalled(8_000));
  expect(refusals).toEqual([]);
  expect(steps.map(({ id, kind, condition, undoStepId }) => [id, kind, condition, undoStepId])).toEqual([
    ["cut-link", StepKind.ACT, Condition.CUT_STANDS, "restore-link"],
    ["await-link-down", StepKind.WAIT, Condition.LINK_DOWN, ""],
    ["restore-link", StepKind.ACT, Condition.CUT_GONE, ""],
    ["await-resync-moves", StepKind.WAIT, Condition.RESYNC_MOVES, ""],
  ]);
});

test("the plan names both ends by everything that must agree (I13), and Ganeti's serial (I15)", () => {
  const { end, peerEnd, configSerial, incidentId } = planFor(stalled(8_000));
  expect(end).toEqual({
    instance: "web1",
    instanceUuid: "i1",
    diskIndex: 0,
    diskUuid: "d1",
    node: "h1",
    minor: 0,
    peerNode: "h2",
    peerMinor: 10,
    localAddress: "10.0.0.1",
    peerAddress: "10.0.0.2",
    port: 11_000,
    dataLv: "vg/d1_data",
    bootId: "",
    peerBootId: "",
  });
  expect(peerEnd).toMatchObject({ node: "h2", minor: 10, peerNode: "h1", localAddress: "10.0.0.2" });
  expect([configSerial, incidentId]).toEqual([5, "i-1"]);
});

test("the wait for the link to go down is over before the cut is", () => {
  const wait = planFor(stalled(8_000)).steps[1];
  expect(wait?.deadlineMs).toBeLessThan(30_000);
});

test("the same view gives the same plan, byte for byte", () => {
  expect(planFor(stalled(8_000))).toEqual(planFor(stalled(8_000)));
});

describe("the link is cut", () => {
  const source = { connection: SYNC_SOURCE, outOfSyncKib: 4 };
  const target = { connection: SYNC_TARGET, outOfSyncKib: 4 };
  const done = { connection: CONNECTED, outOfSyncKib: 0 };
  const never = { connection: SYNC_SOURCE, outOfSyncKib: 0 };

  test.each<[string, Record<string, Says>, string]>([
    ["on the Primary's node, which is the source", ends(source, target), "h1"],
    ["on the Primary's node, which is the target", ends(target, source), "h1"],
    ["on the other Primary's node", ends({ ...target, role: SECONDARY }, { ...source, role: PRIMARY }), "h2"],
    ["at the source, of two Secondaries", ends({ ...target, role: SECONDARY }, source), "h2"],
    ["at the source, of two Primaries", ends(target, { ...source, role: PRIMARY }), "h2"],
    ["where the resync was never left, on the Primary", ends(never, done), "h1"],
    [
      "where the resync was never left, though the Primary is done: its end has no resync to cut",
      ends(done, never),
      "h2",
    ],
  ])("%s", (_what, says, node) => {
    expect(planFor(says).end?.node).toBe(node);
  });
});

describe("there is no plan that could be run, and it says why,", () => {
  const job = (change: Partial<GanetiJob>): GanetiFacts =>
    GanetiFacts.create({
      ...INVENTORY,
      jobs: [
        GanetiJob.create({
          id: 9,
          status: "running",
          summary: "INSTANCE_MIGRATE(web1)",
          instances: ["web1"],
          ...change,
        }),
      ],
    });
  const twoPrimaries = ends(
    { connection: SYNC_SOURCE, peerRole: PRIMARY },
    { connection: SYNC_TARGET, role: PRIMARY, disk: DiskState.UP_TO_DATE },
  );

  test.each<[string, Record<string, Says>, string]>([
    ["for a StandAlone end (I8)", ends({ connection: STAND_ALONE }, {}), "StandAlone"],
    [
      "for an end that is damaged (I11)",
      { ...stalled(8_000), h2: { damaged: [Damaged.create({ minor: 10, reason: "torn" })] } },
      "torn",
    ],
    ["for an end that is silent (I7)", { h1: stalled(8_000).h1 }, "h2 has not reported"],
    ["for a mirror that does not resync", ends({}, {}), "neither end is resyncing"],
    ["for two Primaries without a migration (I8)", twoPrimaries, "both ends are Primary"],
  ])("%s", (_what, says, why) => {
    expect(planFor(says).refusals.join("; ")).toContain(why);
  });

  test("for a minor that Ganeti does not name", () => {
    const says = { h1: {}, h3: { minors: [onH1({ minor: 7, connection: SYNC_SOURCE })] } };
    expect(planFor(says, undefined, "h3/7").refusals.join("; ")).toContain("Ganeti does not name");
  });

  test("but for two Primaries while their migration runs there is, and the job is named to the guard", () => {
    const plan = planFor(twoPrimaries, job({}));
    expect(plan.refusals).toEqual([]);
    expect(plan.steps[0]?.action).toMatchObject({ value: { migrateJobId: 9 } });
  });

  test.each([
    { status: "success" },
    { status: "queued" },
    { instances: ["web2"] },
    { summary: "INSTANCE_REBOOT(web1)" },
  ])("a job with %j is not their migration", (change) => {
    expect(planFor(twoPrimaries, job(change)).refusals).toHaveLength(1);
  });
});

test("every runbook has its own name, and every kind that is mended names one that is there", () => {
  expect(new Set(RUNBOOKS.map(({ name }) => name)).size).toBe(RUNBOOKS.length);
  expect(Object.values(RUNBOOK_FOR).filter((name) => runbookByName(name) === undefined)).toEqual([]);
});

test("every step that takes something back is a later step of the same plan", () => {
  const { steps } = planFor(stalled(8_000));
  for (const [at, { undoStepId }] of steps.entries())
    if (undoStepId !== "") expect(steps.findIndex(({ id }) => id === undoStepId)).toBeGreaterThan(at);
});
