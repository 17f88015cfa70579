/** A channel whose receiver is in memory: it takes a message, refuses it, or does not answer. */
import type { Channel } from "@vigie/orchestrator";
import { Severity, type Message } from "@vigie/proto";

export interface FakeChannel {
  readonly channel: Channel;
  readonly received: Message[];
  /** What comes of the next messages. "lost": it is taken, and the answer does not come back. */
  answers: "takes" | "refuses" | "lost";
}

const RULES = {
  minSeverity: Severity.WARNING,
  groupWaitMs: 30_000,
  repeatMs: 30 * 60_000,
  maxPerHour: 12,
  quiet: [],
};

export function fakeChannel(name: string, rules: Partial<Channel["rules"]> = {}): FakeChannel {
  const fake: FakeChannel = {
    received: [],
    answers: "takes",
    channel: {
      name,
      type: "webhook",
      rules: { ...RULES, ...rules },
      send: async (message) => {
        if (fake.answers === "refuses") throw new Error("the receiver is down");
        fake.received.push(message);
        return fake.answers === "lost" ? new Promise(() => undefined) : "ok";
      },
    },
  };
  return fake;
}
