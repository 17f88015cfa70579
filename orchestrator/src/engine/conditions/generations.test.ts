/** Two ends may be connected where one has nothing that the other lacks; whatever is not known is waited for. */
import { ConnectionState, DiskState, DrbdGenerations, Role, Source, type DrbdMinor } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, NOW_MS, onH1, onH2, type Says } from "../../view/testing.js";
import { asksOf, createWatch } from "./index.js";
import { contextAt, END, short } from "./testing.js";

const { WF_CONNECTION, STAND_ALONE, CONNECTED, SYNC_SOURCE, SYNC_TARGET, UNCONFIGURED } = ConnectionState;
const { OUTDATED, INCONSISTENT, DISKLESS } = DiskState;
const [OLD, NEW, OTHER] = ["A8B5C1D2E3F40516", "B1B5C1D2E3F40516", "C3B5C1D2E3F40516"] as const;
const NONE = "0000000000000000";

type Generations = readonly [current: string, bitmap: string, ...history: string[]];

function look(view: ClusterView, givenUpAt = "", sinceMs = 0): string {
  const what = { $case: "mayConnect" as const, value: { end: END, givenUpAt } };
  return short(createWatch({ what }, contextAt(sinceMs))(view));
}

function ends(
  h1: Partial<DrbdMinor>,
  h2: Partial<DrbdMinor>,
  generations?: readonly [Generations, Generations],
): ClusterView {
  return withGenerations(cluster({ h1: { minors: [onH1(h1)] }, h2: { minors: [onH2(h2)] } }), generations);
}

function withGenerations(
  view: ClusterView,
  generations: readonly [Generations, Generations] | undefined,
): ClusterView {
  if (generations === undefined) return view;
  const nodes = new Map(view.nodes);
  const places = [
    ["h1", 0],
    ["h2", 10],
  ] as const;
  for (const [i, [name, minor]] of places.entries()) {
    const node = nodes.get(name);
    const [currentUuid, bitmapUuid, ...historyUuids] = generations[i] ?? [NONE, NONE];
    const value = DrbdGenerations.create({ minor, currentUuid, bitmapUuid, historyUuids });
    if (node !== undefined)
      nodes.set(name, { ...node, generations: new Map([[minor, { value, readAtMs: NOW_MS }]]) });
  }
  return { ...view, nodes };
}

const apart = { connection: WF_CONNECTION };
const SPLIT = "web1 disk/0: both ends have writes of their own";

describe("ends that are apart and both have data", () => {
  test("may meet where one goes on from the other, whatever their roles", () => {
    expect(
      look(
        ends(apart, apart, [
          [OLD, NONE],
          [OLD, NONE],
        ]),
      ),
    ).toBe("seen");
    expect(
      look(
        ends(apart, apart, [
          [NEW, OLD],
          [OLD, NONE],
        ]),
      ),
    ).toBe("seen");
    expect(
      look(
        ends(apart, apart, [
          [OLD, NONE],
          [NEW, OTHER, OLD],
        ]),
      ),
    ).toBe("seen");
    const asPrimary = `${OLD.slice(0, -1)}7`; // the lowest bit: it was Primary
    expect(
      look(
        ends(apart, apart, [
          [NEW, asPrimary],
          [OLD, NONE],
        ]),
      ),
    ).toBe("seen");
  });

  test("never where each wrote for itself, or nothing relates them", () => {
    expect(
      look(
        ends(apart, apart, [
          [NEW, OLD],
          [OTHER, OLD],
        ]),
      ),
    ).toContain(SPLIT);
    expect(
      look(
        ends(apart, { ...apart, disk: OUTDATED }, [
          [NEW, OLD],
          [OTHER, OLD],
        ]),
      ),
    ).toContain(SPLIT);
    const both = { ...apart, role: Role.PRIMARY };
    expect(
      look(
        ends(both, both, [
          [NEW, OLD],
          [OTHER, OLD],
        ]),
      ),
    ).toContain("vigie do resolve-split-brain web1");
  });

  test("are asked for their generations, and waited for until both are read anew", () => {
    const view = ends(apart, apart);
    const what = { $case: "mayConnect" as const, value: { end: END, givenUpAt: "" } };
    const asked = asksOf({ what }, view, contextAt(0)).map(({ node, source }) => `${node} ${source}`);
    expect(asked).toContain(`h1 ${Source.DRBD_GENERATIONS}`);
    expect(asked).toContain(`h2 ${Source.DRBD_GENERATIONS}`);
    expect(look(view)).toBe("not yet");
    expect(
      look(
        ends(apart, apart, [
          [OLD, NONE],
          [OLD, NONE],
        ]),
        "",
        NOW_MS + 1,
      ),
    ).toBe("not yet");
  });
});

test("an end that is StandAlone is a person's, whatever its generation (I8)", () => {
  const same = [
    [OLD, NONE],
    [OLD, NONE],
  ] as const;
  expect(look(ends({ connection: STAND_ALONE }, apart, same))).toBe("not yet");
  expect(look(ends(apart, { connection: STAND_ALONE }, same))).toBe("not yet");
});

test("ends that are connected, or of which one has no data, may stay or come together", () => {
  expect(look(ends({ connection: CONNECTED }, { connection: CONNECTED }))).toBe("seen");
  expect(look(ends({ connection: SYNC_SOURCE }, { connection: SYNC_TARGET, disk: INCONSISTENT }))).toBe(
    "seen",
  );
  expect(look(ends(apart, { ...apart, disk: INCONSISTENT }))).toBe("seen");
  expect(look(ends({ ...apart, disk: DISKLESS }, apart))).toBe("seen");
});

test("of an end that is not active DRBD itself compares the generations, when Ganeti activates it", () => {
  expect(look(cluster({ h1: { minors: [onH1(apart)] }, h2: {} }))).toBe("seen");
  expect(look(ends(apart, { connection: UNCONFIGURED }))).toBe("seen");
});

test("the side that the plan gives up must be Inconsistent, whatever else is so", () => {
  const alone = { connection: STAND_ALONE };
  expect(look(ends(apart, { ...alone, disk: INCONSISTENT }), "h2")).toBe("seen");
  expect(look(ends({ ...apart, disk: INCONSISTENT }, alone), "h2")).toBe("not yet");
  expect(look(ends(apart, alone), "h2")).toBe("not yet");
  expect(look(ends({}, {}), "h2")).toBe("seen"); // it was connected already, by an earlier try
});

test("what is not read, not understood or another instance's by now does not let anything be connected", () => {
  const h1: Says = { minors: [onH1(apart)] };
  expect(look(cluster({ h1, h2: { failed: "EIO" } }))).toBe("not yet");
  expect(
    look(
      ends(apart, apart, [
        [OLD, NONE],
        [OLD, NONE],
      ]),
      "",
      NOW_MS + 1,
    ),
  ).toBe("not yet");
});

test("no two histories that both went on after they parted are ever taken for one", () => {
  const uuid = fc.stringMatching(/^[1-9A-F][0-9A-F]{14}[02468ACE]$/);
  fc.assert(
    fc.property(uuid, uuid, uuid, fc.boolean(), (base, a, b, swapped) => {
      fc.pre(new Set([base, a, b]).size === 3);
      const pair = [
        [a, base],
        [b, base],
      ] as const;
      const view = ends(apart, apart, swapped ? [pair[1], pair[0]] : pair);
      expect(look(view)).toContain(SPLIT);
    }),
  );
});
