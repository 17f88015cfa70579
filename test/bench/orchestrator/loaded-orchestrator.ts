/**
 * What a thousand nodes cost the orchestrator: the real program and a real store, a thousand sessions over mTLS, a
 * thousand reports a second, each folded, judged, kept and acknowledged.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { benchAuthority } from "../certificates.js";
import type { Part } from "../part.js";
import { corePercent, cpuTime, memory } from "../process-cost.js";
import { MINORS_PER_NODE, NODES } from "./big-cluster.js";
import type { FromGenerator, ToGenerator } from "./generator-messages.js";
import { startOrchestrator } from "./real-orchestrator.js";

const SETTLE_S = 10; // the first full reports of all, the join, the epoch

export const orchestratorPart: Part = {
  name: "orchestrator",
  runs: 3,
  run: async ({ seconds, nodeFlags }, note) => {
    const folder = mkdtempSync(join(tmpdir(), "vigie-bench-"));
    const authority = await benchAuthority();
    const orchestrator = await startOrchestrator(folder, authority, nodeFlags);
    const generator = fork(join(import.meta.dirname, "generator.ts"), { execArgv: ["--import", "tsx"] });
    try {
      tell(generator, { say: "connect", port: orchestrator.port, authority: authority.keys });
      const connected = await answer(generator, "connected");
      await sleep(SETTLE_S * 1000);
      const before = [cpuTime(orchestrator.pid), cpuTime(generator.pid ?? 0)] as const;
      tell(generator, { say: "measure", seconds });
      const acks = await answer(generator, "measured");
      const after = [cpuTime(orchestrator.pid), cpuTime(generator.pid ?? 0)] as const;
      const generated = corePercent(before[1], after[1]).toFixed(0);
      note(
        `${NODES} agents of ${MINORS_PER_NODE} minors connected in ${connected.seconds.toFixed(1)} s; ` +
          `${acks.reports} reports in ${seconds} s, ${acks.unanswered} on their way, ${acks.sessionsLost} sessions lost; ` +
          `Ack p50 ${acks.p50Ms.toFixed(1)} ms, max ${acks.maxMs.toFixed(0)} ms; ` +
          `${memory(orchestrator.pid).rssMib.toFixed(0)} MiB RSS; the generator took ${generated} % of a core`,
      );
      if (acks.reports < 0.98 * NODES * seconds)
        throw new Error(`only ${acks.reports} reports of ${NODES * seconds} were acknowledged`);
      return { orchestrator_core_percent: corePercent(before[0], after[0]), ack_p99_ms: acks.p99Ms };
    } finally {
      generator.kill("SIGKILL");
      await orchestrator.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function tell(generator: ChildProcess, message: ToGenerator): void {
  generator.send(message);
}

/** @throws Error when the generator ends before it answers */
function answer<S extends FromGenerator["say"]>(
  generator: ChildProcess,
  say: S,
): Promise<Extract<FromGenerator, { say: S }>> {
  return new Promise((resolve, reject) => {
    generator.once("exit", (code) => reject(new Error(`the generator ended with ${code} before it ${say}`)));
    generator.on("message", (message: FromGenerator) => {
      if (message.say === say) resolve(message as Extract<FromGenerator, { say: S }>);
    });
  });
}
