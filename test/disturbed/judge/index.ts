/** The table of what is watched: an invariant is its file and its line here, and a planted bug in mutants/ that it catches. */
import type { Plan, RunEvent } from "@vigie/proto";
import type { SimCluster } from "../../simulator/cluster.js";
import type { Exposure } from "../exposure.js";
import type { Faults } from "../faults.js";
import { watchApprovals } from "./approvals.js";
import { watchArrivals } from "./arrivals.js";
import { watchCopies } from "./copies.js";
import { watchCuts } from "./cuts.js";
import { watchFlags } from "./flags.js";
import { watchForms } from "./forms.js";
import { watchGuests } from "./guests.js";
import { watchHbal } from "./hbal.js";
import type { Watch } from "./judge.js";
import { watchKeys } from "./keys.js";
import { watchLeading } from "./leading.js";
import { watchLocks } from "./locks.js";
import { watchLosses } from "./losses.js";
import { watchNodeStop } from "./node-stop.js";
import { watchPremises } from "./premises.js";
import { watchRebuilt } from "./rebuilt.js";
import { watchSilence } from "./silence.js";
import { watchStop } from "./stop.js";
import { watchWaits } from "./waits.js";

/** What is known of a run, as its rows told it. */
export interface RunKnown {
  readonly plan: (runId: string) => Plan | undefined;
  readonly rows: (runId: string) => readonly RunEvent[];
}

export function allWatches(
  cluster: SimCluster,
  known: RunKnown,
  exposure: Exposure,
  faults: Faults,
): Watch[] {
  const { world } = cluster;
  const { plan, rows } = known;
  const arrivals = watchArrivals(world);
  return [
    arrivals,
    watchStop(exposure),
    watchNodeStop(cluster, faults),
    watchLeading(world),
    watchKeys(world, rows, exposure),
    watchPremises(cluster, plan, exposure),
    watchCopies(world, exposure),
    watchGuests(world, exposure),
    watchLosses(cluster, plan, exposure),
    watchSilence(cluster, plan, exposure),
    watchFlags(world, plan, arrivals, exposure),
    watchRebuilt(world, plan, arrivals),
    watchHbal(cluster, known, exposure, faults),
    watchLocks(plan, rows, exposure),
    watchApprovals(world, rows),
    watchCuts(cluster, exposure),
    watchForms(world),
    watchWaits(cluster),
  ];
}
