/** A way to reach people. One file each in channels/; it keeps nothing, and decides nothing. */
import type { Message, MessageItem } from "@vigie/proto";
import type { Rules } from "./schedule.js";

export interface Channel {
  readonly name: string;
  readonly type: "webhook" | "mail" | "alertmanager";
  readonly rules: Rules;
  /**
   * @returns the receiver's answer, one line for people; it has taken the message
   * @throws Error with why not: it is sent again later, so a receiver may get it twice, under the same id
   */
  readonly send: (message: Message) => Promise<string>;
  /** For a receiver that must hear again and again what stands. */
  readonly refresh?: Refresh;
}

export interface Refresh {
  readonly everyMs: number;
  /** @throws Error as `send` does */
  readonly send: (standing: readonly MessageItem[], cluster: string) => Promise<string>;
}
