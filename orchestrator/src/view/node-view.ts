/**
 * What is known of one node: its newest readings, whole, each with the time it was read. Folding a report gives a
 * new value; nothing here looks at a clock. Times are this orchestrator's monotonic milliseconds: a reading's age
 * at the agent, by the agent's own clock, is taken off the time its report came.
 */
import {
  Source,
  SourceState,
  type DrbdMinor,
  type HungCommand,
  type MinorStillness,
  type Report,
  type SourceReport,
} from "@vigie/proto";

export interface SourceView {
  readonly report: SourceReport; // whole, never a delta
  readonly readAtMs: number;
}

export interface MinorView {
  readonly minor: number;
  readonly drbd: DrbdMinor | undefined; // undefined: its lines were damaged
  readonly unknown: string; // why it is undefined
  readonly readAtMs: number;
  readonly stillMs: number | undefined; // its resync has not moved for this long, at readAtMs
}

export interface NodeView {
  readonly name: string;
  readonly connected: boolean;
  readonly neverSeen: boolean;
  readonly reportedAtMs: number;
  readonly bootId: string;
  readonly agentVersion: string;
  readonly masterNode: string; // by this node's own ssconf
  readonly highestEpoch: number; // on this node's disk
  readonly readOnlyReason: string; // empty: it performs actions
  readonly journalHead: string;
  readonly sources: ReadonlyMap<Source, SourceView>;
  readonly minors: ReadonlyMap<number, MinorView>;
  readonly hung: readonly HungCommand[];
}

export function unseenNode(name: string): NodeView {
  return {
    name,
    connected: false,
    neverSeen: true,
    reportedAtMs: 0,
    bootId: "",
    agentVersion: "",
    masterNode: "",
    highestEpoch: 0,
    readOnlyReason: "",
    journalHead: "",
    sources: new Map(),
    minors: new Map(),
    hung: [],
  };
}

export function foldReport(node: NodeView, report: Report, receivedMs: number): NodeView {
  const sources = new Map(report.full ? [] : node.sources);
  for (const news of report.sources) {
    const readAtMs = receivedMs - (report.monotonicMs - news.monotonicMs);
    sources.set(news.source, { report: whole(sources.get(news.source)?.report, news), readAtMs });
  }
  for (const { source, monotonicMs } of report.unchanged) {
    const known = sources.get(source);
    if (known !== undefined)
      sources.set(source, { ...known, readAtMs: receivedMs - (report.monotonicMs - monotonicMs) });
  }
  return {
    ...node,
    neverSeen: false,
    reportedAtMs: receivedMs,
    masterNode: report.masterNode,
    highestEpoch: report.highestEpoch,
    readOnlyReason: report.readOnly ? report.readOnlyReason : "",
    journalHead: report.journalHead,
    sources,
    minors: minorViews(sources.get(Source.PROC_DRBD), report.still),
    hung: report.hung,
  };
}

/** An answer to ObserveNow: one source, read after it was asked for. */
export function foldObserved(
  node: NodeView,
  news: SourceReport,
  still: readonly MinorStillness[],
  askedAtMs: number,
): NodeView {
  const sources = new Map(node.sources).set(news.source, { report: news, readAtMs: askedAtMs });
  const minors =
    news.source === Source.PROC_DRBD ? minorViews(sources.get(Source.PROC_DRBD), still) : node.minors;
  return { ...node, sources, minors };
}

type Facts = NonNullable<SourceReport["facts"]>;
type FactsByCase = { readonly [F in Facts as F["$case"]]: F["value"] };

/** Facts of one source when it is ok; undefined when it is absent, failed or not seen. */
export function factsOf<C extends keyof FactsByCase>(
  node: NodeView | undefined,
  source: Source,
  kind: C,
): FactsByCase[C] | undefined {
  const report = node?.sources.get(source)?.report;
  if (report?.state !== SourceState.OK || report.facts?.$case !== kind) return undefined;
  return report.facts.value as FactsByCase[C];
}

function whole(known: SourceReport | undefined, news: SourceReport): SourceReport {
  if (!news.delta || news.facts?.$case !== "drbd") return news;
  const before = known?.facts?.$case === "drbd" ? known.facts.value.minors : [];
  const minors = new Map(before.map((minor) => [minor.minor, minor]));
  for (const minor of news.facts.value.minors) minors.set(minor.minor, minor);
  for (const gone of news.goneMinors) minors.delete(gone);
  return {
    ...news,
    delta: false,
    goneMinors: [],
    facts: { $case: "drbd", value: { ...news.facts.value, minors: [...minors.values()] } },
  };
}

function minorViews(
  source: SourceView | undefined,
  still: readonly MinorStillness[],
): Map<number, MinorView> {
  const views = new Map<number, MinorView>();
  if (source === undefined) return views;
  const { report, readAtMs } = source;
  for (const drbd of report.facts?.$case === "drbd" ? report.facts.value.minors : []) {
    const stillMs = still.find((s) => s.minor === drbd.minor)?.stillMs;
    views.set(drbd.minor, { minor: drbd.minor, drbd, unknown: "", readAtMs, stillMs });
  }
  for (const { minor, reason } of report.damaged) {
    if (minor === undefined) continue;
    views.set(minor, { minor, drbd: undefined, unknown: reason, readAtMs, stillMs: undefined });
  }
  return views;
}
