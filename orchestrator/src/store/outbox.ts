/**
 * What people are to be told: a row a channel and thing that happened, written in the same commit as what happened, until
 * a message has taken it; and the message, until it was delivered. So a crash at any moment loses nothing, and at most
 * sends one message twice, under the same id.
 */
import type { Message, NoticeCause, Severity } from "@vigie/proto";

/** Something that one channel has yet to tell of. */
export interface Notice {
  readonly id: string; // "n-…"
  readonly channel: string;
  readonly unixMs: number;
  readonly cause: NoticeCause;
  readonly about: string; // Incident.id, Run.id, or another channel's name
  readonly severity: Severity;
  readonly text: string; // where what it is about does not say it; usually empty
}

/** A message that was put together and not delivered yet. */
export interface Outgoing {
  readonly channel: string;
  readonly message: Message;
}

/** That a channel has told of something which is not over. */
export interface Told {
  readonly channel: string;
  readonly about: string;
  readonly unixMs: number; // the last time
  readonly thread: string; // Message.id of the first
}

/** How a channel does, beyond a restart. */
export interface ChannelRecord {
  readonly name: string;
  readonly deliveredUnixMs: number; // 0: never
  readonly failingSinceUnixMs: number; // 0: it works
  readonly reason: string; // why not
  readonly alarmed: boolean; // it was said elsewhere that it fails
}

export type OutboxChange =
  | { readonly record: "notice"; readonly notice: Notice }
  | { readonly record: "notices-withdrawn"; readonly ids: readonly string[] } // Notice.id: not to be told any more
  | {
      readonly record: "message";
      readonly outgoing: Outgoing;
      readonly taken: readonly string[]; // Notice.id, of which it tells
      readonly told: readonly Told[];
      readonly over: readonly string[]; // about, of which nothing more is told
    }
  | { readonly record: "delivered"; readonly messageId: string; readonly unixMs: number }
  | { readonly record: "channel"; readonly channel: ChannelRecord }
  | { readonly record: "channel-forgotten"; readonly name: string }; // and all that it had to tell

export interface Outbox {
  readonly notices: readonly Notice[]; // oldest first
  readonly messages: readonly Outgoing[]; // oldest first
  readonly told: readonly Told[];
  readonly channels: readonly ChannelRecord[];
  readonly composed: readonly { readonly channel: string; readonly unixMs: number }[];
}
