import { ConnectionState, Damaged, DiskState, type DrbdMinor } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { aboutDisk, short } from "../testing.js";
import { NOW_MS, onH1, onH2, stalled, type Says } from "../../view/testing.js";
import { stalledSync } from "./stalled-sync.js";
import { foundBy } from "../rule.js";

const { SYNC_SOURCE, SYNC_TARGET, CONNECTED, WF_CONNECTION, PAUSED_SYNC_S, VERIFY_S, VERIFY_T } =
  ConnectionState;
const judge = (says: Record<string, Says>): string | string[] => short(aboutDisk(stalledSync, says));

/** The stall of `stalled`, with one end's minor changed. */
function but(h1: Partial<DrbdMinor>, h2: Partial<DrbdMinor> = {}): Record<string, Says> {
  const said = stalled(8_000);
  return {
    h1: { ...said.h1, minors: (said.h1.minors ?? []).map((minor) => ({ ...minor, ...h1 })) },
    h2: { ...said.h2, minors: (said.h2.minors ?? []).map((minor) => ({ ...minor, ...h2 })) },
  };
}

/** Both ends at the end of a resync, one of which was never left. */
function finished(h1: Partial<DrbdMinor>, h2: Partial<DrbdMinor>, still: { h1?: number; h2?: number }) {
  return {
    h1: { minors: [onH1(h1)], still: still.h1 === undefined ? {} : { 0: still.h1 } },
    h2: { minors: [onH2(h2)], still: still.h2 === undefined ? {} : { 10: still.h2 } },
  };
}

test("of an agent that has just started it is not known yet whether a resync moves (I11)", () => {
  const started = (stillMs: number) => {
    const said = stalled(stillMs);
    return { h1: { ...said.h1, sinceWatched: true }, h2: said.h2 };
  };
  expect(judge(started(2_000))).toBe("unknown");
  expect(judge(stalled(2_000))).toBe("clear");
  expect(judge(started(7_000))).toHaveLength(1);
});

describe("a stall is", () => {
  test("a resync that neither end has seen move for seven seconds, with both ends as evidence", () => {
    const answer = aboutDisk(stalledSync, stalled(7_000));
    expect(short(answer)).toEqual([
      "web1 disk/0: the resync has not moved for 7 s (h1 SyncSource, h2 SyncTarget)",
    ]);
    const [finding] = foundBy(answer);
    expect(finding?.subject).toMatchObject({ instance: "web1", diskIndex: 0, node: "h1", minor: 0 });
    expect(finding?.evidence.map(({ node, stillMs }) => [node, stillMs])).toEqual([
      ["h1", 7_000],
      ["h2", 7_000],
    ]);
    expect(finding?.lastProgressMs).toBe(NOW_MS - 7_000);
  });

  test("the resync towards the instance's primary, too", () => {
    const says = but({ connection: SYNC_TARGET }, { connection: SYNC_SOURCE });
    expect(judge(says)).toHaveLength(1);
  });

  test("100.0 %, oos:0, and SyncSource never left, while the peer is done (ganeti#1868)", () => {
    const source = { connection: SYNC_SOURCE, peerDisk: DiskState.INCONSISTENT };
    expect(judge(finished(source, { connection: CONNECTED }, { h1: 8_000 }))).toHaveLength(1);
    expect(
      judge(finished({ connection: CONNECTED }, { connection: SYNC_SOURCE }, { h2: 8_000 })),
    ).toHaveLength(1);
  });

  test("SyncSource on both ends with nothing left (the wiki's)", () => {
    const both = { connection: SYNC_SOURCE };
    expect(judge(finished(both, both, { h1: 8_000, h2: 8_000 }))).toHaveLength(1);
  });
});

describe("no stall is", () => {
  test.each<[string, Record<string, Says>]>([
    ["a resync that stood for 6.9 s", stalled(6_999)],
    ["a resync of which one end still sees it move", { h1: stalled(8_000).h1, h2: stalled(900).h2 }],
    ["a resync that a person paused", but({ resyncPausedByUser: true })],
    ["a resync that waits for another one's end", but({}, { resyncPausedByDependency: true })],
    ["a resync that the peer paused", but({ resyncPausedByPeer: true })],
    ["a resync in state PausedSync", but({ connection: PAUSED_SYNC_S })],
    ["a verify", but({ connection: VERIFY_S }, { connection: VERIFY_T })],
    ["a healthy mirror", { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } }],
    ["a mirror that waits for its peer", but({ connection: WF_CONNECTION }, { connection: WF_CONNECTION })],
    [
      "an end that is done while the other has something left",
      but({}, { connection: CONNECTED, outOfSyncKib: 0 }),
    ],
    ["two SyncTargets", but({ connection: SYNC_TARGET })],
    ["two SyncSources with something left", but({}, { connection: SYNC_SOURCE })],
    [
      "SyncSource and Connected where the size is not printed",
      but({ outOfSyncKib: undefined }, { connection: CONNECTED, outOfSyncKib: undefined }),
    ],
  ])("%s", (_what, says) => {
    expect(judge(says)).toBe("clear");
  });

  test("a resync of a minor that Ganeti does not name: its other end is not known", () => {
    const minor = onH1({ minor: 7, connection: SYNC_SOURCE, outOfSyncKib: 4 });
    const says = { h1: {}, h3: { minors: [minor], still: { 7: 8_000 } } };
    expect(short(aboutDisk(stalledSync, says, "h3/7"))).toBe("clear");
  });
});

describe("it is not known whether it is a stall (I11) where", () => {
  test.each<[string, Says]>([
    ["the peer's line is damaged", { damaged: [Damaged.create({ minor: 10, reason: "torn" })] }],
    ["the peer's /proc/drbd cannot be read", { failed: "EIO" }],
    ["the peer's reading is old", { ...stalled(8_000).h2, ageMs: 6_000 }],
  ])("%s", (_what, h2) => {
    expect(judge({ h1: stalled(8_000).h1, h2 })).toBe("unknown");
  });

  test("the end that never left SyncSource is silent, though the other says that it is done", () => {
    const says = finished({ connection: SYNC_SOURCE }, { connection: CONNECTED }, { h1: 8_000 });
    expect(judge({ h1: { ...says.h1, ageMs: 6_000 }, h2: says.h2 })).toBe("unknown");
    expect(judge({ h1: { failed: "EIO" }, h2: says.h2 })).toBe("unknown");
  });

  test("neither end can be seen", () => {
    expect(judge({ h1: { failed: "EIO" }, h2: { failed: "EIO" } })).toBe("unknown");
  });
});
