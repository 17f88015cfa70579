import {
  ConnectionState,
  Damaged,
  DiskState,
  Guest,
  Incident,
  KernelLogKind,
  KernelLogLine,
  Role,
  Source,
  Subject,
  type Plan,
} from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { resolveSplitBrain } from "./resolve-split-brain.js";
import { stepById } from "./runbook.js";
import { GIB, minorIn, nodeIn, planIn, requestOf, small, stepIds, viewOf, type World } from "./testing.js";

const { STAND_ALONE, WF_CONNECTION } = ConnectionState;
const [UUID_1, UUID_2] = ["1A2B3C4D5E6F7081", "9F8E7D6C5B4A3920"];

/** web1 runs on h1, which waits for h2; h2 was Primary too, and is StandAlone. */
function split(world: World): void {
  Object.assign(minorIn(world, "h1", 0), {
    connection: WF_CONNECTION,
    peerRole: Role.UNKNOWN,
    peerDisk: DiskState.D_UNKNOWN,
    outOfSyncKib: 12,
  });
  Object.assign(minorIn(world, "h2", 0), {
    connection: STAND_ALONE,
    role: Role.PRIMARY,
    peerRole: Role.UNKNOWN,
    peerDisk: DiskState.D_UNKNOWN,
    outOfSyncKib: 8,
  });
  nodeIn(world, "h1").generations = { 0: UUID_1 };
  nodeIn(world, "h2").generations = { 0: UUID_2 };
  nodeIn(world, "h2").kernelLog = [
    KernelLogLine.create({
      kind: KernelLogKind.DRBD_STATE,
      device: "drbd0",
      text: "block drbd0: Split-Brain detected but unresolved, dropping connection!",
      sinceBootUs: 5_000_000,
    }),
  ];
}

function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  const world = small((w) => {
    split(w);
    change(w);
  });
  return planIn(world, resolveSplitBrain, { instance: "web1", ...parameters });
}

const victimH2 = { victim: "h2" };

test("without a victim both sides are shown, nothing is planned, and a person is asked", () => {
  const made = plan();
  expect(made.steps).toEqual([]);
  expect(made.refusals).toEqual(["say whose data are given up: victim=h1 or victim=h2"]);
  expect(made.wayOut).toEqual(["vigie do resolve-split-brain web1 victim=h2"]);
  expect(made.notes).toEqual([
    `disk/0 on h1, minor 0: Primary, WFConnection, UpToDate/DUnknown, 12 KiB changed since they parted; generation ${UUID_1}, when it parted 0000000000000000`,
    `disk/0 on h2, minor 0: Primary, StandAlone, UpToDate/DUnknown, 8 KiB changed since they parted; generation ${UUID_2}, when it parted 0000000000000000; its kernel last said, 5 s after boot: block drbd0: Split-Brain detected but unresolved, dropping connection!`,
    "web1 runs on h1",
    "Ganeti's primary node is h1",
  ]);
});

test("with a victim its data are kept, given up, and copied anew; its node is typed", () => {
  const made = plan(() => {}, victimH2);
  expect(made.refusals).toEqual([]);
  expect(made.typedWord).toBe("h2");
  expect(stepIds(made)).toEqual([
    "pause-watcher ← continue-watcher",
    "snapshot-0",
    "discard-0!",
    "connect",
    "continue-watcher",
    "await-redundant",
  ]);
  expect(planFaults(made)).toEqual([]);
  expect(stepById(made, "discard-0")?.action?.kind).toMatchObject({
    $case: "discardVictim",
    value: {
      end: { node: "h2", peerNode: "h1", instance: "web1" },
      typedNode: "h2",
      currentUuid: UUID_2,
      survivorUuid: UUID_1,
      snapshotName: "u0.disk0_data.vigie-1700000000",
    },
  });
  expect(stepById(made, "discard-0")?.manualCommands).toEqual([
    "h2# drbdsetup secondary 0",
    "h2# drbdsetup disconnect ipv4:10.0.0.2:11000 ipv4:10.0.0.1:11000",
    "h2# drbdsetup invalidate 0",
  ]);
  expect(stepById(made, "connect")?.manualCommands).toEqual(["h1# gnt-instance activate-disks web1"]);
  expect(made.notes.join("\n")).toContain("h2# lvremove kvmvg/u0.disk0_data.vigie-1700000000");
});

test("the snapshot has room for every block, for the resync writes them all; without room there is none", () => {
  const kind = stepById(
    plan(() => {}, victimH2),
    "snapshot-0",
  )?.action?.kind;
  expect(kind?.$case === "snapshotVolume" ? kind.value.sizeKib : 0).toBeGreaterThan(10 * 2 ** 20);
  const full = plan((w) => {
    const [vg] = nodeIn(w, "h2").lvm.volumeGroups;
    if (vg !== undefined) vg.freeBytes = 10 * GIB;
  }, victimH2);
  expect(full.refusals).toEqual([]);
  expect(stepById(full, "snapshot-0")).toBeUndefined();
  expect(stepById(full, "discard-0")?.action?.kind).toMatchObject({ value: { snapshotName: "" } });
  expect(full.notes.join("\n")).toContain("THERE IS NO ROOM for a snapshot on h2 (10.0 GiB free)");
});

test("where the guest runs on Ganeti's secondary, Ganeti is told so when it connects the disks", () => {
  const made = plan(
    (w) => {
      nodeIn(w, "h1").guests = [];
      nodeIn(w, "h2").guests.push(Guest.create({ instance: "web1" }));
    },
    { victim: "h1" },
  );
  expect(made.refusals).toEqual([]);
  expect(stepById(made, "connect")?.manualCommands).toEqual(["h1# gnt-instance migrate -f --cleanup web1"]);
});

describe("it is refused", () => {
  test.each<[string, (world: World) => void, Record<string, string>, string]>([
    ["for the node on which the guest runs", () => {}, { victim: "h1" }, "web1 runs on h1: what it reads"],
    [
      "while the guest runs on both",
      (w) => nodeIn(w, "h2").guests.push(Guest.create({ instance: "web1" })),
      victimH2,
      "runs on h1 and h2 at once",
    ],
    [
      "when a node's word is old (I7)",
      (w) => (nodeIn(w, "h1").ageMs = 9_000),
      victimH2,
      "h1 is unknown: the newest reading is 9 s old",
    ],
    [
      "when a survivor is not UpToDate (I1)",
      (w) => (minorIn(w, "h1", 0).disk = DiskState.CONSISTENT),
      victimH2,
      "the survivor, h1, is not UpToDate",
    ],
    [
      "for a victim without a disk",
      (w) => (minorIn(w, "h2", 0).disk = DiskState.DISKLESS),
      victimH2,
      "has nothing to give up",
    ],
    [
      "when a generation is not known",
      (w) => (nodeIn(w, "h2").generations = {}),
      victimH2,
      "the generations of h2 are not known: ask again",
    ],
    [
      "when both have the same generation, but for the bit of the role",
      (w) => (nodeIn(w, "h2").generations = { 0: UUID_1.replace(/1$/, "0").toLowerCase() }),
      victimH2,
      "both sides have the same generation",
    ],
    [
      "for an end that is damaged",
      (w) => {
        nodeIn(w, "h1").minors = [];
        nodeIn(w, "h1").damaged = [Damaged.create({ minor: 0, reason: "torn" })];
      },
      victimH2,
      "torn",
    ],
    [
      "when no end is StandAlone",
      (w) => (minorIn(w, "h2", 0).connection = WF_CONNECTION),
      victimH2,
      "there is nothing to decide",
    ],
  ])("%s", (_what, change, parameters, why) => {
    const made = plan(change, parameters);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });
});

test("no plan ever gives a side up while the other is not UpToDate and known, or where the guest runs (I1, I8)", () => {
  const odd = fc.record(
    {
      connection: fc.constantFrom(STAND_ALONE, WF_CONNECTION, ConnectionState.CONNECTED),
      disk: fc.constantFrom(...Object.values(DiskState)),
      role: fc.constantFrom(Role.PRIMARY, Role.SECONDARY),
    },
    { requiredKeys: [] },
  );
  const change = fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: odd });
  const ages = fc.constantFrom(0, 0, 0, 9_000);
  const runsOn = fc.subarray(["h1", "h2"]);
  let given = 0;
  fc.assert(
    fc.property(
      change,
      change,
      ages,
      ages,
      runsOn,
      fc.constantFrom("h1", "h2"),
      (one, two, age1, age2, on, victim) => {
        const world = small(split);
        Object.assign(minorIn(world, "h1", 0), one);
        Object.assign(minorIn(world, "h2", 0), two);
        for (const [name, ageMs] of [
          ["h1", age1],
          ["h2", age2],
        ] as const) {
          nodeIn(world, name).ageMs = ageMs;
          nodeIn(world, name).guests = on.includes(name) ? [Guest.create({ instance: "web1" })] : [];
        }
        const made = planIn(world, resolveSplitBrain, { instance: "web1", victim });
        if (!made.steps.some(({ action }) => action?.kind?.$case === "discardVictim")) return;
        given += 1;
        const survivor = victim === "h1" ? "h2" : "h1";
        expect(minorIn(world, survivor, 0).disk).toBe(DiskState.UP_TO_DATE);
        expect([age1, age2]).toEqual([0, 0]);
        expect(on).not.toContain(victim);
        expect(made.typedWord).toBe(victim);
      },
    ),
    { numRuns: 1_000 },
  );
  expect(given).toBeGreaterThan(0);
});

test("the generations of both ends are asked for before it is planned", () => {
  const asked = resolveSplitBrain.asks?.(requestOf(viewOf(small(split)), { instance: "web1" }));
  expect(asked).toEqual([
    { node: "h1", minor: 0, source: Source.DRBD_GENERATIONS },
    { node: "h2", minor: 0, source: Source.DRBD_GENERATIONS },
  ]);
});

test("a node without a copy is no victim", () => {
  expect(() => plan(() => {}, { victim: "h3" })).toThrow("has no copy on h3: it has them on h1 and h2");
});

test("an incident names the instance, never a victim", () => {
  const subject = Subject.create({ instance: "web1", node: "h2" });
  expect(resolveSplitBrain.forIncident?.(Incident.create({ subject }), viewOf(small()))).toEqual({
    instance: "web1",
  });
});
