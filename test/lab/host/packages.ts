/** What the lab needs of the host, all of it Debian's. Installed when missing, and said. The kernel comes with the nodes. */
import { existsSync } from "node:fs";
import { aptFailures } from "./apt-failures.js";
import { runHost } from "./exec.js";
import { explaining, LabProblem } from "./problem.js";
import type { Report } from "./progress.js";
import { needsWideRegisters } from "./wide-registers.js";

const PACKAGES = [
  "mmdebstrap",
  "e2fsprogs",
  "iproute2",
  "openssh-client",
  "mount",
  "util-linux",
  "debian-archive-keyring",
];
const COMPILER = ["gcc", "libc6-dev"]; // for wide-registers.c, on CPUs that need it

const APT_TIMEOUT_MS = 300_000;
const APT = { timeoutMs: APT_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
const INSTALL = [
  "apt-get",
  "install",
  "-y",
  "-qq",
  "--no-install-recommends",
  "-o",
  "DPkg::Lock::Timeout=120",
];

/** Why the lab cannot run here, and what to do about it; or undefined. Looks only; changes nothing. */
export function labObstacle(): string | undefined {
  return obstacle()?.message;
}

/** @throws LabProblem where the lab cannot run */
export function requireLabHost(): void {
  const problem = obstacle();
  if (problem !== undefined) throw problem;
}

function obstacle(): LabProblem | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return new LabProblem("the lab's user-mode kernels need Linux on an x86-64 machine", "run it on one");
  if (!existsSync("/usr/bin/apt-get"))
    return new LabProblem(
      "the lab needs Debian's packages, and there is no apt-get",
      "run it on Debian 12 or 13",
    );
  if (process.getuid?.() !== 0)
    return new LabProblem("the lab needs root, for network namespaces and taps", "run it as root");
  if (!existsSync("/dev/net/tun"))
    return new LabProblem(
      "the lab needs /dev/net/tun",
      "load it with modprobe tun, or give it to the container",
    );
  return undefined;
}

/**
 * Install the Debian packages that the lab runs on, if any is missing.
 *
 * @returns the packages that were installed, none when all were there
 * @throws LabProblem when they cannot be
 */
export async function ensurePackages(report: Report): Promise<readonly string[]> {
  const wanted = needsWideRegisters() && !existsSync("/usr/bin/gcc") ? [...PACKAGES, ...COMPILER] : PACKAGES;
  const missing: string[] = [];
  for (const name of wanted) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return [];
  report(`installing Debian packages: ${missing.join(" ")}`);
  await refreshPackageLists();
  await apt([...INSTALL, ...missing], `${missing.join(", ")} could not be installed`);
  return missing;
}

export async function refreshPackageLists(): Promise<void> {
  await apt(["apt-get", "update", "-qq"], "the package lists could not be fetched");
}

async function apt(argv: readonly string[], problem: string): Promise<void> {
  const otherwise = { problem, remedy: `mend what apt says, and try again` };
  await explaining(aptFailures(), otherwise, () => runHost(argv, APT));
}

async function isInstalled(name: string): Promise<boolean> {
  const argv = ["dpkg-query", "-W", "-f", "${db:Status-Status}", name];
  return (await runHost(argv, { allowFailure: true })).stdout === "installed";
}
