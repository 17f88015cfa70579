/**
 * Whether a stop holds whatever becomes of the master (I33): it is on this orchestrator's disk, this orchestrator leads,
 * and most nodes say that it is on theirs. A master that none of these nodes tells of it could go on.
 */
import type { SetKillSwitchResponse } from "@vigie/proto";
import type { Orchestrator } from "../orchestrator.js";
import { isWanted, unawareOf } from "./unaware.js";

type Parts = Pick<Orchestrator, "clock" | "keeper" | "killSwitch" | "leader">;

/** Waits until all nodes have it, or for 3 s. */
export async function confirmStop(parts: Parts): Promise<SetKillSwitchResponse> {
  const { keeper, killSwitch, leader } = parts;
  const { number } = killSwitch.newest();
  const unawareNodes = await unawareOf(parts, ({ stopNumber }) => stopNumber >= number);
  const { ssconf } = keeper.view();
  const wanted = (ssconf?.nodeList ?? []).filter((name) => isWanted(ssconf, name));
  const most = unawareNodes.length * 2 < wanted.length;
  const unconfirmedReason = [
    ...(leader.epoch() > 0 ? [] : [`this orchestrator does not lead: ${leader.status().reason}`]),
    ...(most
      ? []
      : [`only ${wanted.length - unawareNodes.length} of ${wanted.length} nodes say that they have it`]),
  ].join("; ");
  const stopped = killSwitch.stopped() !== "";
  return { stopped, confirmed: unconfirmedReason === "", unconfirmedReason, unawareNodes };
}
