/** The image that all nodes start from. Built once a recipe, then only read. */
import { existsSync, mkdtempSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../host/exec.js";
import type { Progress } from "../host/progress.js";
import { NODE_BINARY, type Cache } from "./cache.js";
import { bootstrap, furnish } from "./root-file-system.js";

const SIZE = "2600M";
const MKE2FS_TIMEOUT_MS = 120_000;

export async function ensureBaseImage(cache: Cache, progress: Progress): Promise<void> {
  if (existsSync(cache.baseImage)) return;
  await removeUnfinished(cache);
  const folder = mkdtempSync(join(cache.folder, "root-"));
  try {
    await progress.step("root file system: Debian packages", () => bootstrap(folder));
    await progress.step("root file system: image", async () => {
      await furnish(folder, { keyFile: cache.keyFile, nodeBinary: NODE_BINARY });
      const unfinished = `${folder}.img`;
      const argv = ["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", folder, unfinished, SIZE];
      await runHost(argv, { timeoutMs: MKE2FS_TIMEOUT_MS });
      renameSync(unfinished, cache.baseImage);
    });
  } finally {
    await removeUnfinished(cache);
  }
}

/** What an interrupted build left. A folder with something mounted in it is left alone, and said. */
async function removeUnfinished(cache: Cache): Promise<void> {
  const mounts = readFileSync("/proc/mounts", "utf8");
  if (mounts.includes(`${cache.folder}/root-`)) throw new Error(`something is mounted under ${cache.folder}`);
  await runHost(["find", cache.folder, "-maxdepth", "1", "-name", "root-*", "-exec", "rm", "-rf", "{}", "+"]);
}
