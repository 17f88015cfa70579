/**
 * Reads every source at its own pace and knows what is new. A source that hangs holds nobody: its reading counts as
 * failed after its deadline, and it is not begun again until that reading ends (I37).
 */
import {
  explain,
  Source,
  SourceReport,
  SourceState,
  type DrbdMinor,
  type MinorRedundancy,
  type MinorStillness,
  type SourceUnchanged,
} from "@vigie/proto";
import { atMost } from "./at-most.js";
import type { Host } from "./host.js";
import { same } from "./same.js";
import { redundantFor, trackRedundancy, type RedundantSince } from "./redundancy.js";
import {
  NOTHING_ASKED,
  type Asked,
  type Facts,
  type Reading,
  type SourceDefinition,
} from "./sources/source.js";
import { stillFor, trackStillness, type Stillness } from "./stillness.js";

export interface Observer {
  /** Reads every source that has a period once and then each at its own, until `signal` aborts. */
  readonly start: (signal: AbortSignal) => void;
  /** A reading that began after this call; `asked`: what an on-demand source is asked about. */
  readonly readNow: (source: Source, asked?: Asked) => Promise<SourceReport>;
  /** The newest reading, whole; undefined: not read yet. */
  readonly latest: (source: Source) => SourceReport | undefined;
  /** The newest reading that did not fail, of this life of the agent. */
  readonly lastGood: (source: Source) => SourceReport | undefined;
  readonly stillness: () => MinorStillness[];
  readonly redundancy: () => MinorRedundancy[];
  /** What changed since the last call with the same `sent`; everything with a new one. */
  readonly changes: (sent: SentState) => { sources: SourceReport[]; unchanged: SourceUnchanged[] };
  /** Called after each reading of /proc/drbd, which paces the reports. */
  onTick: () => void;
}

/** What one session has sent, so that only the rest is sent again. */
export interface SentState {
  readonly bodies: Map<Source, SourceReport>;
  readonly minors: Map<number, DrbdMinor>;
}

export function nothingSent(): SentState {
  return { bodies: new Map(), minors: new Map() };
}

/** This source was sent outside the reports: what the other side has is not what the reports differ from. */
export function forgetSent(sent: SentState, source: Source): void {
  sent.bodies.delete(source);
  if (source === Source.PROC_DRBD) sent.minors.clear();
}

/** More is no reading of which some is damaged, and would be longer than a message may be. */
const DAMAGED_MAX = 1_000;

const QUESTIONS_AT_ONCE = 8;
const QUESTIONS_MAX = 256; // one of each kind for each minor of a large node

interface SourceStanding {
  readonly definition: SourceDefinition;
  readonly asked: Asked;
  latest: SourceReport | undefined;
  lastGood: SourceReport | undefined;
  reading: Promise<void> | undefined; // the one that goes on now
  lateSinceMs: number | undefined; // it is past its deadline since then
  readonly forget: () => void; // nobody reads it any more
}

function standingOf(
  definition: SourceDefinition,
  asked = NOTHING_ASKED,
  forget: () => void = () => undefined,
): SourceStanding {
  const nothing = { latest: undefined, lastGood: undefined, reading: undefined, lateSinceMs: undefined };
  return { definition, asked, forget, ...nothing };
}

function periodOf({ definition }: SourceStanding): number {
  return definition.periodMs ?? Number.POSITIVE_INFINITY;
}

export function createObserver(host: Host, definitions: readonly SourceDefinition[]): Observer {
  const all = new Map(definitions.map((definition) => [definition.source, definition]));
  const periodic = definitions.filter(({ periodMs }) => periodMs !== undefined);
  const standings = new Map(periodic.map((definition) => [definition.source, standingOf(definition)]));
  const onDemand = new Map<string, SourceStanding>(); // by what is asked, while its reading goes on
  const waiting = new Map<string, Promise<SourceReport>>(); // likewise, before it begins
  const fewAtOnce = atMost(QUESTIONS_AT_ONCE);
  let still: ReadonlyMap<number, Stillness> = new Map();
  let redundantSince: RedundantSince = new Map();
  const observer: Observer = {
    start: (signal) => {
      const isPacing = ({ definition }: SourceStanding): boolean => definition.source === Source.PROC_DRBD;
      // The one that paces the reports last: what is due at the same moment is begun before it.
      const inOrder = [...standings.values()].toSorted((a, b) => Number(isPacing(a)) - Number(isPacing(b)));
      for (const standing of inOrder) void pace(standing, signal);
    },
    readNow,
    latest: (source) => standings.get(source)?.latest,
    lastGood: (source) => standings.get(source)?.lastGood,
    stillness: () => stillFor(still, host.monotonicMs()),
    redundancy: () => redundantFor(redundantSince, host.monotonicMs()),
    changes,
    onTick: () => undefined,
  };
  return observer;

  async function pace(standing: SourceStanding, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begunMs = host.monotonicMs();
      await readOnce(standing);
      if (standing.definition.source === Source.PROC_DRBD) observer.onTick();
      await host.sleep(Math.max(0, periodOf(standing) - (host.monotonicMs() - begunMs)), signal);
    }
  }

  async function readNow(source: Source, asked: Asked = NOTHING_ASKED): Promise<SourceReport> {
    const definition = all.get(source);
    const standing = standings.get(source);
    if (standing !== undefined) return readAnew(standing);
    if (definition !== undefined) return answer(definition, asked);
    return SourceReport.create({
      source,
      state: SourceState.ABSENT,
      reason: "this agent has no such source",
    });
  }

  async function readAnew(standing: SourceStanding): Promise<SourceReport> {
    const { source } = standing.definition;
    if (standing.reading !== undefined) await readOnce(standing); // it may have begun before this call
    await readOnce(standing);
    return standing.latest ?? notRead(source, "not read yet");
  }

  /**
   * Two questions about different things are two readings, equal ones that wait are one. A few are read at once, and of
   * those that wait there is an end: whoever asks without one is refused, and costs no memory (I38).
   */
  function answer(definition: SourceDefinition, asked: Asked): Promise<SourceReport> {
    const { source, about } = definition;
    const key = `${source} ${about === undefined ? "" : asked[about]}`;
    const waits = waiting.get(key);
    if (waits !== undefined) return waits;
    if (!onDemand.has(key) && onDemand.size + waiting.size >= QUESTIONS_MAX)
      return Promise.resolve(notRead(source, `${QUESTIONS_MAX} other questions are not answered yet`));
    let begun = false;
    const answered = fewAtOnce(() => {
      begun = true;
      waiting.delete(key);
      const standing = onDemand.get(key) ?? standingOf(definition, asked, () => onDemand.delete(key));
      onDemand.set(key, standing);
      return readAnew(standing);
    });
    if (!begun) waiting.set(key, answered);
    return answered;
  }

  /** Ends when the reading does, or at its deadline. */
  async function readOnce(standing: SourceStanding): Promise<void> {
    if (standing.lateSinceMs !== undefined) return void reportLate(standing);
    if (standing.reading === undefined) {
      standing.reading = readInto(standing).finally(() => {
        standing.reading = undefined;
        standing.lateSinceMs = undefined;
        standing.forget();
      });
    }
    const { deadlineMs } = standing.definition;
    const stop = new AbortController();
    const late = host.sleep(deadlineMs, stop.signal).then(() => "late" as const);
    const ended = await Promise.race([standing.reading, late]);
    stop.abort(null); // without a reason one is made, an error with its stack, several times a second
    if (ended !== "late") return;
    standing.lateSinceMs = host.monotonicMs() - deadlineMs;
    reportLate(standing);
  }

  function reportLate(standing: SourceStanding): void {
    const { source } = standing.definition;
    const sinceMs = standing.lateSinceMs ?? host.monotonicMs();
    standing.latest = SourceReport.create({
      source,
      state: SourceState.FAILED,
      reason: "the reading has not ended; it hangs in the kernel or in a tool",
      monotonicMs: sinceMs,
    });
  }

  async function readInto(standing: SourceStanding): Promise<void> {
    const { source, read } = standing.definition;
    const monotonicMs = host.monotonicMs();
    let reading: Reading | { readonly state: "failed"; readonly reason: string };
    try {
      reading = await read(host, standing.asked);
      if (reading.state === "ok" && reading.damaged.length > DAMAGED_MAX)
        reading = { state: "failed", reason: `${reading.damaged.length} lines of it are not understood` };
    } catch (error) {
      reading = { state: "failed", reason: explain(error) };
    }
    const durationUs = Math.round((host.monotonicMs() - monotonicMs) * 1000);
    standing.latest = reportOf(source, monotonicMs, durationUs, reading);
    if (standing.latest.state === SourceState.OK) standing.lastGood = standing.latest;
    if (source !== Source.PROC_DRBD) return;
    const minors = minorsOf(standing.latest.facts);
    still = trackStillness(still, minors, monotonicMs);
    redundantSince = trackRedundancy(redundantSince, minors, monotonicMs);
  }

  function changes(sent: SentState): { sources: SourceReport[]; unchanged: SourceUnchanged[] } {
    const sources: SourceReport[] = [];
    const unchanged: SourceUnchanged[] = [];
    for (const [source, { latest }] of standings) {
      if (latest === undefined) continue;
      const before = sent.bodies.get(source);
      if (before !== undefined && saysTheSame(before, latest))
        unchanged.push({ source, monotonicMs: latest.monotonicMs });
      else sources.push(source === Source.PROC_DRBD ? minorChanges(latest, sent) : latest);
      sent.bodies.set(source, latest);
    }
    return { sources, unchanged };
  }
}

function notRead(source: Source, reason: string): SourceReport {
  return SourceReport.create({ source, state: SourceState.FAILED, reason });
}

/** Made of the reading itself and not by create(), which would copy a thousand objects a second to throw them away. */
function reportOf(
  source: Source,
  monotonicMs: number,
  durationUs: number,
  reading: Reading | { readonly state: "failed"; readonly reason: string },
): SourceReport {
  const ok = reading.state === "ok";
  return {
    source,
    state: STATES[reading.state],
    reason: ok ? "" : reading.reason,
    monotonicMs,
    durationUs,
    damaged: ok ? [...reading.damaged] : [],
    delta: false,
    goneMinors: [],
    facts: ok ? reading.facts : undefined,
  };
}

const STATES = {
  ok: SourceState.OK,
  absent: SourceState.ABSENT,
  failed: SourceState.FAILED,
} as const;

/** Only the minors that changed, where the last report was whole and of the same driver (SourceReport.delta). */
function minorChanges(report: SourceReport, sent: SentState): SourceReport {
  if (report.facts?.$case !== "drbd") {
    sent.minors.clear();
    return report;
  }
  const delta = sent.minors.size > 0;
  const { minors } = report.facts.value;
  const changed = minors.filter((minor) => !same(sent.minors.get(minor.minor), minor));
  const now = new Set(minors.map(({ minor }) => minor));
  const goneMinors = [...sent.minors.keys()].filter((minor) => !now.has(minor));
  sent.minors.clear();
  for (const minor of minors) sent.minors.set(minor.minor, minor);
  if (!delta) return report;
  const facts: Facts = { $case: "drbd", value: { ...report.facts.value, minors: changed } };
  return { ...report, facts, delta, goneMinors };
}

function minorsOf(facts: SourceReport["facts"]): readonly DrbdMinor[] {
  return facts?.$case === "drbd" ? facts.value.minors : [];
}

/** In everything but when it was read. */
function saysTheSame(a: SourceReport, b: SourceReport): boolean {
  return a.state === b.state && a.reason === b.reason && same(a.facts, b.facts) && same(a.damaged, b.damaged);
}
