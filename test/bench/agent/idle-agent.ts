/** What an idle agent costs: the real program, 128 minors, a real session, and nothing to do but look every second. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchAuthority, tlsTable } from "../certificates.js";
import { startOrchestrator } from "../orchestrator/real-orchestrator.js";
import type { Measured } from "../figures.js";
import type { BenchOptions, Part } from "../part.js";
import { corePercent, cpuTime, memory } from "../process-cost.js";
import { moveCounters, NODE_NAME, writeFakeNode } from "./fake-node.js";
import { jailObstacle, startJailedAgent } from "./jail.js";

const SETTLE_S = 5; // the start, the first full report

export const agentPart: Part = {
  name: "agent",
  runs: 1,
  obstacle: jailObstacle,
  run: async (options, note) => {
    const folder = mkdtempSync(join(tmpdir(), "vigie-bench-"));
    const authority = await benchAuthority();
    const root = join(folder, "root");
    writeFakeNode(root);
    const orchestrator = await startOrchestrator(join(folder, "orchestrator"), authority);
    mkdirSync(join(root, "etc/vigie/tls"), { recursive: true });
    await authority.writeFiles(join(root, "etc/vigie/tls"), "agent", NODE_NAME);
    writeFileSync(
      join(root, "etc/vigie/agent.toml"),
      `orchestrator_port = ${orchestrator.port}\n${tlsTable("/etc/vigie/tls", "agent")}`,
    );
    const agent = startJailedAgent(root, "/etc/vigie/agent.toml", options.nodeFlags);
    let second = 0;
    const ticking = setInterval(() => moveCounters(root, (second += 1)), 1_000);
    try {
      await agent.logged("session.open", 20);
      return await watch(agent.pid, options, note);
    } finally {
      clearInterval(ticking);
      await agent.stop();
      await orchestrator.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function watch(
  pid: number,
  { minutes }: BenchOptions,
  note: (text: string) => void,
): Promise<Measured> {
  await seconds(SETTLE_S);
  const before = cpuTime(pid);
  await seconds(minutes * 60);
  const after = cpuTime(pid);
  const { rssMib, anonymousMib } = memory(pid);
  const tools = corePercent(before, after, "childrenS").toFixed(2);
  note(`${minutes} min; the tools that it ran (stand-ins that print a file) took ${tools} % more`);
  return {
    agent_cpu_percent: corePercent(before, after),
    agent_rss_mib: rssMib,
    agent_anon_mib: anonymousMib,
  };
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
