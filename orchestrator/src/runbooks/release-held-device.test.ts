import {
  ConnectionState,
  Damaged,
  DeviceMapperDevice,
  Guest,
  Incident,
  Role,
  Source,
  Subject,
  type Plan,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { releaseHeldDevice } from "./release-held-device.js";
import { stepById } from "./runbook.js";
import {
  healthy,
  minorIn,
  nodeIn,
  planIn,
  requestOf,
  small,
  stepIds,
  viewOf,
  type World,
} from "./testing.js";

const MAP = DeviceMapperDevice.create({ name: "drbd0p1", uuid: "part1-x", minor: 30, kpartxOf: "147:0" });

/** web1 is stopped, and its minor 0 on h1 is still there, with a partition map. */
function held(world: World): void {
  const [web1] = world.inventory.instances;
  if (web1 !== undefined) Object.assign(web1, { adminState: "down", status: "ADMIN_down" });
  const node = nodeIn(world, "h1");
  node.guests = [];
  node.minors = [healthy(0, Role.PRIMARY)];
  node.maps.push({ ...MAP });
  nodeIn(world, "h2").minors = nodeIn(world, "h2").minors.filter(({ minor }) => minor !== 0);
}

function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  const world = small((w) => {
    held(w);
    change(w);
  });
  return planIn(world, releaseHeldDevice, { node: "h1", minor: "0", ...parameters });
}

test("leftover maps go, whoever else holds it is waited for, and it is taken down", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual(["unmap-partitions", "await-not-held", "down-minor"]);
  expect(planFaults(made)).toEqual([]);
  expect(stepById(made, "await-not-held")?.deadlineMs).toBe(0);
  expect(stepById(made, "down-minor")?.manualCommands).toEqual(["h1# drbdsetup down resource0"]);
  expect(stepById(made, "down-minor")?.action?.kind).toMatchObject({ value: { instanceStopped: true } });
});

test("without maps there is none to take away", () => {
  expect(stepIds(plan((w) => nodeIn(w, "h1").maps.pop()))).toEqual(["await-not-held", "down-minor"]);
});

test.each<[string, (world: World) => void, string]>([
  [
    "mounted",
    (w) =>
      nodeIn(w, "h1").mounts.push({
        device: "/dev/mapper/drbd0p1",
        mountPoint: "/mnt",
        type: "ext4",
        readOnly: false,
      }),
    "/dev/mapper/drbd0p1 is mounted on /mnt",
  ],
  [
    "open",
    (w) => Object.assign(nodeIn(w, "h1").maps.at(-1) ?? {}, { openCount: 1 }),
    "drbd0p1 is open 1 times",
  ],
])("a map that is %s is left to a person, and waited for", (_what, change, note) => {
  const made = plan(change);
  expect(stepIds(made)).toEqual(["await-not-held", "down-minor"]);
  expect(made.notes.join("\n")).toContain(note);
});

test("of an instance that should run only leftover maps are taken away", () => {
  const running = (w: World) =>
    Object.assign(w.inventory.instances[0] ?? {}, { adminState: "up", status: "running" });
  expect(stepIds(plan(running))).toEqual(["unmap-partitions"]);
  const without = plan((w) => {
    running(w);
    nodeIn(w, "h1").maps.pop();
  });
  expect(without.refusals).toEqual(["Ganeti wants web1 up, and no partition map stands on it"]);
});

describe("it is refused", () => {
  const { SYNC_SOURCE } = ConnectionState;
  test.each<[string, (world: World) => void, string]>([
    [
      "for a guest that runs",
      (w) => nodeIn(w, "h2").guests.push(Guest.create({ instance: "web1" })),
      "web1 runs on h2",
    ],
    ["when a node does not tell", (w) => (nodeIn(w, "h2").silent = true), "h2 does not tell"],
    [
      "when Ganeti says that it runs",
      (w) => Object.assign(w.inventory.instances[0] ?? {}, { status: "running" }),
      "by Ganeti it is running",
    ],
    [
      "when Ganeti does not tell",
      (w) => Object.assign(w.inventory.instances[0] ?? {}, { status: "" }),
      "whether web1 runs is not known",
    ],
    ["while a resync runs", (w) => (minorIn(w, "h1", 0).connection = SYNC_SOURCE), "a resync runs"],
    ["for a minor that is not there", (w) => (nodeIn(w, "h1").minors = []), "is not there"],
    [
      "for a minor that is damaged",
      (w) => {
        nodeIn(w, "h1").minors = [];
        nodeIn(w, "h1").damaged = [Damaged.create({ minor: 0, reason: "torn" })];
      },
      "torn",
    ],
    [
      "when device-mapper was not understood",
      (w) => (nodeIn(w, "h1").damagedMaps = [Damaged.create({ object: "x", reason: "odd" })]),
      "not understood",
    ],
  ])("%s", (_what, change, why) => {
    const made = plan(change);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });

  test("for a minor that Ganeti does not name", () => {
    const made = plan((w) => nodeIn(w, "h1").minors.push(healthy(40, Role.SECONDARY)), { minor: "40" });
    expect(made.refusals).toEqual(["Ganeti does not name minor 40 of h1: whose it is is not known (I13)"]);
  });
});

test("who held it when it was last asked is told, and how to make each let go, the least harmful first", () => {
  const view = viewOf(small(held));
  const h1 = view.nodes.get("h1");
  if (h1 === undefined) throw new Error("no h1");
  const holder = { pid: 0, detail: "", kpartx: false, openCount: 0 };
  const holders = [
    { ...holder, kind: "HOLDER_KIND_PROCESS", name: "dd", pid: 77 },
    { ...holder, kind: "HOLDER_KIND_GUEST_VG", name: "vg0" },
    { ...holder, kind: "HOLDER_KIND_MAP", name: "drbd0p1", kpartx: true },
    { ...holder, kind: "HOLDER_KIND_MOUNT", name: "/mnt" },
  ] as never;
  (view.nodes as Map<string, unknown>).set("h1", {
    ...h1,
    holders: new Map([[0, { value: { minor: 0, holders }, readAtMs: 990_000 }]]),
  });
  const made = releaseHeldDevice.plan(requestOf(view, { node: "h1", minor: "/dev/drbd0" }));
  expect(made.notes.join("\n")).toContain("held 10 s ago by dd (pid 77)");
  expect(stepById(made, "await-not-held")?.manualCommands.slice(0, 4)).toEqual([
    "h1# umount /mnt",
    "h1# kpartx -d /dev/drbd0",
    "h1# vgchange -an vg0",
    "h1# kill 77",
  ]);
});

test("an incident gives the node and the minor", () => {
  const subject = Subject.create({ node: "h1", minor: 0 });
  const made = releaseHeldDevice.forIncident?.(Incident.create({ subject }), viewOf(small()));
  expect(made).toEqual({ node: "h1", minor: "0" });
});

test("who holds it is asked before it is planned", () => {
  const asked = releaseHeldDevice.asks?.(requestOf(viewOf(small(held)), { node: "h1", minor: "0" }));
  expect(asked).toEqual([{ node: "h1", minor: 0, source: Source.HOLDERS }]);
});

test("what is no minor is told so", () => {
  expect(() => plan(() => {}, { minor: "sdb" })).toThrow("give the N of /dev/drbdN");
});
