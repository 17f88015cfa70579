/** The process that plays all agents: connects them, lets them report, and measures when its parent says so. */
import { setTimeout as sleep } from "node:timers/promises";
import { createDial } from "@vigie/agent";
import { issueCertificate, type KeyPair } from "@vigie/orchestrator";
import type { TlsFiles } from "@vigie/proto";
import { quantile } from "../figures.js";
import { NODE_NAMES } from "./big-cluster.js";
import type { AckTimes, FromGenerator, ToGenerator } from "./generator-messages.js";
import { runAgent, type SimulatedAgent } from "./simulated-agent.js";
import { simulatedNode } from "./simulated-node.js";

const AT_ONCE = 16; // agents that have no Ack yet
const agents: SimulatedAgent[] = [];

process.on("message", (message: ToGenerator) => void obey(message));
process.on("disconnect", () => process.exit(0));

async function obey(message: ToGenerator): Promise<void> {
  if (message.say === "connect") {
    answer({ say: "connected", seconds: await connect(message.port, message.authority) });
  } else {
    answer({ say: "measured", ...(await measure(message.seconds)) });
  }
}

function answer(message: FromGenerator): void {
  process.send?.(message);
}

async function connect(port: number, authority: KeyPair): Promise<number> {
  const tls = await Promise.all(NODE_NAMES.map((name) => tlsOf(authority, name)));
  const begunMs = performance.now();
  const waiting = [...tls.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, files] = next;
      const agent = runAgent(
        simulatedNode(index),
        createDial(
          () => port,
          () => files,
        ),
      );
      agents.push(agent);
      await agent.acknowledged;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (performance.now() - begunMs) / 1000;
}

async function tlsOf(authority: KeyPair, name: string): Promise<TlsFiles> {
  const { certificatePem, keyPem } = await issueCertificate(authority, { role: "agent", name, days: 2 });
  return {
    ca: Buffer.from(authority.certificatePem),
    certificate: Buffer.from(certificatePem),
    key: Buffer.from(keyPem),
  };
}

async function measure(seconds: number): Promise<AckTimes> {
  const lostBefore = sum((agent) => agent.sessionsLost());
  for (const agent of agents) agent.takeLatencies();
  await sleep(seconds * 1000);
  const latenciesMs = agents.flatMap((agent) => agent.takeLatencies());
  return {
    reports: latenciesMs.length,
    unanswered: sum((agent) => agent.unanswered()),
    sessionsLost: sum((agent) => agent.sessionsLost()) - lostBefore,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    maxMs: quantile(latenciesMs, 1),
  };
}

function sum(of: (agent: SimulatedAgent) => number): number {
  return agents.reduce((total, agent) => total + of(agent), 0);
}
