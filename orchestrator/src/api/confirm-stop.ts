/**
 * Whether a stop holds whatever becomes of the master (I33): it is on this orchestrator's disk, this orchestrator leads,
 * and most nodes say that it is on theirs. A master that none of these nodes tells of it could go on; and so does Ganeti
 * with a job that is in its queue.
 */
import type { SetKillSwitchResponse } from "@vigie/proto";
import { ownJobs } from "../engine/run-log.js";
import type { Orchestrator } from "../orchestrator.js";
import { isWanted, unawareOf } from "./unaware.js";

type Parts = Pick<Orchestrator, "clock" | "executor" | "keeper" | "killSwitch" | "leader">;

/** Waits until all nodes have it, or for 3 s. */
export async function confirmStop(parts: Parts): Promise<SetKillSwitchResponse> {
  const { keeper, killSwitch, leader } = parts;
  const { number } = killSwitch.newest();
  const unawareNodes = await unawareOf(parts, ({ stopNumber }) => stopNumber >= number);
  const { ssconf } = keeper.view();
  const wanted = (ssconf?.nodeList ?? []).filter((name) => isWanted(ssconf, name));
  const most = unawareNodes.length * 2 < wanted.length;
  const queued = queuedJobs(parts);
  const unconfirmedReason = [
    ...(leader.epoch() > 0 ? [] : [`this orchestrator does not lead: ${leader.status().reason}`]),
    ...(most
      ? []
      : [`only ${wanted.length - unawareNodes.length} of ${wanted.length} nodes say that they have it`]),
    ...queued.map(
      (id) => `job ${id} may still wait in Ganeti's queue, and begins by itself: gnt-job cancel ${id}`,
    ),
  ].join("; ");
  const stopped = killSwitch.stopped() !== "";
  return { stopped, confirmed: unconfirmedReason === "", unconfirmedReason, unawareNodes };
}

/** Jobs of open runs that Ganeti has not begun, as far as that is known: no stop of ours holds them. */
function queuedJobs({ executor, keeper }: Parts): number[] {
  const view = keeper.view();
  const known = view.nodes.get(view.ssconf?.masterNode ?? view.ownNode)?.jobs;
  return executor
    .open()
    .flatMap(({ plan, events }) => (plan === undefined ? [] : ownJobs(plan, events)))
    .map(({ jobId }) => jobId)
    .filter((id) => !BEGUN.has(known?.get(id)?.value.status ?? "not known"));
}

const BEGUN: ReadonlySet<string> = new Set(["running", "canceling", "success", "error", "canceled", "lost"]);
