/** I22, I23, I25: no key is begun twice on a node, and nothing is begun for an epoch below one that this node has seen. */
import type { JournalRow } from "../../simulator/cluster.js";
import type { Watch } from "./judge.js";

export function watchKeys(): Watch {
  const begun = new Set<string>(); // "h1.sim.example r-…/cut-link/1"
  const highest = new Map<string, number>(); // node → epoch
  return {
    journaled: (node, row) => {
      const epoch = epochOf(row);
      const seen = highest.get(node) ?? 0;
      highest.set(node, Math.max(seen, epoch));
      if (row.kind !== "intent") return [];
      const key = `${node} ${row.key}`;
      const again = begun.has(key);
      begun.add(key);
      return [
        ...(again ? [`I23: begun twice: ${key}`] : []),
        ...(epoch < seen ? [`I25: ${key} was begun for epoch ${epoch}, and ${seen} was seen`] : []),
      ];
    },
  };
}

function epochOf(row: JournalRow): number {
  if (row.kind === "epoch") return row.epoch;
  if (row.kind !== "intent") return 0;
  const { epoch } = row.detail as { readonly epoch?: number };
  return epoch ?? 0;
}
