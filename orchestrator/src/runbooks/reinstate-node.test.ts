import { Damaged, Guest, Role, type Plan } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { reinstateNode } from "./reinstate-node.js";
import { stepById } from "./runbook.js";
import { healthy, nodeIn, planIn, small, stepIds, type World } from "./testing.js";

/** h3 was offline, and is up again: web2's mirror is there, not active; its disks are h3's minor 0. */
function back(world: World): void {
  const [, , h3] = world.inventory.nodes;
  if (h3 !== undefined) h3.offline = true;
  nodeIn(world, "h3").minors = [];
}

function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  const world = small((w) => {
    back(w);
    change(w);
  });
  return planIn(world, reinstateNode, { node: "h3", ...parameters });
}

test("it is added anew, goes online, its copies catch up, and guests go where there is room", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual([
    "await-reports",
    "readd-node ← set-offline",
    "set-online ← set-offline",
    "(set-offline)",
    "activate-1!",
    "await-redundant-1",
    "rebalance!",
  ]);
  expect(planFaults(made)).toEqual([]);
  expect(stepById(made, "readd-node")?.manualCommands).toEqual([
    "h1# gnt-node add --readd --no-ssh-key-check h3",
  ]);
  expect(stepById(made, "set-online")?.manualCommands).toEqual(["h1# gnt-node modify -f -O no h3"]);
  expect(stepById(made, "await-redundant-1")?.deadlineMs).toBe(0);
});

test("with rebalance=no the guests stay", () => {
  expect(stepIds(plan(() => {}, { rebalance: "no" })).includes("rebalance")).toBe(false);
});

test("of a node that does not report, what it had when it was last heard is not told as of now", () => {
  const made = plan((w) => {
    nodeIn(w, "h3").minors = [healthy(9, Role.SECONDARY)];
    nodeIn(w, "h3").ageMs = 9_000;
  });
  expect(made.refusals).toEqual(["h3 does not report: what it still has is not known (I11)"]);
});

const UUID = "0123abcd-0000-4000-8000-000000000000";

test("volumes of instances that are elsewhere now are told, and how to remove them", () => {
  const notes = plan((w) => {
    const [lv] = nodeIn(w, "h3").lvm.logicalVolumes;
    if (lv !== undefined) nodeIn(w, "h3").lvm.logicalVolumes.push({ ...lv, lvName: `${UUID}.disk0_data` });
  }).notes.join("\n");
  expect(notes).toContain(`1 volumes on h3 are not named by Ganeti: h3# lvremove kvmvg/${UUID}.disk0_data`);
});

describe("it is refused", () => {
  test.each<[string, (world: World) => void, string]>([
    [
      "for a node that is online",
      (w) => Object.assign(w.inventory.nodes[2] ?? {}, { offline: false }),
      "h3 is not offline",
    ],
    ["for a node that does not report", (w) => (nodeIn(w, "h3").ageMs = 9_000), "h3 does not report"],
    [
      "for a node that still runs a guest",
      (w) => nodeIn(w, "h3").guests.push(Guest.create({ instance: "web2" })),
      "web2 still runs on h3",
    ],
    [
      "for a minor that Ganeti does not name there",
      (w) => nodeIn(w, "h3").minors.push(healthy(9, Role.SECONDARY)),
      "h3 still has minor 9, which Ganeti does not name there: h3# drbdsetup down resource9",
    ],
    [
      "for a copy that is still Primary there",
      (w) => nodeIn(w, "h3").minors.push(healthy(0, Role.PRIMARY)),
      "h3 minor 0, web2 disk/0, is still Primary: split brain",
    ],
    [
      "for a minor that is damaged",
      (w) => (nodeIn(w, "h3").damaged = [Damaged.create({ minor: 0, reason: "torn" })]),
      "h3 minor 0 is unknown: torn",
    ],
  ])("%s", (_what, change, why) => {
    const made = plan(change);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });
});
