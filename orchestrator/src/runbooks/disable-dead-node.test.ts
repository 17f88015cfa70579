import {
  ConnectionState,
  DiskState,
  GanetiDisk,
  GanetiInstance,
  Incident,
  Role,
  Subject,
  type Plan,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { disableDeadNode } from "./disable-dead-node.js";
import type { NodeView } from "../view/node-view.js";
import { NOW_MS } from "../view/testing.js";
import { planFaults } from "./plan-faults.js";
import { stepById } from "./runbook.js";
import {
  bigView,
  minorIn,
  nodeIn,
  planIn,
  requestOf,
  stepIds,
  viewOf,
  worldOf,
  type World,
} from "./testing.js";

const { WF_CONNECTION, CONNECTED } = ConnectionState;

/** h3 is dead: web3 ran there with its mirror on h1, db was stopped there, and web2 of h2 had its mirror there. */
function world(change: (world: World) => void = () => {}): World {
  const made = worldOf(
    ["h1", "h2", "h3", "h4"],
    [
      { name: "web3", primary: "h3", secondary: "h1" },
      { name: "web2", primary: "h2", secondary: "h3" },
      { name: "db", primary: "h3", secondary: "h2", stopped: true },
    ],
  );
  nodeIn(made, "h3").ageMs = 33_000; // it reported for the last time
  for (const [node, minor] of [
    ["h1", 0],
    ["h2", 0],
  ] as const)
    Object.assign(minorIn(made, node, minor), {
      connection: WF_CONNECTION,
      peerRole: Role.UNKNOWN,
      peerDisk: DiskState.D_UNKNOWN,
    });
  change(made);
  return made;
}

function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  return planIn(world(change), disableDeadNode, { node: "h3", ...parameters });
}

/** The survivor's kernel lost its peer this long before the dead node's last report. */
function cutOffBefore(ms: number): Plan {
  const view = viewOf(world());
  const h1 = view.nodes.get("h1");
  if (h1 === undefined) throw new Error("no h1");
  const unlinkedSinceMs = new Map([[0, NOW_MS - 33_000 - ms]]);
  (view.nodes as Map<string, NodeView>).set("h1", { ...h1, unlinkedSinceMs });
  return disableDeadNode.plan(requestOf(view, { node: "h3" }));
}

test("a survivor that was cut off before the node fell silent lacks what was written since: it is said, and has a word of its own", () => {
  const made = cutOffBefore(100_000);
  expect(made.notes.join("\n")).toContain(
    "MAY LOSE DATA: web3 disk/0: the copy on h1 has been without its peer for 133 s, from 100 s before h3 fell silent",
  );
  expect(made.typedWord).toBe("lose-h3");
  expect(cutOffBefore(2_000).typedWord).toBe("h3");
});

test.each([
  ["was not whole", { atMs: 1_000, redundant: false, goneAtMs: 2_000 }],
  ["went while nobody looked", { atMs: 1_000, redundant: true, goneAtMs: 61_000 }],
  ["was never seen", undefined],
])(
  "a stopped instance whose mirror %s stays where it is: its other copy may lack what was written",
  (_, last) => {
    const view = viewOf(world());
    const h3 = view.nodes.get("h3");
    if (h3 === undefined) throw new Error("no h3");
    const lastListed = new Map(
      [...h3.lastListed.keys()].flatMap((minor) => (last ? [[minor, last] as const] : [])),
    );
    (view.nodes as Map<string, NodeView>).set("h3", { ...h3, lastListed });
    const made = disableDeadNode.plan(requestOf(view, { node: "h3" }));
    expect(made.notes.join("\n")).toMatch(/left out, its guest stays down: db: disk\/0 on h2: it is stopped/);
    expect(made.steps.map(({ id }) => id)).not.toContain("failover-2");
  },
);

test("since when a survivor is alone is not known of a node that this orchestrator never saw, and that is said", () => {
  const made = plan((w) => (nodeIn(w, "h3").silent = true));
  expect(made.notes.join("\n")).toContain("MAY LOSE DATA: since when web3 disk/0");
  expect(made.typedWord).toBe("lose-h3");
});

test("every step that acts on a dead node's instances assumes that it is silent still, and the failover what it starts from (I15)", () => {
  const acting = plan().steps.filter(({ action, onlyAsUndo }) => action !== undefined && !onlyAsUndo);
  for (const step of acting) expect(step.premises.map(({ what }) => what?.$case)).toContain("nodeSilent");
  const failover = acting.find(({ id }) => id === "failover-1");
  expect(failover?.premises.map(({ what }) => what?.$case)).toEqual([
    "nodeSilent",
    "instancePlaced",
    "copyUpToDate",
  ]);
});

test("a person is asked, then the node goes offline, its guests start elsewhere, and its copies are made anew", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(made.typedWord).toBe("h3");
  expect(stepIds(made)).toEqual([
    "confirm-power-off",
    "set-offline ← set-online",
    "(set-online)",
    "failover-1!",
    "failover-2!",
    "relocate-1!",
    "relocate-2!",
    "relocate-3!",
  ]);
  expect(planFaults(made)).toEqual([]);
  expect(made.steps.filter((s) => !s.onlyAsUndo).flatMap((step) => step.manualCommands)).toEqual([
    "h1# gnt-node power status h3",
    "h1# gnt-node power off h3",
    "h1# gnt-node modify -O yes --auto-promote h3",
    "h1# gnt-instance failover -f web3",
    "h1# gnt-instance failover -f db",
    "h1# gnt-instance replace-disks -I hail web3",
    "h1# gnt-instance replace-disks -I hail db",
    "h1# gnt-instance replace-disks -I hail web2",
  ]);
});

test("nothing is sent before a person says that it is switched off, its power and not only its network", () => {
  const [first] = plan().steps;
  expect(first?.action).toBeUndefined();
  expect(first?.condition?.what).toMatchObject({
    $case: "personSays",
    value: { question: expect.stringContaining("its power, not only its network") },
  });
  expect(first?.deadlineMs).toBe(0);
});

test("a guest that ran must be seen running on its other node, and on no other", () => {
  const condition = stepById(plan(), "failover-1")?.condition?.what;
  const seen = condition?.$case === "allOf" ? condition.value.conditions.map((it) => it.what) : [];
  expect(seen[1]).toEqual({ $case: "instanceOn", value: { instance: "web3", node: "h1", running: true } });
});

test("with relocate=no the copies are left as they are", () => {
  expect(stepIds(plan(() => {}, { relocate: "no" })).filter((id) => id.startsWith("relocate"))).toEqual([]);
});

describe("left out, and told, is an instance", () => {
  test.each<[string, (world: World) => void, string]>([
    [
      "whose other copy is not UpToDate",
      (w) => (minorIn(w, "h1", 0).disk = DiskState.INCONSISTENT),
      "its guest stays down: web3: disk/0 on h1 is Inconsistent, not UpToDate (I1)",
    ],
    ["whose other copy is silent", (w) => (nodeIn(w, "h1").ageMs = 9_000), "web3: disk/0 on h1 is unknown"],
    [
      "that is not mirrored",
      (w) =>
        w.inventory.instances.push(
          GanetiInstance.create({
            name: "plain1",
            primaryNode: "h3",
            diskTemplate: "plain",
            disks: [GanetiDisk.create({ type: "plain" })],
          }),
        ),
      "plain1: it is not mirrored (plain): its only copy is there",
    ],
    [
      "that has no third node to go to",
      (w) => {
        for (const node of w.inventory.nodes.slice(2)) node.offline = true;
        const [, h2] = w.inventory.nodes;
        if (h2 !== undefined) h2.drained = true;
      },
      "it keeps one copy: web3: no other node can take its copies: h2 is drained",
    ],
  ])("%s", (_what, change, why) => {
    const made = plan(change);
    expect(made.refusals).toEqual([]);
    expect(made.notes.join("\n")).toContain(why);
  });
});

describe("it is refused", () => {
  test.each<[string, (world: World) => void, Record<string, string>, string]>([
    ["for a node that reports", (w) => (nodeIn(w, "h3").ageMs = 0), {}, "h3 reports: it is not dead"],
    [
      "for a node that a peer is still connected with",
      (w) => (minorIn(w, "h2", 0).connection = CONNECTED),
      {},
      "h2 minor 0 is still connected with h3",
    ],
    ["for the master", () => {}, { node: "h1" }, "h1 is the master"],
    [
      "when Ganeti does not tell of it",
      (w) => w.inventory.nodes.splice(2, 1),
      {},
      "Ganeti does not tell of h3",
    ],
  ])("%s", (_what, change, parameters, why) => {
    const made = plan(change, parameters);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });
});

test("an incident names the node", () => {
  const subject = Subject.create({ node: "h3" });
  expect(disableDeadNode.forIncident?.(Incident.create({ subject }), viewOf(world()))).toEqual({
    node: "h3",
  });
});

test("in a cluster of a hundred nodes that all report, it is refused", () => {
  const made = disableDeadNode.plan(requestOf(bigView(), { node: "h50" }));
  expect(made.refusals[0]).toBe("h50 reports: it is not dead");
});
