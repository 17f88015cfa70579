/** Lets the user-mode kernel run on CPUs with larger register areas. The reason is in wide-registers.c. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { runHost } from "./exec.js";
import { cacheRoot } from "./paths.js";

const SOURCE = join(import.meta.dirname, "wide-registers.c");

/** AMX is what makes the area larger than the 2696 bytes that fit AVX-512 and protection keys. */
export function needsWideRegisters(): boolean {
  return /^flags\s*:.*\bamx_tile\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

/** @returns the environment in which the user-mode kernel is started, as words for env(1) */
export async function kernelEnvironment(): Promise<readonly string[]> {
  if (!needsWideRegisters()) return [];
  const version = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 8);
  const library = join(cacheRoot(), `wide-registers-${version}.so`);
  if (!existsSync(library)) await compile(library);
  return [`LD_PRELOAD=${library}`];
}

async function compile(library: string): Promise<void> {
  mkdirSync(dirname(library), { recursive: true });
  const unfinished = `${library}.${randomUUID()}`;
  await runHost(["gcc", "-O2", "-shared", "-fPIC", "-o", unfinished, SOURCE]);
  renameSync(unfinished, library);
}
