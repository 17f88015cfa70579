/** The bundled orchestrator as a process of its own, on loopback, with a store of its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tlsTable, type BenchAuthority } from "../certificates.js";
import { start, type Child } from "../child.js";
import { bundleOf, freePort, NODE, unitSettings } from "../programs.js";

/** The node that it runs on: Ganeti's master, by a name that every machine resolves to itself. */
export const MASTER = "localhost";

export interface RunningOrchestrator extends Child {
  readonly port: number;
}

/** @param folder an empty one of its own */
export async function startOrchestrator(
  folder: string,
  authority: BenchAuthority,
  nodeFlags: readonly string[] = [],
): Promise<RunningOrchestrator> {
  mkdirSync(folder, { recursive: true });
  await authority.writeFiles(folder, "orchestrator", MASTER);
  const port = await freePort();
  const config = join(folder, "orchestrator.toml");
  const state = `listen = "127.0.0.1:${port}"\nstate_dir = "${join(folder, "state")}"\n`;
  writeFileSync(config, `${state}${tlsTable(folder, "orchestrator")}`);
  const { flags, environment } = unitSettings("orchestrator");
  const child = start([NODE, ...flags, ...nodeFlags, bundleOf("orchestrator"), config], environment, folder);
  await child.logged("orchestrator.listen", 20);
  return { ...child, port };
}
