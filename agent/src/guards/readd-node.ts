/** May this node be readded? Only one that Ganeti has, and not the master that runs it. */
import type { GanetiNode, GuardFact } from "@vigie/proto";
import { fact, unknownFact } from "./fact.js";

/** @param node by Ganeti, now; a text: nobody can say; undefined: it has none of this name */
export function judgeReadd(
  name: string,
  masterName: string,
  node: Pick<GanetiNode, "role"> | string | undefined,
): GuardFact[] {
  if (typeof node === "string") return [unknownFact("Ganeti's nodes", node)];
  return [
    fact(name, node === undefined ? "not known to Ganeti" : `of role ${node.role}`, node !== undefined, ""),
    fact("the master", masterName, masterName !== name, ""),
  ];
}
