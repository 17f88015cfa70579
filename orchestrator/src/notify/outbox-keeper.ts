/** One channel's part of the outbox, in memory as it is in the store: each change gives what is to be written. */
import type { Message } from "@vigie/proto";
import type { ChannelRecord, Notice, Outbox, OutboxChange, Told } from "../store/outbox.js";
import { partsOf, type Draft, type Queue } from "./grouping.js";
import { afterMessage } from "./outgoing.js";

const HOUR_MS = 3_600_000;

export interface OutboxKeeper {
  readonly queue: () => Queue;
  /** The message that goes out next; undefined: there is none. */
  readonly outgoing: () => Message | undefined;
  readonly record: () => ChannelRecord;
  /** Incidents, runs and channels that it has yet to tell of. */
  readonly waiting: () => number;
  readonly add: (notice: Notice) => OutboxChange[];
  /** What it has yet to tell of this, and has not put into a message. */
  readonly withdraw: (about: string) => OutboxChange[];
  readonly compose: (message: Message, draft: Draft) => OutboxChange[];
  readonly delivered: (unixMs: number) => OutboxChange[];
  readonly works: () => OutboxChange[];
  readonly fails: (reason: string, unixMs: number) => OutboxChange[];
  readonly alarmed: () => OutboxChange[];
}

export function createOutboxKeeper(name: string, stored: Outbox): OutboxKeeper {
  const own = <T extends { readonly channel: string }>(all: readonly T[]): T[] =>
    all.filter(({ channel }) => channel === name);
  let notices = own(stored.notices);
  let messages = own(stored.messages).map(({ message }) => message);
  let composed = own(stored.composed).map(({ unixMs }) => unixMs);
  const told = new Map<string, Told>(own(stored.told).map((it) => [it.about, it]));
  let record = stored.channels.find((it) => it.name === name) ?? newRecord(name);

  return {
    queue: () => ({ notices, told, composed }),
    outgoing: () => messages[0],
    record: () => record,
    waiting: () =>
      new Set([
        ...partsOf(notices).map(({ about }) => about),
        ...messages.flatMap(({ items }) => items.map(({ about }) => about)),
      ]).size,
    add: (notice) => {
      notices = [...notices, notice];
      return [{ record: "notice", notice }];
    },
    withdraw: (about) => {
      const ids = notices.filter((it) => it.about === about).map(({ id }) => id);
      notices = notices.filter((it) => it.about !== about);
      return ids.length === 0 ? [] : [{ record: "notices-withdrawn", ids }];
    },
    compose: (message, draft) => {
      const taken = new Set(draft.taken);
      const after = afterMessage(name, message, draft.parts, told);
      notices = notices.filter(({ id }) => !taken.has(id));
      messages = [...messages, message];
      composed = [...composed.filter((unixMs) => message.unixMs - unixMs < HOUR_MS), message.unixMs];
      for (const it of after.told) told.set(it.about, it);
      for (const about of after.over) told.delete(about);
      return [{ record: "message", outgoing: { channel: name, message }, taken: draft.taken, ...after }];
    },
    delivered: (unixMs) => {
      const [first, ...rest] = messages;
      messages = rest;
      const done: OutboxChange[] =
        first === undefined ? [] : [{ record: "delivered", messageId: first.id, unixMs }];
      return [...done, ...put({ ...newRecord(name), deliveredUnixMs: unixMs })];
    },
    works: () =>
      record.failingSinceUnixMs === 0
        ? []
        : put({ ...newRecord(name), deliveredUnixMs: record.deliveredUnixMs }),
    fails: (reason, unixMs) => {
      const failingSinceUnixMs = record.failingSinceUnixMs === 0 ? unixMs : record.failingSinceUnixMs;
      const known = record.failingSinceUnixMs !== 0 && record.reason === reason;
      return known ? [] : put({ ...record, failingSinceUnixMs, reason });
    },
    alarmed: () => put({ ...record, alarmed: true }),
  };

  function put(next: ChannelRecord): OutboxChange[] {
    record = next;
    return [{ record: "channel", channel: next }];
  }
}

function newRecord(name: string): ChannelRecord {
  return { name, deliveredUnixMs: 0, failingSinceUnixMs: 0, reason: "", alarmed: false };
}
