/** I33: once a person was told that everything is stopped, or this run, nothing more of it is sent until a person lets it go. */
import type { ActionRequest } from "@vigie/proto";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

/** They take back, and do nothing new. */
const TAKES_BACK: ReadonlySet<string> = new Set(["restoreDrbdLink", "continueWatcher"]);

export function watchStop(exposure: Exposure): Watch {
  let stopped = false;
  const held = new Map<string, "paused" | "ended">(); // by run
  return {
    confirmed: ({ what, runId }) => {
      if (what === "stopped" || what === "paused") exposure.count("stops and pauses confirmed");
      if (what === "stopped") stopped = true;
      if (what === "released") stopped = false;
      if (what === "paused" || what === "ended") held.set(runId, what);
      if (what === "resumed") held.delete(runId);
      if (what === "aborted" && held.get(runId) === "paused") held.delete(runId); // its undo is what was asked for
    },
    sent: (request, from) => {
      if (request.recall || takesBack(request)) return [];
      const how = held.get(request.runId);
      const what = `${request.stepId} of ${request.runId} from ${from}`;
      return [
        ...(stopped ? [`I33: sent after a confirmed stop: ${what}`] : []),
        ...(how === undefined ? [] : [`I33: sent after its run was ${how}: ${what}`]),
      ];
    },
  };
}

export function takesBack({ action }: ActionRequest): boolean {
  return TAKES_BACK.has(action?.kind?.$case ?? "");
}
