/** What is running, on disk, so that another command, or the next one after a crash, can find and end it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { NodeName } from "../nodes.js";
import { RUN_DIR, STATE_FILE } from "./paths.js";
import { LabProblem } from "./problem.js";
import type { ProcessIdentity } from "./process-identity.js";
import type { Suite } from "./suite.js";

export interface LabState {
  readonly suite: Suite; // the nodes' release
  readonly cacheFolder: string;
  readonly ready: boolean; // the cluster answered; false while it comes up
  readonly kernels: Readonly<Partial<Record<NodeName, ProcessIdentity>>>;
}

/** @returns undefined when no lab was started, or when an earlier one left nothing that can be read */
export function readState(): LabState | undefined {
  try {
    return JSON.parse(readFileSync(STATE_FILE, "utf8")) as LabState;
  } catch {
    return undefined;
  }
}

export function writeState(state: LabState): void {
  mkdirSync(RUN_DIR, { recursive: true, mode: 0o700 });
  const unfinished = `${STATE_FILE}.new`;
  writeFileSync(unfinished, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(unfinished, STATE_FILE);
}

export function recordKernel(name: NodeName, kernel: ProcessIdentity): void {
  const state = readState();
  if (state === undefined) throw new LabProblem("the lab was taken down while it started", "start it again");
  writeState({ ...state, kernels: { ...state.kernels, [name]: kernel } });
}
