/** The programs as they are installed: the bundles, run by the project's own Node.js as the systemd units say. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

export const REPOSITORY = join(import.meta.dirname, "..", "..");
export const NODE = join(REPOSITORY, "node_modules/node/bin/node");

const BUNDLES = {
  agent: "agent/dist/agent.cjs",
  orchestrator: "orchestrator/dist/orchestrator.cjs",
} as const;

export type Program = keyof typeof BUNDLES;

export async function bundlePrograms(): Promise<void> {
  await promisify(execFile)(process.execPath, ["--import", "tsx", join(REPOSITORY, "deploy/bundle.ts")], {
    cwd: REPOSITORY,
  });
}

export function bundleOf(program: Program): string {
  return join(REPOSITORY, BUNDLES[program]);
}

export interface UnitSettings {
  readonly flags: readonly string[]; // of Node.js
  readonly environment: Readonly<Record<string, string>>;
}

/** What the program's systemd unit runs it with. */
export function unitSettings(program: Program): UnitSettings {
  const unit = readFileSync(join(REPOSITORY, `deploy/systemd/vigie-${program}.service`), "utf8");
  const start = /^ExecStart=\S+(?<words>.*)$/m.exec(unit)?.groups?.["words"] ?? "";
  const environment = [...unit.matchAll(/^Environment=(?<name>\w+)=(?<value>\S*)$/gm)];
  return {
    flags: start.split(" ").filter((word) => word.startsWith("--")),
    environment: Object.fromEntries(
      environment.map(({ groups }) => [groups?.["name"] ?? "", groups?.["value"] ?? ""]),
    ),
  };
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
