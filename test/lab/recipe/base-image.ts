/** The image that all nodes start from. Built once a recipe, then only read. */
import { existsSync, mkdtempSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../host/exec.js";
import { alone } from "../host/lock.js";
import { LabProblem } from "../host/problem.js";
import type { Progress } from "../host/progress.js";
import { requireRoomToBuild } from "../host/room.js";
import { NODE_BINARY, type Cache } from "./cache.js";
import { moveKernel } from "./kernel-root.js";
import { bootstrap, furnish } from "./root-file-system.js";

const SIZE = "2600M";
const MKE2FS_TIMEOUT_MS = 120_000;

export async function ensureBaseImage(cache: Cache, progress: Progress): Promise<void> {
  if (existsSync(cache.baseImage)) return;
  requireRoomToBuild(cache.folder);
  await alone(join(cache.folder, "building"), `builds the nodes of Debian ${cache.suite}`, () =>
    build(cache, progress),
  );
}

async function build(cache: Cache, progress: Progress): Promise<void> {
  await removeUnfinished(cache);
  const folder = mkdtempSync(join(cache.folder, "root-"));
  try {
    await progress.step(`root file system: packages of Debian ${cache.suite}`, () =>
      bootstrap(folder, cache.suite),
    );
    await progress.step("root file system: image", async () => {
      await moveKernel(folder, cache.kernelRoot);
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
  if (mounts.includes(`${cache.folder}/root-`))
    throw new LabProblem(`something is mounted under ${cache.folder}`, "unmount it and try again");
  await runHost(["find", cache.folder, "-maxdepth", "1", "-name", "root-*", "-exec", "rm", "-rf", "{}", "+"]);
}
