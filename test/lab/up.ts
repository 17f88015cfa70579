/** Brings the lab up: from the golden state in the cache, or by making that first. */
import { mkdirSync } from "node:fs";
import { makeCluster } from "./cluster/golden-cluster.js";
import { waitForCluster } from "./cluster/readiness.js";
import { takeDown } from "./down.js";
import { alone, hold, refuseWhileHeld } from "./host/lock.js";
import { createNetwork } from "./host/network.js";
import { ensurePackages, requireLabHost } from "./host/packages.js";
import { diskFolder, LAB_NAME } from "./host/paths.js";
import { asProblem, LabProblem } from "./host/problem.js";
import { startProgress, type Progress, type Report } from "./host/progress.js";
import { requireRoomToRun } from "./host/room.js";
import { readState, writeState } from "./host/state.js";
import { wantedSuite, type Suite } from "./host/suite.js";
import { attach, type Lab, type LabNode } from "./lab.js";
import type { NodeName } from "./nodes.js";
import { ensureBaseImage } from "./recipe/base-image.js";
import { hasGolden, openCache, type Cache } from "./recipe/cache.js";
import { keepGolden, layGolden } from "./recipe/golden.js";

export interface UpOptions {
  /** The nodes' release; the host's own when absent. */
  readonly suite?: Suite;
  /** Make the golden state again, although the cache has one. */
  readonly fresh?: boolean;
  /** What needs the nodes and not Ganeti: it is done while Ganeti's daemons start. */
  readonly meanwhile?: (lab: Lab) => Promise<void>;
}

const LOCK = `/run/${LAB_NAME}.lock`;
const TESTS_LOCK = `/run/${LAB_NAME}.tests`;

/** While tests run, a node without power is a test's, and nobody else's reason to start the lab again. @returns ends it */
export function claimForTests(): () => void {
  return hold(TESTS_LOCK, RUNS_TESTS);
}

const RUNS_TESTS = "runs the lab's tests";

/**
 * A new lab, in a state that no earlier run can have touched: what runs is ended first.
 * @throws LabProblem, and nothing is left running
 */
export function bringUp(report: Report, options: UpOptions = {}): Promise<Lab> {
  return startAlone(report, (progress) => bringUpNew(progress, options.suite ?? wantedSuite(), options));
}

async function startAlone<T>(report: Report, start: (progress: Progress) => Promise<T>): Promise<T> {
  requireLabHost();
  refuseWhileHeld(TESTS_LOCK, RUNS_TESTS);
  return alone(LOCK, "brings the lab up", async () => {
    try {
      return await start(startProgress(report));
    } catch (error) {
      await takeDown();
      throw asProblem(error, "the lab's start");
    }
  });
}

async function bringUpNew(progress: Progress, suite: Suite, options: UpOptions): Promise<Lab> {
  await progress.step("packages of the host", () => ensurePackages(progress.note));
  const running = readState();
  if (running !== undefined)
    progress.note(`what is there of a lab of Debian ${running.suite} is ended first`);
  await takeDown();
  const cache = await openCache(suite);
  await ensureBaseImage(cache, progress);

  requireRoomToRun();
  const golden = hasGolden(cache) && options.fresh !== true;
  const lab = await progress.step(`nodes h1, h2 and h3, of Debian ${suite}`, () => startNodes(cache, golden));
  if (!golden) {
    await progress.step("Ganeti cluster", () => makeCluster(lab));
    await progress.step("golden state kept", () => keepGolden(lab, cache));
  }
  await Promise.all([
    progress.step("cluster answers", () => waitForCluster(lab)),
    options.meanwhile?.(lab) ?? Promise.resolve(),
  ]);
  writeState({ suite, cacheFolder: cache.folder, kernels: readState()?.kernels ?? {}, ready: true });
  return lab;
}

async function startNodes(cache: Cache, golden: boolean, names?: readonly NodeName[]): Promise<Lab> {
  writeState({ suite: cache.suite, cacheFolder: cache.folder, ready: false, kernels: {} });
  mkdirSync(diskFolder(), { recursive: true, mode: 0o700 });
  if (golden) await layGolden(cache);
  await createNetwork();
  const lab = attach(cache.folder);
  const started = lab.nodes.filter(({ name }) => names?.includes(name) ?? true);
  await Promise.all(started.map((node) => node.powerOn()));
  return lab;
}

/** One node without a cluster, from the base image: for what concerns its kernel and its tools only. */
export function bringUpBareNode(report: Report, suite: Suite): Promise<LabNode> {
  return startAlone(report, async (progress) => {
    await progress.step("packages of the host", () => ensurePackages(progress.note));
    await takeDown();
    const cache = await openCache(suite);
    await ensureBaseImage(cache, progress);
    const lab = await progress.step(`node h1, of Debian ${suite}`, () => startNodes(cache, false, ["h1"]));
    return lab.node("h1");
  });
}

/**
 * The running lab, or a new one where none is ready; `meanwhile` runs in either.
 * @throws LabProblem where one of another release runs, which somebody may need
 */
export async function openLab(options: UpOptions & { readonly report?: Report } = {}): Promise<Lab> {
  const running = runningLab();
  if (running === undefined) return bringUp(options.report ?? console.error, options);
  refuseOtherSuite(running.suite, options.suite ?? wantedSuite());
  await options.meanwhile?.(running.lab);
  return running.lab;
}

/** @returns undefined also where the state of a lab is on disk whose nodes are gone: a crash, or a host that started again */
export function runningLab(): { readonly lab: Lab; readonly suite: Suite } | undefined {
  const state = readState();
  if (state?.ready !== true) return undefined;
  const lab = attach(state.cacheFolder);
  return lab.nodes.every((node) => node.isPowered()) ? { lab, suite: state.suite } : undefined;
}

function refuseOtherSuite(runs: Suite, wanted: Suite): void {
  if (runs === wanted) return;
  throw new LabProblem(
    `a lab of Debian ${runs} runs, and one of ${wanted} is wanted`,
    "end it with npm run lab -- down, or have a second one beside it with VIGIE_LAB_NAME=another",
  );
}
