/** One simulated agent: the real agent's own connection, with its own certificate, and a report each second. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Dial, SessionLink } from "@vigie/agent";
import type { SessionRequest, SessionResponse } from "@vigie/proto";
import { MASTER } from "./real-orchestrator.js";
import type { SimulatedNode } from "./simulated-node.js";

const REPORT_EVERY_MS = 1_000;
const REDIAL_MS = 2_000;

export interface SimulatedAgent {
  /** Resolves with the first Ack. */
  readonly acknowledged: Promise<void>;
  /** Milliseconds from a report's sending to its Ack, of the Acks that came since the last call. */
  readonly takeLatencies: () => number[];
  readonly unanswered: () => number;
  readonly sessionsLost: () => number;
}

/** Dials, and dials again, as long as the process lives. */
export function runAgent(node: SimulatedNode, dial: Dial): SimulatedAgent {
  const first = Promise.withResolvers<void>();
  let sentAtMs = new Map<number, number>();
  let latenciesMs: number[] = [];
  let lost = 0;
  void live();
  return {
    acknowledged: first.promise,
    takeLatencies: () => {
      const taken = latenciesMs;
      latenciesMs = [];
      return taken;
    },
    unanswered: () => sentAtMs.size,
    sessionsLost: () => lost,
  };

  async function live(): Promise<never> {
    for (;;) {
      const link = await dial(MASTER).catch(() => undefined);
      if (link !== undefined) await session(link);
      lost += 1;
      await sleep(REDIAL_MS);
    }
  }

  async function session(link: SessionLink): Promise<void> {
    const state = { open: true, epoch: 0 };
    sentAtMs = new Map();
    link.send(hello(node.name));
    void reportEverySecond(link, state);
    try {
      for await (const message of link.messages) take(message, state);
    } catch {
      // It is dialled again, as the agent does.
    }
    state.open = false;
    link.close();
  }

  async function reportEverySecond(
    link: SessionLink,
    state: { readonly open: boolean; readonly epoch: number },
  ): Promise<void> {
    const begunMs = performance.now() - Math.random() * REPORT_EVERY_MS; // a thousand do not come as one
    for (let second = 0; ; second += 1) {
      if (second > 0) await sleep(Math.max(0, begunMs + (second + 1) * REPORT_EVERY_MS - performance.now()));
      if (!state.open) return;
      const value = node.report(second + 1, state.epoch);
      sentAtMs.set(value.sequence, performance.now());
      link.send({ body: { $case: "report", value } });
    }
  }

  function take({ body }: SessionResponse, state: { epoch: number }): void {
    if (body?.$case === "lead") state.epoch = body.value.epoch;
    if (body?.$case !== "ack") return;
    const sent = sentAtMs.get(body.value.sequence);
    sentAtMs.delete(body.value.sequence);
    if (sent !== undefined) latenciesMs.push(performance.now() - sent);
    first.resolve();
  }
}

function hello(node: string): SessionRequest {
  const value = {
    protocolVersion: 2,
    node,
    bootId: "b9f0a1c2-0000-4000-8000-000000000001",
    agentVersion: "bench",
    highestEpoch: 0,
    journalHead: "0".repeat(64),
    masterNode: MASTER,
    readOnly: false,
    readOnlyReason: "",
    stop: undefined,
    maintenance: undefined,
  };
  return { body: { $case: "hello", value } };
}
