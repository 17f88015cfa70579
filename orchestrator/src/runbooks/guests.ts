/** Where guests run, by their hypervisors and not by Ganeti's configuration. */
import type { ClusterView } from "../view/cluster-view.js";
import { GUESTS_FRESH_MS } from "../view/fresh-facts.js";
import { runsOn } from "../view/guest-runs.js";

export interface WhereItRuns {
  readonly on: readonly string[]; // nodes that say that it runs there
  readonly unknown: readonly string[]; // of `asked`, those that do not say, or not now
}

/** @param asked nodes whose word is wanted; another one that says that it runs there counts too */
export function whereItRuns(
  view: ClusterView,
  instance: string,
  asked: readonly string[],
  nowMs: number,
): WhereItRuns {
  const nodes = [...view.nodes.values()];
  const on = nodes.filter((node) => runsOn(node, instance, -Infinity) === "yes").map(({ name }) => name);
  const unknown = asked.filter(
    (name) => runsOn(view.nodes.get(name), instance, nowMs - GUESTS_FRESH_MS) === "unknown",
  );
  return { on: on.toSorted(), unknown };
}

/** "it runs on h1", "it runs on no node", "h2 does not tell whether it runs there". */
export function whereText(instance: string, { on, unknown }: WhereItRuns): string {
  const where = on.length === 0 ? "on no node that tells" : `on ${on.join(" and ")}`;
  const rest = unknown.length === 0 ? "" : `; ${unknown.join(" and ")} does not tell`;
  return `${instance} runs ${where}${rest}`;
}
