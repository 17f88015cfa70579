/** I5, I6, I30: no forced verb, nobody makes a Primary, one job for one step. */
import { forced, jobsTwice } from "../../simulator/invariants.js";
import type { World } from "../../simulator/world.js";
import type { Watch } from "./judge.js";

export function watchForms(world: World): Watch {
  return { runs: forced, look: () => jobsTwice(world) };
}
