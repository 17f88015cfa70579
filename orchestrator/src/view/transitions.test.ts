import { ConnectionState, Damaged } from "@vigie/proto";
import { expect, test } from "vitest";
import { foldReport, unseenNode, type NodeView } from "./node-view.js";
import { onH1, reportOf, type Says } from "./testing.js";
import { transitionsOf } from "./transitions.js";

const saying = (said: Says): NodeView => foldReport(unseenNode("h1"), reportOf(said), 0);
const between = (before: Says, after: Says): string[] =>
  transitionsOf(saying(before), saying(after), 7).map((t) => `${t.minor}: ${t.before} → ${t.after}`);

test("a minor whose state changed is told with both states, in the kernel's words", () => {
  const wf = onH1({ connection: ConnectionState.WF_CONNECTION });
  expect(between({ minors: [onH1()] }, { minors: [wf] })).toEqual([
    "0: Connected Primary/Secondary UpToDate/UpToDate → WFConnection Primary/Secondary UpToDate/UpToDate",
  ]);
});

test("counters that move are no change of state", () => {
  expect(between({ minors: [onH1()] }, { minors: [onH1({ networkSentKib: 9, outOfSyncKib: 4 })] })).toEqual(
    [],
  );
});

test("a minor that comes, goes, or is not understood any more is told", () => {
  const up = "Connected Primary/Secondary UpToDate/UpToDate";
  expect(between({}, { minors: [onH1()] })).toEqual([`0:  → ${up}`]);
  expect(between({ minors: [onH1()] }, {})).toEqual([`0: ${up} → `]);
  const damaged = [Damaged.create({ minor: 0, reason: "torn" })];
  expect(between({ minors: [onH1()] }, { damaged })).toEqual([`0: ${up} → unknown: torn`]);
});
