import {
  ConnectionState,
  Damaged,
  DiskState,
  GanetiFacts,
  GanetiJob,
  Incident,
  Role,
  StepKind,
  Subject,
  type DrbdMinor,
  type Plan,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { cluster, INVENTORY, onH1, onH2, stalled, type Says } from "../view/testing.js";
import { planFaults } from "./plan-faults.js";
import { resetStalledSync } from "./reset-stalled-sync.js";
import { requestOf } from "./testing.js";

const { SYNC_SOURCE, SYNC_TARGET, CONNECTED, STAND_ALONE } = ConnectionState;
const { PRIMARY, SECONDARY } = Role;

function planFor(
  says: Readonly<Record<string, Says>>,
  inventory?: GanetiFacts,
  parameters: Record<string, string> = { instance: "web1" },
): Plan {
  return resetStalledSync.plan(requestOf(cluster(says, inventory), parameters));
}

function ends(h1: Partial<DrbdMinor>, h2: Partial<DrbdMinor>): Record<string, Says> {
  return {
    h1: { minors: [onH1(h1)], still: { 0: 8_000 } },
    h2: { minors: [onH2(h2)], still: { 10: 8_000 } },
  };
}

/** The end at which the plan cuts, and the other one as the wait names it. */
function endsOf(plan: Plan) {
  const cut = plan.steps[0]?.action?.kind;
  const down = plan.steps[1]?.condition?.what;
  return {
    end: cut?.$case === "cutDrbdLink" ? cut.value.end : undefined,
    peerEnd: down?.$case === "linkDown" ? down.value.peerEnd : undefined,
  };
}

test("the plan cuts, waits, restores, waits; the restore takes the cut back", () => {
  const plan = planFor(stalled(8_000));
  expect(plan.refusals).toEqual([]);
  expect(plan.steps.map((s) => [s.id, s.kind, s.condition?.what?.$case, s.undoStepId])).toEqual([
    ["cut-link", StepKind.ACT, "cutStands", "restore-link"],
    ["await-link-down", StepKind.WAIT, "linkDown", ""],
    ["restore-link", StepKind.ACT, "cutGone", ""],
    ["await-resync-moves", StepKind.WAIT, "resyncMoves", ""],
  ]);
  expect(planFaults(plan)).toEqual([]);
});

test("the plan names both ends by everything that must agree (I13), and Ganeti's serial (I15)", () => {
  const plan = planFor(stalled(8_000));
  const { end, peerEnd } = endsOf(plan);
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
  expect(plan.configSerials[0]).toEqual({ kind: "instance", name: "web1", serial: 5 });
  expect(plan).toMatchObject({ incidentId: "i-1", subject: "web1 disk/0" });
  expect(plan.locks).toEqual(["disk d1", "instance web1", "node h1", "node h2", "pair h1 h2"]);
});

test("the wait for the link to go down is over before the cut is", () => {
  expect(planFor(stalled(8_000)).steps[1]?.deadlineMs).toBeLessThan(30_000);
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
    expect(endsOf(planFor(says)).end?.node).toBe(node);
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

  test("but for two Primaries while their migration runs there is, and the job is named to the guard", () => {
    const plan = planFor(twoPrimaries, job({}));
    expect(plan.refusals).toEqual([]);
    expect(plan.steps[0]?.action?.kind).toMatchObject({ value: { migrateJobId: 9 } });
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

test("an incident names the instance and the disk; one about a minor that Ganeti does not name gives no plan", () => {
  const view = cluster(stalled(8_000));
  const about = (subject: Partial<Subject>) =>
    resetStalledSync.forIncident?.(Incident.create({ subject: Subject.create(subject) }), view);
  expect(about({ instance: "web1", diskIndex: 1 })).toEqual({ instance: "web1", disk: "1" });
  expect(about({ node: "h3", minor: 7 })).toBeUndefined();
});

test.each<[Record<string, string>, string]>([
  [{ instance: "web1", disk: "3" }, "has disks 0"],
  [{ instance: "wbe1" }, "did you mean web1"],
  [{}, "needs instance"],
  [{ instance: "web1", port: "1" }, 'has no parameter "port"'],
])("%j is answered with what to give instead", (parameters, why) => {
  expect(() => planFor(stalled(8_000), undefined, parameters)).toThrow(why);
});
