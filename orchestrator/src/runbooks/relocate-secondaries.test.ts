import { ConnectionState, DiskState, type Plan } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { relocateSecondaries } from "./relocate-secondaries.js";
import { freeOn, minorIn, nodeIn, planIn, SMALL, stepIds, worldOf, type World } from "./testing.js";

/** web1 on h1 and h2, web2 on h2 and h3, db on h1 and h2, stopped; h4 has nothing. */
function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  const world = worldOf(
    ["h1", "h2", "h3", "h4"],
    [...SMALL, { name: "db", primary: "h1", secondary: "h2", stopped: true }],
  );
  change(world);
  return planIn(world, relocateSecondaries, { node: "h2", ...parameters });
}

function commands(made: Plan): string[] {
  return made.steps.flatMap((step) => step.manualCommands);
}

test("each copy that the node holds as a secondary is made anew, one after the other", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual(["relocate-1!", "relocate-2!"]);
  expect(commands(made)).toEqual([
    "h1# gnt-instance replace-disks -I hail web1",
    "h1# gnt-instance replace-disks -I hail db",
  ]);
  expect(planFaults(made)).toEqual([]);
});

test("on the node that is named", () => {
  expect(commands(plan(() => {}, { to: "h4" }))[0]).toBe("h1# gnt-instance replace-disks -n h4 web1");
});

test("the node itself need not answer", () => {
  const dead = plan((w) => {
    nodeIn(w, "h2").silent = true;
    minorIn(w, "h1", 0).connection = ConnectionState.WF_CONNECTION;
  });
  expect(dead.refusals).toEqual([]);
  expect(dead.notes.join("\n")).toContain("vigie do disable-dead-node h2 says so first");
  expect(dead.steps).toHaveLength(2);
});

test.each<[string, (world: World) => void, string]>([
  [
    "is not whole",
    (w) => (minorIn(w, "h1", 0).disk = DiskState.DISKLESS),
    "web1: disk/0 on h1: it is Diskless",
  ],
  [
    "is StandAlone",
    (w) => (minorIn(w, "h1", 0).connection = ConnectionState.STAND_ALONE),
    "web1: disk/0 on h1: it is StandAlone",
  ],
  ["is not active", (w) => (nodeIn(w, "h1").minors = []), "web1: disk/0 on h1: it is not active"],
  [
    "is not known now",
    (w) => (nodeIn(w, "h1").ageMs = 9_000),
    "web1: disk/0 on h1: the newest reading is 9 s old",
  ],
])("an instance whose primary copy %s is left out, and told", (_what, change, why) => {
  const made = plan(change);
  expect([...made.notes, ...made.refusals].join("\n")).toContain(why);
  expect(commands(made)).not.toContain("h1# gnt-instance replace-disks -I hail web1");
});

describe("it is refused", () => {
  test.each<[string, (world: World) => void, Record<string, string>, string]>([
    ["for a node that holds none", () => {}, { node: "h4" }, "no instance has h4 as its secondary"],
    [
      "for a target that is offline",
      (w) => Object.assign(w.inventory.nodes[3] ?? {}, { offline: true }),
      { to: "h4" },
      "h4 is offline",
    ],
    [
      "for a target that is drained",
      (w) => Object.assign(w.inventory.nodes[3] ?? {}, { drained: true }),
      { to: "h4" },
      "h4 is drained",
    ],
    [
      "for a target without room for all of them together",
      (w) => freeOn(w, "h4", 15),
      { to: "h4" },
      "kvmvg on h4 has 15.0 GiB free, and 20.3 GiB are to be made there; nodes that would do: h3",
    ],
    [
      "for a target without the volume group",
      (w) => void (nodeIn(w, "h4").lvm.volumeGroups = []),
      { to: "h4" },
      "h4 has no volume group kvmvg",
    ],
    [
      "for a target in another node group, with the nodes that would do",
      (w) => {
        for (const node of w.inventory.nodes) node.group = node.name === "h4" ? "rack2" : "rack1";
      },
      { to: "h4" },
      "h4 is in the node group rack2, and h1 in rack1; nodes that would do: h3",
    ],
    [
      "for the allocator, where the only other nodes are in another group",
      (w) => {
        for (const node of w.inventory.nodes)
          node.group = ["h3", "h4"].includes(node.name) ? "rack2" : "rack1";
      },
      {},
      "web1: no other node can take its copies: h3 is in the node group rack2, and h1 in rack1",
    ],
    ["without a third node", (w) => (w.inventory.nodes.length = 2), {}, "web1: there is no third node"],
    [
      "for a target that holds the other copy of all",
      () => {},
      { to: "h1" },
      "web1: h1 holds its other copy",
    ],
  ])("%s", (_what, change, parameters, why) => {
    const made = plan(change, parameters);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });
});

test("the node itself is no target", () => {
  expect(() => plan(() => {}, { to: "h2" })).toThrow("they are there already");
});
