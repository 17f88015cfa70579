/** The cache of one recipe: its root image, its keys and the golden state of its cluster. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../host/exec.js";
import { cacheRoot, REPOSITORY } from "../host/paths.js";
import type { NodeName } from "../nodes.js";
import { recipeHash } from "./recipe-hash.js";

export interface Cache {
  readonly folder: string;
  readonly baseImage: string;
  readonly keyFile: string;
  readonly goldenDisk: (node: NodeName) => string;
  readonly goldenMark: string; // there when every golden disk is whole
}

/** The locked dependency `node`, whose single file runs inside the nodes too. */
export const NODE_BINARY = join(REPOSITORY, "node_modules/node/bin/node");

export async function openCache(): Promise<Cache> {
  if (!existsSync(NODE_BINARY)) throw new Error(`${NODE_BINARY} is missing: run npm ci first`);
  const hash = await recipeHash(NODE_BINARY);
  const folder = join(cacheRoot(), hash);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const cache: Cache = {
    folder,
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

/** Other recipes' images: several hundred MB each, and nothing boots them again. */
export function dropOtherRecipes(cache: Cache): void {
  const root = cacheRoot();
  for (const name of readdirSync(root)) {
    const folder = join(root, name);
    if (/^[0-9a-f]{12}$/.test(name) && folder !== cache.folder)
      rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKey(keyFile: string): Promise<void> {
  await runHost(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "vigie-lab", "-f", keyFile]);
}
