/** A network of its own, with a firewall of its own, as the agent's Host: what the real tools do there touches nothing else. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@vigie/proto";
import type { Host } from "../../agent/src/host.js";
import { runCommand } from "../../agent/src/run-command.js";
import { errno, fakeHost } from "../../agent/src/sources/testing.js";

export type Backend = "legacy" | "nft";

const TOOLS = ["iptables", "ip6tables"].flatMap((tool) => [tool, `${tool}-save`, `${tool}-restore`]);
const NEEDED = ["iptables-legacy", "iptables-nft", "netfilter-persistent"].map((tool) => `/usr/sbin/${tool}`);

/** Why no namespace can be made here; empty: one can. */
export function whyNot(): string {
  if (process.getuid?.() !== 0) return "needs root";
  const missing = NEEDED.filter((path) => !existsSync(path));
  return missing.length === 0 ? "" : `needs ${missing.join(", ")}`;
}

export interface Namespace {
  readonly host: Host;
  /** @throws Error with what it printed, where it fails */
  readonly sh: (script: string) => string;
  /** A program of Node.js's, which ends with the namespace. */
  readonly node: (program: string) => ChildProcess;
  readonly end: () => void;
}

/** @param etcIptables the folder that netfilter-persistent keeps the rules in; it outlives the namespace */
export function createNamespace(backend: Backend, etcIptables: string): Namespace {
  const alternatives = mkdtempSync(join(tmpdir(), "vigie-alternatives-"));
  cpSync("/etc/alternatives", alternatives, { recursive: true, verbatimSymlinks: true });
  for (const tool of TOOLS) {
    rmSync(join(alternatives, tool), { force: true });
    symlinkSync(`/usr/sbin/${tool.replace("tables", `tables-${backend}`)}`, join(alternatives, tool));
  }
  const holder = spawn("unshare", ["--net", "--mount", "--propagation", "private", "sleep", "600"]);
  const enter = ["--target", String(holder.pid), "--net", "--mount", "--"];
  until(() => ownNetwork(holder.pid));
  const sh = (script: string): string =>
    execFileSync("nsenter", [...enter, "sh", "-ec", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  sh(
    `mount --bind ${alternatives} /etc/alternatives; mkdir -p /etc/iptables; mount --bind ${etcIptables} /etc/iptables`,
  );
  sh("ip link set lo up; ip address add 10.0.0.1/32 dev lo; ip address add 10.0.0.2/32 dev lo");
  const children: ChildProcess[] = [];
  return { host: hostIn(enter, sh), sh, node, end };

  function node(program: string): ChildProcess {
    const child = spawn("nsenter", [...enter, process.execPath, "-e", program]);
    children.push(child);
    return child;
  }

  function end(): void {
    for (const child of children) child.kill("SIGKILL");
    holder.kill("SIGKILL");
    rmSync(alternatives, { recursive: true, force: true });
  }
}

/** The agent's own runner, with its own environment (I36). */
function hostIn(enter: readonly string[], sh: (script: string) => string): Host {
  const asFile = (script: string, path: string): string => {
    try {
      return sh(script);
    } catch {
      throw Object.assign(errno("ENOENT"), { path });
    }
  };
  return {
    ...fakeHost({}),
    ...realClock,
    readFile: async (path) => asFile(`cat '${path}'`, path),
    listFolder: async (path) =>
      asFile(`ls '${path}'`, path)
        .split("\n")
        .filter((name) => name !== ""),
    writeFile: async (path, text) => void asFile(`test -e '${path}'; echo '${text}' > '${path}'`, path),
    run: (command) => {
      const args = [...enter, command.file, ...command.args];
      return runCommand({ ...command, file: "/usr/bin/nsenter", args }, realClock.monotonicMs);
    },
  };
}

function ownNetwork(pid: number | undefined): boolean {
  const of = (who: string): string => execFileSync("readlink", [`/proc/${who}/ns/net`], { encoding: "utf8" });
  try {
    return of(String(pid)) !== of("self");
  } catch {
    return false;
  }
}

function until(holds: () => boolean): void {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) execFileSync("sleep", ["0.01"]);
}
