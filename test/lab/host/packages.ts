/** What the lab needs of the host, all of it Debian's. Installed when missing, and said. */
import { existsSync } from "node:fs";
import { runHost } from "./exec.js";
import type { Report } from "./progress.js";
import { needsWideRegisters } from "./wide-registers.js";

const PACKAGES = ["user-mode-linux", "mmdebstrap", "e2fsprogs", "iproute2", "openssh-client", "util-linux"];
const COMPILER = ["gcc", "libc6-dev"]; // for wide-registers.c, on CPUs that need it

const APT_TIMEOUT_MS = 300_000;
const APT = { timeoutMs: APT_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };

/** Why the lab cannot run here, or undefined. Looks only; changes nothing. */
export function labObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "the lab needs root, for network namespaces and taps";
  if (process.arch !== "x64") return "the lab needs an x86-64 machine, for the user-mode kernel";
  if (!existsSync("/usr/bin/apt-get")) return "the lab needs Debian, for its packages";
  if (!existsSync("/dev/net/tun")) return "the lab needs /dev/net/tun";
  return undefined;
}

/**
 * Install the Debian packages that the lab runs on, if any is missing.
 *
 * @returns the packages that were installed, none when all were there
 */
export async function ensurePackages(report: Report): Promise<readonly string[]> {
  const wanted = needsWideRegisters() && !existsSync("/usr/bin/gcc") ? [...PACKAGES, ...COMPILER] : PACKAGES;
  const missing: string[] = [];
  for (const name of wanted) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return [];
  report(`installing Debian packages: ${missing.join(" ")}`);
  await refreshPackageLists();
  await runHost(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing], APT);
  return missing;
}

export async function refreshPackageLists(): Promise<void> {
  await runHost(["apt-get", "update", "-qq"], APT);
}

async function isInstalled(name: string): Promise<boolean> {
  const argv = ["dpkg-query", "-W", "-f", "${db:Status-Status}", name];
  return (await runHost(argv, { allowFailure: true })).stdout === "installed";
}

/** The installed version, which tells golden states of different kernels apart. */
export async function packageVersion(name: string): Promise<string> {
  return (await runHost(["dpkg-query", "-W", "-f", "${Version}", name])).stdout;
}
