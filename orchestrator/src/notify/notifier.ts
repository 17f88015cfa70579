/**
 * Tells people who are not looking. It stands between those who write and the store: whatever is news of a change gets its
 * rows in the same commit, one a channel; each channel then delivers by itself. Only who leads speaks, or who is master and
 * finds nobody to lead: a cluster that has lost its majority is what people must hear of first.
 */
import {
  IncidentState,
  explain,
  NoticeCause,
  Severity,
  VigieError,
  type ChannelStatus,
  type ChannelTest,
  type Clock,
  type Incident,
  type Run,
} from "@vigie/proto";
import type { Notice } from "../store/outbox.js";
import type { Change, Store } from "../store/store.js";
import type { Channel } from "./channel.js";
import { cannotDeliver, serveChannel, withinTime, type DeliveryParts } from "./delivery.js";
import { partsOf } from "./grouping.js";
import { createNoticing } from "./noticing.js";
import { whatStands, whatWaits, type News } from "./notice.js";
import { isQuiet } from "../wording/quiet.js";
import { createOutboxKeeper, type OutboxKeeper } from "./outbox-keeper.js";
import { testMessage, type Known, type Sender } from "./outgoing.js";
import { wants } from "./schedule.js";

const HOUR_MS = 3_600_000;
const TEST_WITHIN_MS = 8_000; // the command line waits ten

export interface NotifierParts {
  readonly clock: Clock;
  readonly store: Pick<Store, "outbox" | "incidents" | "incidentsById" | "runs" | "runsById">;
  readonly channels: readonly Channel[];
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly maySend: () => boolean;
  readonly broken: () => string; // why nothing can be kept; empty: it can
  readonly openIncidents: () => readonly Incident[];
  readonly openRuns: () => readonly Run[];
  readonly sender: () => Sender;
  readonly newId: (prefix: "n" | "m") => string;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Notifier {
  /** The changes, and the rows of what of them is to be told. */
  readonly withNotices: (changes: readonly Change[]) => readonly Change[];
  readonly status: () => ChannelStatus[];
  /**
   * Sends a test message now.
   * @param name empty: through each channel
   * @throws VigieError NOT_FOUND where there is no such channel, or none at all
   */
  readonly test: (name: string) => Promise<ChannelTest[]>;
  /** Delivers, until `signal` aborts. */
  readonly start: (signal: AbortSignal) => void;
}

interface Served {
  readonly channel: Channel;
  readonly keeper: OutboxKeeper;
}

export async function createNotifier(parts: NotifierParts): Promise<Notifier> {
  const { clock, store, channels } = parts;
  const outbox = await store.outbox(clock.wallUnixMs() - HOUR_MS);
  const served = channels.map((channel) => ({ channel, keeper: createOutboxKeeper(channel.name, outbox) }));
  let made = 0; // of notices: hundreds may be of one millisecond, and two of one name would break the commit
  const noticing = createNoticing(await store.incidents(false, Infinity), await openRuns(store));
  const known: Known = {
    incident: async (id) =>
      parts.openIncidents().find((it) => it.id === id) ??
      (await store.incidentsById(id)).find((it) => it.id === id),
    run: async (id) =>
      parts.openRuns().find((it) => it.id === id) ?? (await store.runsById(id)).find((it) => it.id === id),
  };
  return { withNotices, status, test, start };

  function withNotices(changes: readonly Change[]): readonly Change[] {
    const news = noticing.take(changes);
    const withdrawn = changes.flatMap(withdrawalsFor);
    if ((news.length === 0 && withdrawn.length === 0) || served.length === 0) return changes;
    return [...changes, ...withdrawn, ...news.flatMap((it) => served.flatMap((to) => noticeFor(to, it, "")))];
  }

  /** What was about to be told of an incident that has become quiet, or was over by itself before anybody heard of it. */
  function withdrawalsFor(change: Change): readonly Change[] {
    if (change.record !== "incident") return [];
    const { id, state, runId } = change.incident;
    if (isQuiet(change.incident)) return served.flatMap(({ keeper }) => keeper.withdraw(id));
    if (state !== IncidentState.CLOSED || runId !== "") return []; // what was healed is told
    return served.flatMap(({ keeper }) => (keeper.queue().told.has(id) ? [] : keeper.withdraw(id)));
  }

  function noticeFor({ channel, keeper }: Served, news: News, text: string): readonly Change[] {
    if (!isFor(channel, keeper, news)) return [];
    const notice: Notice = {
      ...news,
      id: `${parts.newId("n")}-${(made += 1)}`,
      channel: channel.name,
      unixMs: clock.wallUnixMs(),
      text,
    };
    return keeper.add(notice);
  }

  /** That something is over is for who heard of it, or is about to. */
  function isFor({ rules }: Channel, keeper: OutboxKeeper, { cause, about, severity }: News): boolean {
    if (cause !== NoticeCause.CLOSED) return wants(rules, severity);
    const { told, notices } = keeper.queue();
    return told.has(about) || partsOf(notices).some((it) => it.about === about);
  }

  function start(signal: AbortSignal): void {
    forgetOthers().catch((error: unknown) =>
      parts.log("notify.failed", { reason: explain(error), alarm: true }),
    );
    const delivery: DeliveryParts = {
      clock,
      record: parts.record,
      maySend: parts.maySend,
      broken: parts.broken,
      waits: () => whatWaits(parts.openIncidents(), parts.openRuns()),
      stands: () => whatStands(parts.openIncidents(), parts.openRuns()),
      known,
      sender: parts.sender,
      newMessageId: () => parts.newId("m"),
      turned,
      log: parts.log,
    };
    for (const { channel, keeper } of served) void serveChannel(delivery, channel, keeper, signal);
  }

  /** Said by the others: who reads only the one that fails hears nothing. */
  async function turned(name: string, delivers: boolean, text: string): Promise<void> {
    const cause = delivers ? NoticeCause.CHANNEL_DELIVERS : NoticeCause.CHANNEL_FAILS;
    const news = { cause, about: `channel ${name}`, severity: Severity.CRITICAL };
    const others = served.filter(({ channel }) => channel.name !== name);
    await parts.record(others.flatMap((it) => noticeFor(it, news, text)));
  }

  function status(): ChannelStatus[] {
    return served.map(({ channel: { name, type }, keeper }) => {
      const { deliveredUnixMs, failingSinceUnixMs, reason } = keeper.record();
      const cannot = cannotDeliver(failingSinceUnixMs, clock.wallUnixMs());
      return {
        name,
        type,
        deliveredUnixMs,
        waiting: keeper.waiting(),
        failingSinceUnixMs,
        reason,
        cannotDeliver: cannot,
      };
    });
  }

  async function test(name: string): Promise<ChannelTest[]> {
    const wanted = channels.filter((it) => name === "" || it.name === name);
    if (wanted.length === 0) throw new VigieError("NOT_FOUND", noChannel(name));
    return Promise.all(wanted.map(testOne));
  }

  function noChannel(name: string): string {
    if (channels.length === 0)
      return "nobody is notified: there is no [[notify]] block in orchestrator.toml of this orchestrator";
    return `there is no channel ${name}; there are: ${channels.map((it) => it.name).join(", ")}`;
  }

  async function testOne(channel: Channel): Promise<ChannelTest> {
    const { name, type } = channel;
    const message = testMessage(parts.newId("m"), parts.sender(), clock.wallUnixMs());
    try {
      const answer = await withinTime(clock, TEST_WITHIN_MS, () => channel.send(message));
      return { name, type, delivered: true, answer };
    } catch (error) {
      return { name, type, delivered: false, answer: explain(error) };
    }
  }

  /** A channel that is configured no more cannot deliver what it had to: that is said, once, and not kept for ever. */
  async function forgetOthers(): Promise<void> {
    const rows = [...outbox.notices, ...outbox.messages, ...outbox.told];
    const names = new Set([...rows.map(({ channel }) => channel), ...outbox.channels.map((it) => it.name)]);
    const gone = [...names].filter((name) => !channels.some((it) => it.name === name));
    for (const name of gone) {
      const undelivered = createOutboxKeeper(name, outbox).waiting();
      parts.log("notify.channel-forgotten", { channel: name, undelivered, alarm: undelivered > 0 });
    }
    if (gone.length > 0) await parts.record(gone.map((name) => ({ record: "channel-forgotten", name })));
  }
}

async function openRuns(store: Pick<Store, "runs" | "runsById">): Promise<Run[]> {
  const open = await store.runs(true, Infinity);
  return (await Promise.all(open.map(({ id }) => store.runsById(id)))).flat();
}
