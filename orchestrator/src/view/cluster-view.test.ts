import {
  ConnectionState,
  Damaged,
  GanetiFacts,
  type GanetiInstance,
  GanetiNode,
  SsconfFacts,
} from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyView, joined, withNode } from "./cluster-view.js";
import { endViews } from "./end-view.js";
import { foldReport, unseenNode } from "./node-view.js";
import {
  cluster,
  ganetiReport,
  INVENTORY,
  NOW_MS,
  onH1,
  onH2,
  reportOf,
  ssconfReport,
  stalled,
  type Says,
} from "./testing.js";

const HEALTHY: Record<string, Says> = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };

function endsOf(says: Readonly<Record<string, Says>>, nowMs = NOW_MS) {
  const view = cluster(says);
  const resource = view.resources.get("d1");
  if (resource === undefined) throw new Error("web1's disk is not joined");
  return endViews(view, resource, nowMs);
}

describe("the join", () => {
  test("finds the two minors of a disk on their two nodes, the primary's first", () => {
    const [h1, h2] = endsOf(HEALTHY);
    expect(h1?.end).toEqual({ node: "h1", minor: 0, address: "10.0.0.1" });
    expect(h2?.end).toEqual({ node: "h2", minor: 10, address: "10.0.0.2" });
    expect([h1?.drbd, h2?.drbd]).toEqual([onH1(), onH2()]);
  });

  test("puts the primary's end first where Ganeti's configuration names it second", () => {
    const [web1] = INVENTORY.instances as [GanetiInstance];
    const moved = GanetiFacts.create({ ...INVENTORY, instances: [{ ...web1, primaryNode: "h2" }] });
    const resource = cluster(HEALTHY, moved).resources.get("d1");
    expect(resource?.ends.map(({ node }) => node)).toEqual(["h2", "h1"]);
  });

  test("keeps a minor that Ganeti does not name as a disk with one end and no instance", () => {
    const view = cluster({ ...HEALTHY, h3: { minors: [onH1({ minor: 7 })] } });
    expect(view.resources.get("h3/7")).toMatchObject({
      instance: "",
      port: 0,
      ends: [{ node: "h3", minor: 7 }],
    });
    expect([...view.resources.keys()]).toEqual(["d1", "h3/7"]);
  });

  test("keeps a damaged minor that Ganeti does not name too", () => {
    const damaged = [Damaged.create({ minor: 9, reason: "torn" })];
    expect([...cluster({ ...HEALTHY, h3: { damaged } }).resources.keys()]).toContain("h3/9");
  });

  test("indexes each disk under both its nodes", () => {
    const { resourcesByNode } = cluster(HEALTHY);
    expect(resourcesByNode.get("h1")).toEqual(resourcesByNode.get("h2"));
    expect(resourcesByNode.has("h3")).toBe(false);
  });

  test("is stale after a minor came, until it is made anew", () => {
    const view = cluster(HEALTHY);
    const h3 = foldReport(unseenNode("h3"), reportOf({ minors: [onH1({ minor: 7 })] }), NOW_MS);
    const next = withNode(view, h3, "h1");
    expect([next.joinStale, next.resources.has("h3/7")]).toEqual([true, false]);
    expect([joined(next).joinStale, joined(next).resources.has("h3/7")]).toEqual([false, true]);
  });
});

test("what a node had that Ganeti does not name there is no disk while it is offline and away", () => {
  const h3 = GanetiNode.create({ name: "h3", offline: true });
  const offline = GanetiFacts.create({ ...INVENTORY, nodes: [...INVENTORY.nodes, h3] });
  const says = (away: boolean): Record<string, Says> => ({
    ...HEALTHY,
    h3: { minors: [onH1({ minor: 7 })], offline: away },
  });
  const gone = cluster(says(true), offline);
  expect(gone.resources.has("h3/7")).toBe(false);
  const back = { ...(gone.nodes.get("h3") ?? unseenNode("h3")), connected: true };
  expect(joined(withNode(gone, back, "h1")).resources.has("h3/7")).toBe(true);
  expect(cluster(says(true)).resources.has("h3/7")).toBe(true); // silent, and not told to be offline
});

describe("an end is unknown, never healthy (I11), where", () => {
  test.each<[string, Says, string]>([
    ["its line is damaged", { damaged: [Damaged.create({ minor: 10, reason: "torn line" })] }, "torn line"],
    ["/proc/drbd cannot be read", { failed: "EIO" }, "/proc/drbd: EIO"],
    [
      "its newest reading is six seconds old",
      { minors: [onH2()], ageMs: 6_000 },
      "the newest reading is 6 s old",
    ],
  ])("%s", (_what, h2, unknown) => {
    expect(endsOf({ ...HEALTHY, h2 })[1]).toMatchObject({ unknown, inactive: false });
  });

  test("its node has not reported", () => {
    const { h1 } = HEALTHY;
    expect(endsOf({ h1: h1 ?? {} })[1]?.unknown).toBe("h2 has not reported");
  });
});

test("a minor that a fresh reading does not list is not active; an old reading says nothing about it", () => {
  expect(endsOf({ ...HEALTHY, h2: {} })[1]).toMatchObject({ inactive: true, unknown: "" });
  expect(endsOf({ ...HEALTHY, h2: { ageMs: 6_000 } })[1]).toMatchObject({ inactive: false });
  const unconfigured = onH2({ connection: ConnectionState.UNCONFIGURED });
  expect(endsOf({ ...HEALTHY, h2: { minors: [unconfigured] } })[1]).toMatchObject({ inactive: true });
});

test("a resync that stood when it was read has stood for its age more by now", () => {
  expect(endsOf(stalled(4_000), NOW_MS + 1_500).map(({ stillMs }) => stillMs)).toEqual([5_500, 5_500]);
});

describe("one agent's facts change only its own node (I41)", () => {
  const lies = fc.record({
    minors: fc.array(
      fc.record({
        minor: fc.integer({ min: 0, max: 12 }),
        connection: fc.constantFrom(...Object.values(ConnectionState)),
      }),
      { maxLength: 5 },
    ),
    inventory: fc.boolean(),
    master: fc.constantFrom("h1", "h2", "h3", "evil"),
  });

  test("whatever h3 says, what is known of h1 and h2, and what Ganeti intends, stay as they are", () => {
    const view = cluster(HEALTHY);
    fc.assert(
      fc.property(lies, ({ minors, inventory, master }) => {
        const said: Says = {
          minors: minors.map((some) => onH1(some)),
          master,
          sources: inventory
            ? [ganetiReport(GanetiFacts.create({})), ssconfReport(SsconfFacts.create({ nodeList: ["h3"] }))]
            : [],
        };
        const lied = joined(withNode(view, foldReport(unseenNode("h3"), reportOf(said), NOW_MS), "h1"));
        expect(lied.nodes.get("h1")).toBe(view.nodes.get("h1"));
        expect(lied.nodes.get("h2")).toBe(view.nodes.get("h2"));
        expect(lied.inventory).toBe(view.inventory);
        expect(lied.ssconf).toBe(view.ssconf);
        expect(lied.resources.get("d1")).toEqual(view.resources.get("d1"));
        for (const { ends } of [...lied.resources.values()].filter(({ key }) => key !== "d1"))
          expect(ends.map(({ node }) => node)).toEqual(["h3"]);
      }),
    );
  });
});

test("every node that the own node's ssconf lists is in the view, seen or not", () => {
  const view = cluster(HEALTHY);
  expect([...view.nodes.keys()].toSorted()).toEqual(["h1", "h2", "h3"]);
  expect(view.nodes.get("h3")?.neverSeen).toBe(true);
});

test("Ganeti's intent is kept when the master's agent cannot read it for a while", () => {
  const view = cluster(HEALTHY);
  const h1 = foldReport(view.nodes.get("h1") ?? unseenNode("h1"), reportOf(HEALTHY["h1"] ?? {}), NOW_MS);
  expect(withNode(view, h1, "h1").inventory).toBe(view.inventory);
});

test("an orchestrator that sees nothing yet knows its own node by name only", () => {
  expect([...emptyView("h1").nodes.keys()]).toEqual(["h1"]);
  expect(emptyView("h1").resources.size).toBe(0);
});
