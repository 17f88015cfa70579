/** One lab for all proofs: the running one, or one that is brought up before the first and taken down after the last. */
import { labObstacle, openLab, takeDown } from "../index.js";
import { readState } from "../host/state.js";

const say = (line: string): void => console.log(line);

export async function setup(): Promise<() => Promise<void>> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    say(`the proofs on real kernels are skipped: ${obstacle}`);
    return async () => undefined;
  }
  const wasUp = readState()?.ready === true;
  await openLab({ report: say });
  return wasUp ? async () => undefined : takeDown;
}
