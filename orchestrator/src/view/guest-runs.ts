/**
 * Whether a guest runs on a node, by what that node's hypervisor said. One question for rules, plans and premises: what
 * was not read, or was not understood of this guest, is not "no" (I11).
 */
import { Source } from "@vigie/proto";
import { factsOf, type NodeView } from "./node-view.js";

export type Runs = "yes" | "no" | "unknown";

/** @param readSinceMs monotonic: an older reading says nothing */
export function runsOn(node: NodeView | undefined, guest: string, readSinceMs: number): Runs {
  const known = node?.sources.get(Source.GUESTS);
  const facts = factsOf(node, Source.GUESTS, "guests");
  if (known === undefined || facts === undefined || known.readAtMs < readSinceMs) return "unknown";
  if (facts.guests.some(({ instance }) => instance === guest)) return "yes";
  const isOdd = known.report.damaged.some(({ object }) => object === guest || object === "");
  return isOdd ? "unknown" : "no";
}
