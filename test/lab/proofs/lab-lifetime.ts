/** One lab for all proofs: the running one, or one that is brought up before the first and taken down after the last. */
import { spawnSync } from "node:child_process";
import { claimForTests, labObstacle, openLab, runningLab, takeDown, wantedSuite } from "../index.js";
import { REPOSITORY } from "../host/paths.js";

const say = (line: string): void => console.log(line);

export async function setup(): Promise<() => Promise<void>> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    say(`the proofs on real kernels are skipped: ${obstacle}`);
    return async () => undefined;
  }
  const release = claimForTests();
  const wasUp = runningLab() !== undefined;
  if (!wasUp) process.once("exit", takeDownAtExit);
  const suite = wantedSuite();
  say(`the proofs run on nodes of Debian ${suite}`);
  await openLab({ suite, report: say });
  return async () => {
    process.off("exit", takeDownAtExit);
    if (!wasUp) await takeDown();
    release();
  };
}

/** Interrupted, vitest ends without a word to us: nothing may be left running (Ctrl-C). */
function takeDownAtExit(): void {
  say("interrupted: taking the lab down");
  spawnSync("npm", ["run", "-s", "lab", "--", "down"], { cwd: REPOSITORY, stdio: "ignore" });
}
