/** Stalls as /proc/drbd printed them, both ends, read once a second: parser, stillness, view and rules together. */
import { IncidentKind, Report, Source, SourceReport, SourceState } from "@vigie/proto";
import { expect, test } from "vitest";
import { parseProcDrbd } from "../../agent/src/sources/proc-drbd.js";
import { stillFor, trackStillness, type Stillness } from "../../agent/src/stillness.js";
import { judgeNode } from "../../orchestrator/src/detect/detect.js";
import { foundBy } from "../../orchestrator/src/detect/rule.js";
import { emptyView, joined, withNode, type ClusterView } from "../../orchestrator/src/view/cluster-view.js";
import { foldReport, unseenNode } from "../../orchestrator/src/view/node-view.js";
import { ganetiReport, INVENTORY, SSCONF, ssconfReport } from "../../orchestrator/src/view/testing.js";

const SETTINGS = {
  stallAfterMs: 7_000,
  silentAfterMs: 5_000,
  resyncSlowAfterMs: 86_400_000,
  expectAllAfterMs: Number.MAX_SAFE_INTEGER,
};

/** What each end prints in the given second. */
type Texts = (second: number) => { readonly h1: string; readonly h2: string };

/** @returns the first second in which the disk is called stalled; undefined: never */
function stalledAfter(texts: Texts, seconds: number): number | undefined {
  let still: Record<string, ReadonlyMap<number, Stillness>> = { h1: new Map(), h2: new Map() };
  let view: ClusterView = emptyView("h1");
  for (let second = 0; second <= seconds; second += 1) {
    const nowMs = second * 1_000;
    for (const name of ["h1", "h2"] as const) {
      const { minors, damaged } = parseProcDrbd(texts(second)[name]);
      expect(damaged).toEqual([]);
      const standing = trackStillness(still[name] ?? new Map(), minors, nowMs);
      still = { ...still, [name]: standing };
      const drbd = SourceReport.create({
        source: Source.PROC_DRBD,
        state: SourceState.OK,
        facts: { $case: "drbd", value: { version: "8.4.11", api: "", minors, minorsElsewhere: false } },
      });
      const own = name === "h1" ? [ssconfReport(SSCONF), ganetiReport(INVENTORY)] : [];
      const report = Report.create({ full: true, sources: [drbd, ...own], still: stillFor(standing, nowMs) });
      view = joined(withNode(view, foldReport(unseenNode(name), report, nowMs), "h1"));
    }
    const judged = judgeNode(view, "h1", nowMs, SETTINGS);
    const answer = judged.find(({ rule }) => rule.kind === IncidentKind.STALLED_SYNC)?.answer ?? [];
    if (foundBy(answer).length > 0) return second;
  }
  return undefined;
}

const HEADER = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: 900745622289D38C0BAB129 \n\n";

function synced(minor: number, roles: string, counters = "ns:15774192 nr:0 dw:15774012 dr:419755"): string {
  return `${HEADER}${String(minor).padStart(2)}: cs:Connected ro:${roles} ds:UpToDate/UpToDate C r-----
    ${counters} al:3886 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
`;
}

function syncing(minor: number, state: string, counters: string, left: number, end: string): string {
  return `${HEADER}${String(minor).padStart(2)}: cs:${state} C r-----
    ${counters} al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:${left}
\t[========>...........] sync'ed: 42.0% (${left}/65536)K
\tfinish: ${end}
`;
}

const SOURCE = "SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent";
const TARGET = "SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate";

test("a resync whose figures stop on both ends is stalled seven seconds later, long before the kernel says so", () => {
  const texts: Texts = (second) => {
    const left = 40_000 - 1_000 * Math.min(second, 3);
    const moved = 40_000 - left;
    return {
      h1: syncing(0, SOURCE, `ns:${moved} nr:0 dw:0 dr:${moved}`, left, "0:00:38 speed: 1,000 (1,000) K/sec"),
      h2: syncing(
        10,
        TARGET,
        `ns:0 nr:${moved} dw:${moved} dr:0`,
        left,
        "0:00:38 speed: 1,000 (1,000) want: 10,240 K/sec",
      ),
    };
  };
  expect(stalledAfter(texts, 20)).toBe(10);
});

test("a slow resync that moves every five seconds is not", () => {
  const texts: Texts = (second) => {
    const left = 40_000 - 4 * Math.floor(second / 5);
    return {
      h1: syncing(0, SOURCE, `ns:${second} nr:0 dw:0 dr:0`, left, "9:59:59 speed: 0 (0) K/sec"),
      h2: syncing(10, TARGET, "ns:0 nr:7 dw:7 dr:0", left, "9:59:59 speed: 0 (0) want: 10,240 K/sec"),
    };
  };
  expect(stalledAfter(texts, 60)).toBeUndefined();
});

/** ganeti#1868, as it was reported: the Primary never left SyncSource, and its peer is in sync. */
test("100.0 %, oos:0, SyncSource on the Primary while the Secondary is done is a stall, though guests write on", () => {
  const texts: Texts = (second) => ({
    h1: `${HEADER} 0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----
    ns:${15_774_192 + 8 * second} nr:0 dw:${15_774_012 + 8 * second} dr:419755 al:3886 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
\t[===================>] sync'ed:100.0% (0/15360)M
\tfinish: 0:00:00 speed: 52,956 (71,820) K/sec (stalled)
`,
    h2: synced(10, "Secondary/Primary"),
  });
  expect(stalledAfter(texts, 20)).toBe(7);
});

/** The wiki's, as it was copied there: both UpToDate, 8.0's words, no header, no indentation. */
test("SyncSource at 100.0 % with UpToDate on both ends is a stall, in the wiki's own text", () => {
  const wiki = (
    minor: number,
  ): string => `${minor}: cs:SyncSource st:Primary/Primary ds:UpToDate/UpToDate C r---
ns:601729944 nr:0 dw:0 dr:601737980 al:0 bm:429909 lo:0 pe:0 ua:0 ap:0 oos:0
[===================>] sync'ed:100.0% (965/6869678)M
stalled
`;
  expect(stalledAfter(() => ({ h1: wiki(0), h2: wiki(10) }), 20)).toBe(7);
});

test("a healthy pair is never called stalled", () => {
  const texts: Texts = () => ({ h1: synced(0, "Primary/Secondary"), h2: synced(10, "Secondary/Primary") });
  expect(stalledAfter(texts, 60)).toBeUndefined();
});
