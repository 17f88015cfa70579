/** One seed's world while it is played: everything that disturbs, judges and acts as a person holds this. */
import type { SimCluster } from "../simulator/cluster.js";
import type { VirtualClock } from "../simulator/virtual-clock.js";
import type { World } from "../simulator/world.js";
import type { Exposure } from "./exposure.js";
import type { Faults } from "./faults.js";
import type { Judge } from "./judge/judge.js";
import type { Mutant } from "./mutants/mutant.js";
import type { Random } from "./random.js";
import type { Runs } from "./runs.js";

export interface Scene {
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
  readonly world: World;
  readonly faults: Faults;
  readonly judge: Judge;
  readonly exposure: Exposure;
  readonly runs: Runs;
  /** Into the seed's own log. */
  readonly tell: (line: string) => void;
  /** What ends each disturbance that lasts, when the storm is over. */
  readonly healers: Set<() => void>;
  /** The bug that is planted; HEALTHY: none. */
  readonly mutant: Mutant;
}

/** "h1" */
export function short(name: string): string {
  return name.split(".")[0] ?? name;
}
