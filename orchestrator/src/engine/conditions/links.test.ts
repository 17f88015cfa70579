/** When a step holds: by readings of after it began, of both ends, and never by what a command said (F5). */
import {
  ConnectionState,
  LinkCut,
  LinkCutFacts,
  Source,
  type Condition,
  type SourceReport,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, NOW_MS, ok, onH1, onH2, type Says } from "../../view/testing.js";
import { createWatch } from "./index.js";
import { contextAt, END, PEER_END, short } from "./testing.js";

const { WF_CONNECTION, STAND_ALONE, SYNC_SOURCE, SYNC_TARGET, CONNECTED } = ConnectionState;
type What = NonNullable<Condition["what"]>;

const OURS = LinkCut.create({ peerAddress: "10.0.0.2", port: 11_000, expiresInS: 20 });
const OTHER = LinkCut.create({ peerAddress: "10.0.0.2", port: 11_001, expiresInS: 20 });

function cuts(...standing: LinkCut[]): SourceReport {
  return ok(Source.LINK_CUTS, { $case: "linkCuts", value: LinkCutFacts.create({ cuts: standing }) });
}

function both(h1: ConnectionState, h2: ConnectionState, more: Partial<Says> = {}): ClusterView {
  return cluster({
    h1: { minors: [onH1({ connection: h1 })], sources: [cuts(OURS)], ...more },
    h2: { minors: [onH2({ connection: h2 })] },
  });
}

const CUT_STANDS: What = { $case: "cutStands", value: { end: END } };
const CUT_GONE: What = { $case: "cutGone", value: { end: END } };
const LINK_DOWN: What = { $case: "linkDown", value: { end: END, peerEnd: PEER_END } };
const RESYNC_MOVES: What = { $case: "resyncMoves", value: { end: END, peerEnd: PEER_END } };

/** "seen", "not yet", or why it will never be. */
function look(what: What, view: ClusterView, sinceMs = 0): string {
  return short(createWatch({ what }, contextAt(sinceMs))(view));
}

describe("the cut", () => {
  const with_ = (...standing: LinkCut[]): ClusterView =>
    both(CONNECTED, CONNECTED, { sources: [cuts(...standing)] });

  test("stands when the node's own kernel lists this very one", () => {
    expect(look(CUT_STANDS, with_(OURS))).toBe("seen");
    expect(look(CUT_STANDS, with_(OTHER))).toBe("not yet");
    expect(look(CUT_GONE, with_(OTHER))).toBe("seen");
    expect(look(CUT_GONE, with_(OURS))).toBe("not yet");
  });

  test("is neither there nor gone by a reading of before the step, or by none", () => {
    for (const condition of [CUT_STANDS, CUT_GONE]) {
      expect(look(condition, with_(OURS), NOW_MS + 1)).toBe("not yet");
      expect(look(condition, with_(), NOW_MS + 1)).toBe("not yet");
      expect(look(condition, both(CONNECTED, CONNECTED, { sources: [] }))).toBe("not yet");
    }
  });
});

describe("the link is down", () => {
  test("when both ends wait for a connection, and not before", () => {
    expect(look(LINK_DOWN, both(WF_CONNECTION, WF_CONNECTION))).toBe("seen");
    expect(look(LINK_DOWN, both(WF_CONNECTION, SYNC_TARGET))).toBe("not yet");
    expect(look(LINK_DOWN, both(WF_CONNECTION, WF_CONNECTION), NOW_MS + 1)).toBe("not yet");
  });

  test("never, once an end went StandAlone (I8) or the cut is gone", () => {
    expect(look(LINK_DOWN, both(WF_CONNECTION, STAND_ALONE))).toContain("StandAlone");
    expect(look(LINK_DOWN, both(SYNC_SOURCE, WF_CONNECTION, { sources: [cuts()] }))).toContain("gone");
  });
});

describe("the resync moves", () => {
  /** Readings one second apart, each end's size out of sync. @returns what each look gave */
  function play(readings: readonly (readonly [number, number])[], still = 0): string[] {
    const watch = createWatch({ what: RESYNC_MOVES }, contextAt(0));
    return readings.map(([h1, h2], second) => {
      const ageMs = -1_000 * second;
      const view = cluster({
        h1: { minors: [onH1({ connection: SYNC_SOURCE, outOfSyncKib: h1 })], still: { 0: still }, ageMs },
        h2: { minors: [onH2({ connection: SYNC_TARGET, outOfSyncKib: h2 })], still: { 10: still }, ageMs },
      });
      return short(watch(view));
    });
  }

  test("when both ends have had less and less left for a second and a half", () => {
    expect(play([9, 8, 7, 6, 5, 4].map((kib) => [kib, kib] as const))).toEqual([
      ...Array.from({ length: 3 }, () => "not yet"),
      "seen",
      "seen",
      "seen",
    ]);
  });

  test("not when one end only has less left, or more", () => {
    expect(
      new Set(
        play([
          [9, 9],
          [8, 9],
          [7, 9],
          [6, 9],
          [5, 10],
        ]),
      ),
    ).toEqual(new Set(["not yet"]));
  });

  test("not while an end stands: it moved once, and no more", () => {
    expect(
      play(
        [
          [9, 9],
          [8, 8],
          [8, 8],
          [8, 8],
          [8, 8],
        ],
        3_000,
      ),
    ).not.toContain("seen");
  });

  test("never, when it stands again on both ends", () => {
    expect(play([[9, 9]], 8_000)[0]).toContain("stands again");
  });

  test("never, when an end went StandAlone", () => {
    expect(look(RESYNC_MOVES, both(STAND_ALONE, WF_CONNECTION))).toContain("StandAlone");
  });

  test("at once, when there is nothing left to resync", () => {
    expect(look(RESYNC_MOVES, both(CONNECTED, CONNECTED))).toBe("seen");
    expect(look(RESYNC_MOVES, both(CONNECTED, SYNC_TARGET))).toBe("not yet");
    expect(look(RESYNC_MOVES, both(CONNECTED, CONNECTED), NOW_MS + 1)).toBe("not yet");
  });
});

test("a condition that this version does not know is never seen", () => {
  expect(short(createWatch({ what: undefined }, contextAt(0))(both(CONNECTED, CONNECTED)))).toContain(
    "does not know",
  );
});
