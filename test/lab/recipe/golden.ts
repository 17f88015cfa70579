/**
 * The golden state: each node's changed blocks with a working cluster on them. It is copied while the
 * nodes run, with their file systems frozen, so the run that makes it need not start twice.
 */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../host/exec.js";
import { diskFolder } from "../host/paths.js";
import type { Lab, LabNode } from "../lab.js";
import { NODES } from "../nodes.js";
import { ageCache, type Cache } from "./cache.js";

/** The second line thaws it should this program die: a frozen root stops the whole node. */
const FREEZE = `sync
(sleep 30; fsfreeze --unfreeze /) >/dev/null 2>&1 </dev/null &
fsfreeze --freeze /`;

export async function keepGolden(lab: Lab, cache: Cache): Promise<void> {
  rmSync(cache.goldenMark, { force: true });
  await Promise.all(lab.nodes.map((node) => keepDisk(node, cache)));
  ageCache(cache);
}

async function keepDisk(node: LabNode, cache: Cache): Promise<void> {
  const unfinished = `${cache.goldenDisk(node.name)}.new`;
  await node.run(FREEZE);
  try {
    await copySparsely(join(diskFolder(), `${node.name}.cow`), unfinished);
  } finally {
    await node.run("fsfreeze --unfreeze /");
  }
  renameSync(unfinished, cache.goldenDisk(node.name));
}

/** Give each node of a new lab its own copy to change. */
export async function layGolden(cache: Cache): Promise<void> {
  const copy = (node: (typeof NODES)[number]): Promise<void> =>
    copySparsely(cache.goldenDisk(node.name), join(diskFolder(), `${node.name}.cow`));
  await Promise.all(NODES.map(copy));
  ageCache(cache);
}

async function copySparsely(from: string, to: string): Promise<void> {
  await runHost(["cp", "--sparse=always", from, to], { timeoutMs: 120_000 });
}
