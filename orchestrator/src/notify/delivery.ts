/**
 * One channel's deliveries, one after the other and in their order; what fails is tried again, later each time, and holds
 * up no other channel. It never gives up: what was not delivered stays in the store, and is said to be there.
 */
import { explain, VigieError, type Clock, type Message } from "@vigie/proto";
import type { Change } from "../store/store.js";
import type { Channel } from "./channel.js";
import { nextDraft, partOf } from "./grouping.js";
import type { Waiting } from "./notice.js";
import { brokenMessage, itemOf, messageOf, type Known, type Sender } from "./outgoing.js";
import type { OutboxKeeper } from "./outbox-keeper.js";
import { wants } from "./schedule.js";

const TICK_MS = 1_000;
const SEND_WITHIN_MS = 90_000; // a mail server may take its time to greet
const AGAIN_FIRST_MS = 5_000;
const AGAIN_AT_MOST_MS = 300_000;
const CANNOT_AFTER_MS = 300_000; // then it is said elsewhere

export interface DeliveryParts {
  readonly clock: Clock;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly maySend: () => boolean;
  /** Why nothing can be kept; empty: it can. */
  readonly broken: () => string;
  readonly waits: () => readonly Waiting[];
  /** All that is open, whether it waits or not. */
  readonly stands: () => readonly Waiting[];
  readonly known: Known;
  readonly sender: () => Sender;
  readonly newMessageId: () => string;
  /** It cannot deliver, or does again. */
  readonly turned: (channel: string, delivers: boolean, text: string) => Promise<void>;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

/** Until `signal` aborts. */
export async function serveChannel(
  parts: DeliveryParts,
  channel: Channel,
  keeper: OutboxKeeper,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = parts;
  let failures = 0;
  let againAtMs = 0;
  let refreshAtMs = 0;
  let lastSaid = false; // that nothing can be kept
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    if (signal.aborted || !parts.maySend()) continue;
    try {
      await step();
    } catch (error) {
      parts.log("notify.failed", { channel: channel.name, reason: explain(error), alarm: true });
    }
  }

  async function step(): Promise<void> {
    const broken = parts.broken();
    if (broken !== "") return sayTheLast(broken);
    if (keeper.outgoing() === undefined) await compose();
    if (clock.monotonicMs() < againAtMs) return;
    const message = keeper.outgoing();
    if (message !== undefined) return attempt(() => channel.send(message), message);
    if (channel.refresh === undefined || clock.monotonicMs() < refreshAtMs) return;
    refreshAtMs = clock.monotonicMs() + channel.refresh.everyMs;
    const standing = parts.stands().filter(({ severity }) => wants(channel.rules, severity));
    if (standing.length === 0) return;
    const nowUnixMs = clock.wallUnixMs();
    const items = await Promise.all(
      standing.map((it) => itemOf(partOf(it.about, it.severity, nowUnixMs), parts.known)),
    );
    const { refresh } = channel;
    await attempt(() => refresh.send(items, parts.sender().cluster), undefined);
  }

  /** Without a store nothing can wait for its delivery, or be known to be delivered: so much is said without it, once. */
  async function sayTheLast(broken: string): Promise<void> {
    if (lastSaid || clock.monotonicMs() < againAtMs) return;
    const message = brokenMessage(parts.newMessageId(), broken, parts.sender(), clock.wallUnixMs());
    try {
      const answer = await withinTime(clock, SEND_WITHIN_MS, () => channel.send(message));
      lastSaid = true;
      parts.log("notify.delivered", { channel: channel.name, message: message.id, answer });
    } catch (error) {
      tryLater();
      parts.log("notify.refused", { channel: channel.name, message: message.id, reason: explain(error) });
    }
  }

  function tryLater(): void {
    againAtMs = clock.monotonicMs() + Math.min(AGAIN_FIRST_MS * 2 ** failures, AGAIN_AT_MOST_MS);
    failures += 1;
  }

  async function compose(): Promise<void> {
    const nowUnixMs = clock.wallUnixMs();
    const draft = nextDraft(keeper.queue(), channel.rules, parts.waits(), nowUnixMs);
    if (draft === undefined) return;
    const items = await Promise.all(draft.parts.map((part) => itemOf(part, parts.known)));
    const { told } = keeper.queue();
    const message = messageOf(parts.newMessageId(), draft, items, told, parts.sender(), nowUnixMs);
    await parts.record(keeper.compose(message, draft));
  }

  /** @param message undefined: only what stands is said again */
  async function attempt(send: () => Promise<string>, message: Message | undefined): Promise<void> {
    let answer: string;
    try {
      answer = await withinTime(clock, SEND_WITHIN_MS, send);
    } catch (error) {
      return failed(explain(error), message);
    }
    await succeeded(answer, message);
  }

  async function succeeded(answer: string, message: Message | undefined): Promise<void> {
    const { alarmed, failingSinceUnixMs } = keeper.record();
    failures = 0;
    const changes = message === undefined ? keeper.works() : keeper.delivered(clock.wallUnixMs());
    if (changes.length > 0) await parts.record(changes);
    if (message !== undefined)
      parts.log("notify.delivered", { channel: channel.name, message: message.id, answer });
    if (!alarmed) return;
    parts.log("notify.delivers-again", { channel: channel.name });
    await parts.turned(
      channel.name,
      true,
      `it delivers again, after ${minutesSince(failingSinceUnixMs)} min`,
    );
  }

  async function failed(reason: string, message: Message | undefined): Promise<void> {
    tryLater();
    parts.log("notify.refused", { channel: channel.name, message: message?.id ?? "", reason });
    const changes = keeper.fails(reason, clock.wallUnixMs());
    if (changes.length > 0) await parts.record(changes);
    const { alarmed, failingSinceUnixMs } = keeper.record();
    if (alarmed || !cannotDeliver(failingSinceUnixMs, clock.wallUnixMs())) return;
    const waiting = keeper.waiting();
    parts.log("notify.cannot-deliver", { channel: channel.name, reason, waiting, alarm: true });
    await parts.record(keeper.alarmed());
    const text = `it cannot deliver for ${minutesSince(failingSinceUnixMs)} min: ${reason}; it has yet to tell of ${waiting}`;
    await parts.turned(channel.name, false, text);
  }

  function minutesSince(unixMs: number): number {
    return Math.max(0, Math.floor((clock.wallUnixMs() - unixMs) / 60_000));
  }
}

/** @param failingSinceUnixMs 0: it does not fail */
export function cannotDeliver(failingSinceUnixMs: number, nowUnixMs: number): boolean {
  return failingSinceUnixMs > 0 && nowUnixMs - failingSinceUnixMs >= CANNOT_AFTER_MS;
}

/** @throws VigieError UNAVAILABLE where there is no answer in time */
export async function withinTime(clock: Clock, ms: number, send: () => Promise<string>): Promise<string> {
  const answered = new AbortController();
  const tooLate = clock.sleep(ms, answered.signal).then(() => {
    if (answered.signal.aborted) return "";
    throw new VigieError("UNAVAILABLE", `no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([send(), tooLate]);
  } finally {
    answered.abort();
  }
}
