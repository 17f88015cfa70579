/** What a person should know before a node goes away: whoever needs it still. It hinders nothing. */
import { DiskState, Source } from "@vigie/proto";
import { resourceName } from "../detect/evidence.js";
import { locksOf } from "../engine/locks.js";
import { nodesIn } from "../policy/lock-names.js";
import type { Orchestrator } from "../orchestrator.js";
import { endViews, type EndView } from "../view/end-view.js";
import { factsOf } from "../view/node-view.js";

const NAMED = 3;

type Parts = Pick<Orchestrator, "clock" | "executor" | "keeper">;

export function maintenanceWarnings({ clock, executor, keeper }: Parts, node: string): string[] {
  const view = keeper.view();
  const nowMs = clock.monotonicMs();
  const guests = (factsOf(view.nodes.get(node), Source.GUESTS, "guests")?.guests ?? []).map(
    (it) => it.instance,
  );
  const needed = (view.resourcesByNode.get(node) ?? []).filter((resource) => {
    const ends = endViews(view, resource, nowMs);
    return resource.instance !== "" && !ends.every(({ inactive }) => inactive) && !isGoodBeside(ends, node);
  });
  const runs = locksOf(executor.atWork(), clock.wallUnixMs()).filter(({ name }) =>
    nodesIn([name]).includes(node),
  );
  return [
    ...(view.ssconf?.masterNode === node
      ? [`${node} is the master: first gnt-cluster master-failover, on another node`]
      : []),
    ...(guests.length === 0
      ? []
      : [`${list(guests)} ${guests.length === 1 ? "runs" : "run"} there: gnt-node migrate ${node}`]),
    ...(needed.length === 0
      ? []
      : [
          `without ${node} there is no copy that is known to be UpToDate of ${list(needed.map(resourceName))}`,
        ]),
    ...[...new Set(runs.map(({ runId }) => runId))].map(
      (runId) => `${runId} is at work there, and goes on: vigie run show ${runId}`,
    ),
  ];
}

function isGoodBeside(ends: readonly EndView[], node: string): boolean {
  return ends.some(
    ({ end, unknown, drbd }) => end.node !== node && unknown === "" && drbd?.disk === DiskState.UP_TO_DATE,
  );
}

function list(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}
