/**
 * The demonstration where the lab cannot run: the same agent and orchestrator code, in real time, on a simulated
 * three-node cluster, with the API on a loopback port so that `vigie` itself is shown.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createAuthority,
  createService,
  issueCertificate,
  listen,
  runCli,
  toJson,
} from "@vigie/orchestrator";
import { realClock } from "@vigie/proto";
import { startProgress } from "../lab/host/progress.js";
import { createSimCluster, type SimCluster } from "../simulator/cluster.js";
import { startResync } from "../simulator/drbd-model.js";
import { createTimeline, type WatchedEvent } from "./timeline.js";

const SETTLE_MS = 4_000;
const RESYNCING_MS = 2_000;
const HEAL_WITHIN_MS = 60_000;
const OUT_OF_SYNC_KIB = 24_000;

/** @returns whether the heal was seen */
export async function demonstrateSimulated(print: (line: string) => void): Promise<boolean> {
  const progress = startProgress(print);
  const cluster = await createSimCluster(realClock);
  try {
    const vigie = await serve(cluster);
    await progress.step("three simulated nodes, their agents, and the orchestrator", () =>
      realClock.sleep(SETTLE_MS),
    );
    const timeline = createTimeline(print);
    cluster.orchestrator().subscribe((event) => timeline.take(toJson(event) as unknown as WatchedEvent));
    await progress.step("a resync begins, and its data packets are lost from now on", () => stall(cluster));
    print("\nNobody is at the keyboard. Seconds since the resync last moved:\n");
    const endMs = realClock.monotonicMs() + HEAL_WITHIN_MS;
    while (!timeline.healed() && !timeline.gaveUp() && realClock.monotonicMs() < endMs)
      await realClock.sleep(100);
    print("\n$ vigie status");
    await vigie.run(["status"]);
    await vigie.end();
    print(
      timeline.healed()
        ? "Healed. This was a simulation; on Debian, as root, the same runs on real kernels."
        : "The heal was not seen.",
    );
    return timeline.healed();
  } finally {
    cluster.end();
  }
}

async function stall({ world }: SimCluster): Promise<void> {
  const [disk] = world.disks;
  if (disk === undefined) throw new Error("the simulated cluster has no disk");
  startResync(disk, OUT_OF_SYNC_KIB);
  await realClock.sleep(RESYNCING_MS);
  disk.blackhole = "this-connection";
}

/** The API on a loopback port, and the command line that asks it. */
async function serve(cluster: SimCluster) {
  const folder = mkdtempSync(join(tmpdir(), "vigie-demo-"));
  const authority = await createAuthority();
  const own = await issueCertificate(authority, { role: "orchestrator", name: "localhost", days: 1 });
  const person = await issueCertificate(authority, { role: "admin", name: "you", days: 1 });
  const orchestrator = cluster.orchestrator();
  const server = await listen(orchestrator, createService(orchestrator), "127.0.0.1:0", {
    ca: Buffer.from(authority.certificatePem),
    certificate: Buffer.from(own.certificatePem),
    key: Buffer.from(own.keyPem),
  });
  writeFileSync(join(folder, "ca.pem"), authority.certificatePem);
  writeFileSync(join(folder, "you.pem"), person.certificatePem);
  writeFileSync(join(folder, "you.key"), person.keyPem, { mode: 0o600 });
  const config = join(folder, "vigie.toml");
  writeFileSync(
    config,
    `server = "localhost:${server.port}"\nca = "ca.pem"\ncertificate = "you.pem"\nkey = "you.key"\n`,
  );
  return {
    run: (argv: string[]) =>
      runCli([...argv, "--config", config], {
        stdout: process.stdout,
        stderr: process.stderr,
        stdin: process.stdin,
        env: process.env,
        isTTY: process.stdout.isTTY,
        columns: process.stdout.columns,
        now: Date.now,
      }),
    end: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
