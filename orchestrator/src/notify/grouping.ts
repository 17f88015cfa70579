/**
 * What one channel says next: nothing, the news that have gathered, or a reminder. Pure: what it has yet to tell, what it
 * has told, what waits, and the time go in.
 *
 * Bad news wait for `group_wait_s`, so that sixty stalls are one message. What is over by then, or only good news, waits
 * until nothing more has come for as long, within limits: a storm that heals by itself ends in one message. What may not go
 * yet, by quiet hours, the limit of messages or a receiver that is down, stays and gathers.
 */
import { MessageReason, NoticeCause, type Severity } from "@vigie/proto";
import type { Notice, Told } from "../store/outbox.js";
import { rankOf, type Waiting } from "./notice.js";
import { ageMs, hasRoom, mayGoNow, wants, type Rules } from "./schedule.js";

const ITEMS_MAX = 200; // a message; the others are in the next
const GOOD_NEWS_WAITS = 10; // times group_wait_s, at most
const STANDING_REPEAT_MS = 86_400_000; // of what is critical and stands, and nobody was asked about

/** Of one channel. */
export interface Queue {
  readonly notices: readonly Notice[]; // oldest first
  readonly told: ReadonlyMap<string, Told>; // by what it is about
  readonly composed: readonly number[]; // unix ms of its newest messages
}

export interface Draft {
  readonly reason: MessageReason.NEWS | MessageReason.REMINDER;
  readonly parts: readonly Part[];
  readonly taken: readonly string[]; // Notice.id
  readonly heldMs: number;
}

/** What happened to one incident, run or channel. */
export interface Part {
  readonly about: string;
  readonly causes: readonly NoticeCause[];
  readonly severity: Severity; // the newest
  readonly text: string; // the newest; usually empty
  readonly firstUnixMs: number;
  readonly lastUnixMs: number;
}

const OVER: ReadonlySet<NoticeCause> = new Set([NoticeCause.CLOSED, NoticeCause.CHANNEL_DELIVERS]);

/** @returns undefined: nothing is to be said now */
export function nextDraft(
  queue: Queue,
  rules: Rules,
  waiting: readonly Waiting[],
  nowUnixMs: number,
): Draft | undefined {
  if (!hasRoom(rules, queue.composed, nowUnixMs)) return undefined;
  return news(queue, rules, nowUnixMs) ?? reminder(queue, rules, waiting, nowUnixMs);
}

function news(queue: Queue, rules: Rules, nowUnixMs: number): Draft | undefined {
  const ready = partsOf(queue.notices).filter(({ severity }) => mayGoNow(rules, severity, nowUnixMs));
  if (!isDue(ready, rules.groupWaitMs, nowUnixMs)) return undefined;
  const parts = ready.toSorted(byUrgency).slice(0, ITEMS_MAX);
  const abouts = new Set(parts.map(({ about }) => about));
  const oldestMs = Math.max(...parts.map(({ firstUnixMs }) => ageMs(firstUnixMs, nowUnixMs)));
  return {
    reason: MessageReason.NEWS,
    parts,
    taken: queue.notices.filter(({ about }) => abouts.has(about)).map(({ id }) => id),
    heldMs: Number.isFinite(oldestMs) ? oldestMs : 0,
  };
}

/** One part for each thing, in the order in which it first happened. */
export function partsOf(notices: readonly Notice[]): Part[] {
  const parts = new Map<string, Part>();
  for (const { about, cause, severity, text, unixMs } of notices) {
    const known = parts.get(about);
    const causes = [...(known?.causes ?? []), cause];
    parts.set(about, {
      about,
      causes,
      severity,
      text,
      firstUnixMs: known?.firstUnixMs ?? unixMs,
      lastUnixMs: unixMs,
    });
  }
  return [...parts.values()];
}

function isDue(parts: readonly Part[], groupWaitMs: number, nowUnixMs: number): boolean {
  const over = parts.filter(({ causes }) => isOver(causes));
  const bad = parts.filter((part) => !over.includes(part));
  if (bad.some(({ firstUnixMs }) => ageMs(firstUnixMs, nowUnixMs) >= groupWaitMs)) return true;
  if (over.length === 0) return false;
  const calm = over.every(({ lastUnixMs }) => ageMs(lastUnixMs, nowUnixMs) >= groupWaitMs);
  const oldestMs = Math.max(...over.map(({ firstUnixMs }) => ageMs(firstUnixMs, nowUnixMs)));
  return (calm && bad.length === 0) || oldestMs >= GOOD_NEWS_WAITS * groupWaitMs;
}

export function isOver(causes: readonly NoticeCause[]): boolean {
  const last = causes.at(-1);
  return last !== undefined && OVER.has(last);
}

function byUrgency(a: Part, b: Part): number {
  return rankOf(b.severity) - rankOf(a.severity) || Number(isOver(a.causes)) - Number(isOver(b.causes));
}

/** All that waits is said when one thing is due, so that there is one message and not one each. */
function reminder(
  queue: Queue,
  rules: Rules,
  waiting: readonly Waiting[],
  nowUnixMs: number,
): Draft | undefined {
  if (!Number.isFinite(rules.repeatMs)) return undefined;
  const pending = new Set(queue.notices.map(({ about }) => about));
  const own = waiting.filter(
    ({ about, severity }) =>
      !pending.has(about) && wants(rules, severity) && mayGoNow(rules, severity, nowUnixMs),
  );
  const due = own.filter(({ about, asked }) => {
    const told = queue.told.get(about);
    const everyMs = asked ? rules.repeatMs : Math.max(rules.repeatMs, STANDING_REPEAT_MS);
    return told === undefined || ageMs(told.unixMs, nowUnixMs) >= everyMs;
  });
  if (due.length === 0) return undefined;
  const said = own.filter((it) => it.asked || due.includes(it)).slice(0, ITEMS_MAX);
  return {
    reason: MessageReason.REMINDER,
    parts: said.map(({ about, severity }) => partOf(about, severity, nowUnixMs)),
    taken: [],
    heldMs: 0,
  };
}

/** Of something to which nothing has happened. */
export function partOf(about: string, severity: Severity, unixMs: number): Part {
  return { about, causes: [], severity, text: "", firstUnixMs: unixMs, lastUnixMs: unixMs };
}
