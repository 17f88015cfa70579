/** Brings the lab up: from the golden state in the cache, or by making that first. */
import { mkdirSync } from "node:fs";
import { makeCluster } from "./cluster/golden-cluster.js";
import { waitForCluster } from "./cluster/readiness.js";
import { takeDown } from "./down.js";
import { createNetwork } from "./host/network.js";
import { ensurePackages, labObstacle } from "./host/packages.js";
import { diskFolder } from "./host/paths.js";
import { startProgress, type Report } from "./host/progress.js";
import { readState, writeState } from "./host/state.js";
import { attach, type Lab } from "./lab.js";
import { ensureBaseImage } from "./recipe/base-image.js";
import { hasGolden, openCache, type Cache } from "./recipe/cache.js";
import { keepGolden, layGolden } from "./recipe/golden.js";

export interface UpOptions {
  /** Make the golden state again, although the cache has one. */
  readonly fresh?: boolean;
  /** What needs the nodes and not Ganeti: it is done while Ganeti's daemons start. */
  readonly meanwhile?: (lab: Lab) => Promise<void>;
}

/**
 * A new lab, in a state that no earlier run can have touched: what runs is ended first.
 */
export async function bringUp(report: Report, options: UpOptions = {}): Promise<Lab> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const progress = startProgress(report);
  await takeDown();
  await progress.step("packages of the host", () => ensurePackages(progress.note));
  const cache = await openCache();
  await ensureBaseImage(cache, progress);

  const golden = hasGolden(cache) && options.fresh !== true;
  const lab = await progress.step("nodes h1, h2 and h3", () => startNodes(cache, golden));
  if (!golden) {
    await progress.step("Ganeti cluster", () => makeCluster(lab));
    await progress.step("golden state kept", () => keepGolden(lab, cache));
  }
  await Promise.all([
    progress.step("cluster answers", () => waitForCluster(lab)),
    options.meanwhile?.(lab) ?? Promise.resolve(),
  ]);
  writeState({ cacheFolder: cache.folder, kernels: readState()?.kernels ?? {}, ready: true });
  return lab;
}

async function startNodes(cache: Cache, golden: boolean): Promise<Lab> {
  writeState({ cacheFolder: cache.folder, ready: false, kernels: {} });
  mkdirSync(diskFolder(), { recursive: true, mode: 0o700 });
  if (golden) await layGolden(cache);
  await createNetwork();
  const lab = attach(cache.folder);
  await Promise.all(lab.nodes.map((node) => node.powerOn()));
  return lab;
}

/** The running lab, or a new one where none is ready; `meanwhile` runs in either. */
export async function openLab(options: UpOptions & { readonly report?: Report } = {}): Promise<Lab> {
  const state = readState();
  if (state?.ready === true) {
    const lab = attach(state.cacheFolder);
    if (lab.nodes.every((node) => node.isPowered())) {
      await options.meanwhile?.(lab);
      return lab;
    }
  }
  return bringUp(options.report ?? console.error, options);
}
