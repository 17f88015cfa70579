/** Which volumes a node has, by its own LVM; looked up once a node, for a plan may ask of each of 2,000 disks. */
import { Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { isWhole } from "../view/whole-volume.js";
import { freshFacts } from "../view/fresh-facts.js";

export interface NodeVolumes {
  readonly unknown: string; // why it is not known; empty: it is
  readonly volumes: ReadonlySet<string>; // "VG/LV", without those that lack a part
  readonly freeBytes: ReadonlyMap<string, number>; // by volume group
}

/** Answers from memory for the rest of one plan. */
export function volumesByNode(view: ClusterView, nowMs: number): (node: string) => NodeVolumes {
  const known = new Map<string, NodeVolumes>();
  return (node) => {
    const found = known.get(node) ?? read(view, node, nowMs);
    known.set(node, found);
    return found;
  };
}

function read(view: ClusterView, node: string, nowMs: number): NodeVolumes {
  const { facts, unknown } = freshFacts(view.nodes.get(node), Source.LVM, "lvm", nowMs);
  return {
    unknown,
    volumes: new Set(
      (facts?.logicalVolumes ?? []).filter(isWhole).map(({ vgName, lvName }) => `${vgName}/${lvName}`),
    ),
    freeBytes: new Map((facts?.volumeGroups ?? []).map(({ vgName, freeBytes }) => [vgName, freeBytes])),
  };
}
