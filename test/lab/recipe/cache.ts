/** The cache of one recipe: its root image, its keys and the golden state of its cluster. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../host/exec.js";
import { cacheRoot, kernelRootIn, REPOSITORY } from "../host/paths.js";
import { LabProblem } from "../host/problem.js";
import type { Suite } from "../host/suite.js";
import type { NodeName } from "../nodes.js";
import { recipeHash } from "./recipe-hash.js";

export interface Cache {
  readonly suite: Suite;
  readonly folder: string;
  readonly kernelRoot: string; // a folder
  readonly baseImage: string;
  readonly keyFile: string;
  readonly goldenDisk: (node: NodeName) => string;
  readonly goldenMark: string; // there when every golden disk is whole
}

/** The locked dependency `node`, whose single file runs inside the nodes too. */
export const NODE_BINARY = join(REPOSITORY, "node_modules/node/bin/node");

export async function openCache(suite: Suite): Promise<Cache> {
  if (!existsSync(NODE_BINARY)) throw new LabProblem(`${NODE_BINARY} is missing`, "run npm ci first");
  const hash = recipeHash(suite, NODE_BINARY);
  const folder = join(cacheRoot(), hash);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const cache: Cache = {
    suite,
    folder,
    kernelRoot: kernelRootIn(folder),
    baseImage: join(folder, "base.img"),
    keyFile: join(folder, "id_rsa"),
    goldenDisk: (node) => join(folder, `${node}.golden`),
    goldenMark: join(folder, "golden"),
  };
  if (!existsSync(cache.keyFile)) await makeKey(cache.keyFile);
  return cache;
}

export function hasGolden(cache: Cache): boolean {
  return existsSync(cache.goldenMark);
}

const UNUSED_DAYS = 7;

/** Note that this recipe's golden state is in use, and drop those that nobody booted for a week. */
export function ageCache(cache: Cache): void {
  writeFileSync(cache.goldenMark, "");
  const root = cacheRoot();
  const oldest = Date.now() - UNUSED_DAYS * 86_400_000;
  for (const name of readdirSync(root)) {
    if (!/^[0-9a-f]{12}$/.test(name)) continue;
    const folder = join(root, name);
    const mark = statSync(join(folder, "golden"), { throwIfNoEntry: false }) ?? statSync(folder);
    if (mark.mtimeMs < oldest) rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKey(keyFile: string): Promise<void> {
  await runHost(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "vigie-lab", "-f", keyFile]);
}
