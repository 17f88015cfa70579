import {
  ConnectionState,
  Damaged,
  Observed,
  Report,
  Source,
  SourceState,
  type SourceReport,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { foldObserved, foldReport, unseenNode, type NodeView } from "./node-view.js";
import { drbdReport, onH1, reportOf } from "./testing.js";

const first = onH1({ minor: 0 });
const second = onH1({ minor: 1 });
const WF = { connection: ConnectionState.WF_CONNECTION };

function begun(): NodeView {
  return foldReport(unseenNode("h1"), reportOf({ minors: [first, second] }), 1_000);
}

function fold(node: NodeView, report: Partial<Report>, receivedMs = 2_000): NodeView {
  return foldReport(node, Report.create(report), receivedMs);
}

function delta(change: Partial<SourceReport>): SourceReport {
  return { ...drbdReport([]), delta: true, ...change };
}

const states = (node: NodeView): [number, string | undefined][] =>
  [...node.minors].map(([minor, { drbd }]) => [minor, drbd?.connection]);

test("a node that was never seen has no minors, and says so", () => {
  expect(unseenNode("h1")).toMatchObject({ neverSeen: true, connected: false });
  expect(begun().neverSeen).toBe(false);
});

describe("a delta", () => {
  test("replaces the minors that it names, and keeps the others", () => {
    const node = fold(begun(), { sources: [{ ...drbdReport([{ ...second, ...WF }]), delta: true }] });
    expect(states(node)).toEqual([
      [0, ConnectionState.CONNECTED],
      [1, ConnectionState.WF_CONNECTION],
    ]);
  });

  test("takes away the minors that are gone", () => {
    expect(states(fold(begun(), { sources: [delta({ goneMinors: [0] })] }))).toEqual([
      [1, ConnectionState.CONNECTED],
    ]);
  });

  test("makes the minors that it does not name as fresh as those that it names", () => {
    const sources = [delta({ monotonicMs: 900 })];
    expect(fold(begun(), { sources, monotonicMs: 1_000 }).minors.get(0)?.readAtMs).toBe(1_900);
  });
});

describe("a full report", () => {
  test("replaces everything that was known", () => {
    const node = foldReport(begun(), reportOf({ minors: [second] }), 2_000);
    expect(states(node)).toEqual([[1, ConnectionState.CONNECTED]]);
  });

  test("forgets the sources that it does not name", () => {
    const node = fold(begun(), { full: true });
    expect(node.sources.size).toBe(0);
    expect(node.minors.size).toBe(0);
  });
});

describe("the age of a reading", () => {
  test("is taken off the time its report came, by the agent's own clock", () => {
    const sources = [{ ...drbdReport([first]), monotonicMs: 49_700 }];
    const node = fold(unseenNode("h1"), { full: true, sources, monotonicMs: 50_000 }, 9_000);
    expect(node.minors.get(0)?.readAtMs).toBe(8_700);
    expect(node.reportedAtMs).toBe(9_000);
  });

  test("is that of the newest reading where nothing changed", () => {
    const unchanged = [{ source: Source.PROC_DRBD, monotonicMs: 59_900 }];
    const node = fold(begun(), { unchanged, monotonicMs: 60_000 }, 5_000);
    expect(node.minors.get(0)).toMatchObject({ readAtMs: 4_900, drbd: first });
  });

  test("of a source that is neither told nor unchanged goes on growing", () => {
    const node = fold(begun(), { monotonicMs: 60_000 }, 5_000);
    expect(node.minors.get(0)?.readAtMs).toBe(1_000);
  });

  test("is not made up for a source that was never told", () => {
    const unchanged = [{ source: Source.LVM, monotonicMs: 1 }];
    expect(fold(begun(), { unchanged }).sources.has(Source.LVM)).toBe(false);
  });
});

test("a damaged minor is known to be there and not how it is; its neighbours are (I11)", () => {
  const damaged = [Damaged.create({ line: 3, minor: 1, reason: 'unknown connection state "Conn3cted"' })];
  const node = foldReport(unseenNode("h1"), reportOf({ minors: [first], damaged }), 1_000);
  expect(node.minors.get(0)?.drbd).toEqual(first);
  expect(node.minors.get(1)).toMatchObject({ drbd: undefined, unknown: damaged[0]?.reason });
});

test("a /proc/drbd that cannot be read leaves no minor that could be believed", () => {
  const failed = drbdReport([]);
  const node = fold(begun(), {
    sources: [{ ...failed, facts: undefined, state: SourceState.FAILED, reason: "EIO" }],
  });
  expect(node.minors.size).toBe(0);
});

test("how long a resync stands is kept with the minor it is about", () => {
  const node = foldReport(
    unseenNode("h1"),
    reportOf({ minors: [first, second], still: { 1: 8_000 } }),
    1_000,
  );
  expect([...node.minors.values()].map(({ stillMs }) => stillMs)).toEqual([undefined, 8_000]);
});

test("a node that is read-only says why; one that is not says nothing", () => {
  expect(fold(begun(), { readOnly: true, readOnlyReason: "stop" }).readOnlyReason).toBe("stop");
  expect(fold(begun(), { readOnly: false, readOnlyReason: "stop" }).readOnlyReason).toBe("");
});

test("how long a mirror has been whole is known from an answer, and kept while reports say that it still is", () => {
  const report = drbdReport([first, second]);
  const redundant = [{ minor: 0, redundantMs: 400 }];
  const told = foldObserved(begun(), Observed.create({ report, redundant }), 1_500);
  const since = (node: NodeView): unknown[] => [...node.minors.values()].map((m) => m.redundantSinceMs);
  expect(since(told)).toEqual([1_100, undefined]);
  expect(since(fold(told, { sources: [drbdReport([first, second])] }))).toEqual([1_100, undefined]);
  expect(since(fold(told, { sources: [drbdReport([{ ...first, ...WF }, second])] }))).toEqual([
    undefined,
    undefined,
  ]);
});

test("an answer to ObserveNow is as old as the question, and leaves the other sources alone", () => {
  const node = foldObserved(
    begun(),
    Observed.create({ report: drbdReport([{ ...first, ...WF }]), still: [{ minor: 0, stillMs: 5 }] }),
    1_500,
  );
  expect(states(node)).toEqual([[0, ConnectionState.WF_CONNECTION]]);
  expect(node.minors.get(0)).toMatchObject({ readAtMs: 1_500, stillMs: 5 });
  expect(node.reportedAtMs).toBe(1_000);
});

test("folding changes nothing of what was known before", () => {
  const before = begun();
  fold(before, { sources: [delta({ goneMinors: [0, 1] })] });
  expect(before.minors.size).toBe(2);
});
