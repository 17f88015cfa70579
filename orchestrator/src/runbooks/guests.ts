/** Where guests run, by their hypervisors and not by Ganeti's configuration. */
import { Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { FRESH_MS } from "../view/end-view.js";
import { factsOf } from "../view/node-view.js";

/** Guests are read every 10 s, and reported when they changed. */
const GUESTS_FRESH_MS = 20_000 + FRESH_MS;

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
  const on: string[] = [];
  for (const node of view.nodes.values()) {
    const guests = factsOf(node, Source.GUESTS, "guests")?.guests ?? [];
    if (guests.some((guest) => guest.instance === instance)) on.push(node.name);
  }
  const unknown = asked.filter((name) => {
    const node = view.nodes.get(name);
    const readAtMs = node?.sources.get(Source.GUESTS)?.readAtMs;
    const told = factsOf(node, Source.GUESTS, "guests") !== undefined && readAtMs !== undefined;
    return !told || nowMs - readAtMs > GUESTS_FRESH_MS;
  });
  return { on: on.toSorted(), unknown };
}

/** "it runs on h1", "it runs on no node", "h2 does not tell whether it runs there". */
export function whereText(instance: string, { on, unknown }: WhereItRuns): string {
  const where = on.length === 0 ? "on no node that tells" : `on ${on.join(" and ")}`;
  const rest = unknown.length === 0 ? "" : `; ${unknown.join(" and ")} does not tell`;
  return `${instance} runs ${where}${rest}`;
}
