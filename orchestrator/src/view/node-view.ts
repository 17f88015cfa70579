/**
 * What is known of one node: its newest readings, whole, each with the time it was read. Folding a report gives a
 * new value; nothing here looks at a clock. Times are this orchestrator's monotonic milliseconds: a reading's age
 * at the agent, by the agent's own clock, is taken off the time its report came.
 */
import {
  DiskState,
  replicates,
  Source,
  SourceState,
  type DrbdGenerations,
  type DrbdMinor,
  type GanetiJobFacts,
  type HolderFacts,
  type HungCommand,
  type MinorRedundancy,
  type MinorStillness,
  type Observed,
  type Report,
  type SourceReport,
} from "@vigie/proto";
import { IN_RESYNC, LINKED } from "./connection-states.js";

export interface SourceView {
  readonly report: SourceReport; // whole, never a delta
  readonly readAtMs: number;
  readonly monotonicMs: number; // the same moment by the agent's own clock, which its kernel's log goes by
}

export interface MinorView {
  readonly minor: number;
  readonly drbd: DrbdMinor | undefined; // undefined: its lines were damaged
  readonly unknown: string; // why it is undefined
  readonly readAtMs: number;
  readonly stillMs: number | undefined; // its resync has not moved for this long, at readAtMs
  readonly sinceWatched: boolean; // and was not seen to move before that
  readonly redundantSinceMs: number | undefined; // by its agent's own count; undefined: not asked, or it is not so
}

/** The answer to a question with an argument: it is asked when it is needed, and not reported by itself. */
export interface Answered<T> {
  readonly value: T;
  readonly readAtMs: number;
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
  readonly stopNumber: number; // likewise: Stop.number
  readonly maintenanceNumber: number; // likewise: MaintenanceList.number
  readonly readOnlyReason: string; // empty: it performs actions
  readonly journalHead: string;
  readonly sources: ReadonlyMap<Source, SourceView>;
  readonly minors: ReadonlyMap<number, MinorView>;
  /** By minor: when its link was last read to be up. */
  readonly linkedAtMs: ReadonlyMap<number, number>;
  /**
   * By minor, where its link is down: since when at the earliest, for nobody looked between two readings. Kept through
   * readings that fail; `BEFORE_IT_WAS_SEEN` where it was never seen to be up.
   */
  readonly unlinkedSinceMs: ReadonlyMap<number, number>;
  /** By minor, also of those that are no more: how it was when it was last listed. */
  readonly lastListed: ReadonlyMap<number, LastListed>;
  /** By minor, where anything happened: in the last half hour. */
  readonly unrest: ReadonlyMap<number, Unrest>;
  readonly hung: readonly HungCommand[];
  readonly jobs: ReadonlyMap<number, Answered<GanetiJobFacts>>; // by id; on the master only
  readonly holders: ReadonlyMap<number, Answered<HolderFacts>>; // by minor
  readonly generations: ReadonlyMap<number, Answered<DrbdGenerations>>; // by minor
}

export interface LastListed {
  readonly atMs: number;
  readonly redundant: boolean;
  readonly goneAtMs: number | undefined; // of the first reading without it; undefined: it is listed
}

/** When a minor's link was lost and a resync began, newest last: a loop of both is over too soon for any hold-down. */
export interface Unrest {
  readonly lostMs: readonly number[];
  readonly resyncedMs: readonly number[];
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
    stopNumber: 0,
    maintenanceNumber: 0,
    readOnlyReason: "",
    journalHead: "",
    sources: new Map(),
    minors: new Map(),
    linkedAtMs: new Map(),
    unlinkedSinceMs: new Map(),
    lastListed: new Map(),
    unrest: new Map(),
    hung: [],
    jobs: new Map(),
    holders: new Map(),
    generations: new Map(),
  };
}

export function foldReport(node: NodeView, report: Report, receivedMs: number): NodeView {
  const sources = new Map(report.full ? [] : node.sources);
  for (const news of report.sources) {
    const readAtMs = receivedMs - (report.monotonicMs - news.monotonicMs);
    const { monotonicMs } = news;
    sources.set(news.source, {
      report: whole(sources.get(news.source)?.report, news),
      readAtMs,
      monotonicMs,
    });
  }
  for (const { source, monotonicMs } of report.unchanged) {
    const known = sources.get(source);
    if (known !== undefined)
      sources.set(source, {
        ...known,
        readAtMs: receivedMs - (report.monotonicMs - monotonicMs),
        monotonicMs,
      });
  }
  const minors = minorViews(sources.get(Source.PROC_DRBD), report.still, node.minors);
  return {
    ...node,
    neverSeen: false,
    reportedAtMs: receivedMs,
    masterNode: report.masterNode,
    highestEpoch: report.highestEpoch,
    stopNumber: report.stopNumber,
    maintenanceNumber: report.maintenanceNumber,
    readOnlyReason: report.readOnly ? report.readOnlyReason : "",
    journalHead: report.journalHead,
    sources,
    minors,
    ...linkTimes(node, sources.get(Source.PROC_DRBD)),
    lastListed: listed(node, sources.get(Source.PROC_DRBD)),
    unrest: unrestOf(node, minors, receivedMs),
    hung: report.hung,
  };
}

const JOBS_KEPT = 100;
const STILL_MAX_MS = 10 * 365 * 86_400_000; // no kernel runs for so long: such a figure says nothing

/** An answer to ObserveNow: one source, read after it was asked for. */
export function foldObserved(node: NodeView, observed: Observed, askedAtMs: number): NodeView {
  const news = observed.report;
  if (news === undefined) return node;
  const answered = answeredWith(node, news.facts, askedAtMs);
  if (answered !== undefined) return { ...node, ...answered };
  if (ON_DEMAND.has(news.source)) return node; // it failed, and what was known keeps its age
  const sources = new Map(node.sources).set(news.source, {
    report: news,
    readAtMs: askedAtMs,
    monotonicMs: news.monotonicMs,
  });
  if (news.source !== Source.PROC_DRBD) return { ...node, sources };
  const since = new Map(observed.redundant.map((r: MinorRedundancy) => [r.minor, askedAtMs - r.redundantMs]));
  const minors = minorViews(sources.get(Source.PROC_DRBD), observed.still, new Map(), since);
  const procDrbd = sources.get(Source.PROC_DRBD);
  return { ...node, sources, minors, ...linkTimes(node, procDrbd), lastListed: listed(node, procDrbd) };
}

/** The table that the answer to a question with an argument goes into; undefined: it is no such answer. */
function answeredWith(
  { jobs, holders, generations }: NodeView,
  facts: SourceReport["facts"],
  readAtMs: number,
): Partial<NodeView> | undefined {
  if (facts?.$case === "ganetiJob")
    return { jobs: newest(jobs, facts.value.id, { value: facts.value, readAtMs }) };
  if (facts?.$case === "holders")
    return { holders: newest(holders, facts.value.minor, { value: facts.value, readAtMs }) };
  if (facts?.$case === "drbdGenerations")
    return { generations: newest(generations, facts.value.minor, { value: facts.value, readAtMs }) };
  return undefined;
}

const ON_DEMAND: ReadonlySet<Source> = new Set([Source.GANETI_JOB, Source.HOLDERS, Source.DRBD_GENERATIONS]);

/** With the newest one last, and the oldest forgotten where there are many. */
function newest<T>(known: ReadonlyMap<number, T>, key: number, value: T): Map<number, T> {
  const next = new Map(known);
  next.delete(key);
  next.set(key, value);
  if (next.size > JOBS_KEPT) next.delete(next.keys().next().value ?? key);
  return next;
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

/** A link that nobody has seen to be up. */
export const BEFORE_IT_WAS_SEEN = 0;

/** What a reading says of each minor changes what is known; a reading that failed, or a damaged line, changes nothing. */
function linkTimes(
  node: NodeView,
  source: SourceView | undefined,
): Pick<NodeView, "linkedAtMs" | "unlinkedSinceMs"> {
  const linkedAtMs = new Map(node.linkedAtMs);
  const unlinkedSinceMs = new Map(node.unlinkedSinceMs);
  if (source === undefined || source.report.facts?.$case !== "drbd") return { linkedAtMs, unlinkedSinceMs };
  for (const drbd of source.report.facts.value.minors) {
    const { minor } = drbd;
    if (isLinked(drbd)) {
      linkedAtMs.set(minor, source.readAtMs);
      unlinkedSinceMs.delete(minor);
    } else if (!unlinkedSinceMs.has(minor))
      unlinkedSinceMs.set(minor, linkedAtMs.get(minor) ?? BEFORE_IT_WAS_SEEN);
  }
  return { linkedAtMs, unlinkedSinceMs };
}

function listed(node: NodeView, source: SourceView | undefined): Map<number, LastListed> {
  const all = new Map(node.lastListed);
  if (source === undefined || source.report.facts?.$case !== "drbd") return all;
  for (const [minor, last] of all)
    if (last.goneAtMs === undefined && unlisted(source.report, minor) === "")
      all.set(minor, { ...last, goneAtMs: source.readAtMs });
  for (const drbd of source.report.facts.value.minors)
    all.set(drbd.minor, { atMs: source.readAtMs, redundant: isRedundant(drbd), goneAtMs: undefined });
  return all;
}

export const UNREST_KEPT_MS = 1_800_000;
const UNREST_MAX = 200; // of each kind: more says nothing more

function unrestOf(
  { unrest, minors: before }: NodeView,
  minors: ReadonlyMap<number, MinorView>,
  nowMs: number,
): ReadonlyMap<number, Unrest> {
  const next = new Map<number, Unrest>();
  const recent = (times: readonly number[]): readonly number[] =>
    times.filter((ms) => nowMs - ms < UNREST_KEPT_MS).slice(-UNREST_MAX);
  for (const [minor, { lostMs, resyncedMs }] of unrest) {
    const kept = { lostMs: recent(lostMs), resyncedMs: recent(resyncedMs) };
    if (kept.lostMs.length + kept.resyncedMs.length > 0) next.set(minor, kept);
  }
  for (const [minor, { drbd }] of minors) {
    const was = before.get(minor)?.drbd;
    if (drbd === undefined || was === undefined || was.connection === drbd.connection) continue;
    const lost = isLinked(was) && !isLinked(drbd);
    const resynced = !IN_RESYNC.has(was.connection) && IN_RESYNC.has(drbd.connection);
    if (!lost && !resynced) continue;
    const { lostMs, resyncedMs } = next.get(minor) ?? { lostMs: [], resyncedMs: [] };
    next.set(minor, {
      lostMs: lost ? [...lostMs, nowMs] : lostMs,
      resyncedMs: resynced ? [...resyncedMs, nowMs] : resyncedMs,
    });
  }
  return next;
}

/**
 * @param before what reports do not repeat stays as it was, while it still holds
 * @param redundantSinceMs by minor, where the agent just told
 */
function minorViews(
  source: SourceView | undefined,
  still: readonly MinorStillness[],
  before: ReadonlyMap<number, MinorView>,
  redundantSinceMs: ReadonlyMap<number, number> = new Map(),
): Map<number, MinorView> {
  const views = new Map<number, MinorView>();
  if (source === undefined) return views;
  const { report, readAtMs } = source;
  for (const drbd of report.facts?.$case === "drbd" ? report.facts.value.minors : []) {
    const { minor } = drbd;
    const { stillMs, sinceWatched = false } =
      still.find((s) => s.minor === minor && s.stillMs < STILL_MAX_MS) ?? {};
    const since = redundantSinceMs.get(minor) ?? before.get(minor)?.redundantSinceMs;
    const kept = isRedundant(drbd) ? since : undefined;
    views.set(minor, { minor, drbd, unknown: "", readAtMs, stillMs, sinceWatched, redundantSinceMs: kept });
  }
  for (const { minor, reason } of report.damaged) {
    if (minor === undefined) continue;
    const unknown = { drbd: undefined, unknown: reason, stillMs: undefined, redundantSinceMs: undefined };
    views.set(minor, { minor, readAtMs, sinceWatched: false, ...unknown });
  }
  return views;
}

/**
 * Why it is not known that a minor which is not listed is not there (I11). /proc/drbd is in the order of minors: what
 * follows one whose lines are cut, or a line that names none, may have been there. Empty: it is known.
 */
export function unlisted(report: SourceReport | undefined, minor: number): string {
  const { damaged = [], facts } = report ?? {};
  const listed = facts?.$case === "drbd" ? facts.value.minors.map((each) => each.minor) : [];
  const last = Math.max(-1, ...listed);
  const cut = damaged.find((each) => each.minor === undefined || (each.minor > last && each.minor < minor));
  return cut === undefined ? "" : `/proc/drbd, line ${cut.line}: ${cut.reason}`;
}

/** A packet of the peer's has come lately, or DRBD's own pings would have ended it. */
export function isLinked({ connection }: DrbdMinor): boolean {
  return LINKED.has(connection);
}

/** Connected or verifying, both disks UpToDate by this end's own word, nothing out of sync. */
export function isRedundant(drbd: DrbdMinor): boolean {
  const upToDate = drbd.disk === DiskState.UP_TO_DATE && drbd.peerDisk === DiskState.UP_TO_DATE;
  return replicates(drbd.connection) && upToDate && (drbd.outOfSyncKib ?? 0) === 0;
}
