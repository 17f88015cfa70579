/** Which volumes a node has, by its own LVM; looked up once a node, for a plan may ask of each of 2,000 disks. */
import { Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { isWhole } from "../view/whole-volume.js";
import { freshFacts } from "../view/fresh-facts.js";
import { isOdd, volumeName } from "../view/ganeti-volumes.js";

export interface NodeVolumes {
  readonly unknown: string; // why it is not known; empty: it is
  /** @param volume "VG/LV"; "no": it is not there, or lacks a part; "unknown": its line was not understood (I11) */
  readonly has: (volume: string) => "yes" | "no" | "unknown";
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
  const { facts, unknown, damaged } = freshFacts(view.nodes.get(node), Source.LVM, "lvm", nowMs);
  const whole = new Map((facts?.logicalVolumes ?? []).map((lv) => [volumeName(lv), isWhole(lv)]));
  return {
    unknown,
    has: (volume) => {
      const listed = whole.get(volume);
      if (listed !== undefined) return listed ? "yes" : "no";
      return isOdd(damaged, volume) ? "unknown" : "no";
    },
    freeBytes: new Map((facts?.volumeGroups ?? []).map(({ vgName, freeBytes }) => [vgName, freeBytes])),
  };
}
