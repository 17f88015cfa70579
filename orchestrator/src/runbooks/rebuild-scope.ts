/** Which instances are meant: of a node, those that are named, or all. */
import { type GanetiInstance, VigieError } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { instanceNamed, nodeNamed } from "./parameters.js";

interface Scope {
  readonly instances: readonly GanetiInstance[];
  readonly subject: string;
  readonly target: string; // with names in full
  readonly named: boolean; // a person wants these, and is told no where one of them cannot be mended
}

export function scopeOf(view: ClusterView, target: string): Scope {
  const all = [...view.instances.values()];
  const names = target.split(/[\s,]+/).filter((name) => name !== "");
  const [only] = names;
  if (only === undefined)
    return { instances: byUrgency(all), subject: "the cluster", target: "", named: false };
  const node = names.length === 1 ? nodeOrNot(view, only) : undefined;
  if (node !== undefined) {
    const there = new Set((view.resourcesByNode.get(node) ?? []).map((r) => r.instance));
    const instances = byUrgency(all.filter(({ name }) => there.has(name)));
    return { instances, subject: node, target: node, named: false };
  }
  const instances = [...new Set(names.map((name) => instanceNamed(view, name)))];
  const listed = instances.map(({ name }) => name);
  return { instances, subject: listed.join(", "), target: listed.join(","), named: true };
}

/** Those that run first: their next fault stops a guest. */
function byUrgency(instances: readonly GanetiInstance[]): GanetiInstance[] {
  return instances.toSorted((a, b) => Number(b.adminState === "up") - Number(a.adminState === "up"));
}

function nodeOrNot(view: ClusterView, name: string): string | undefined {
  if (view.instances.has(name)) return undefined;
  try {
    return nodeNamed(view, name);
  } catch (error) {
    if (error instanceof VigieError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** The instance whose volume is "VG/LV". */
export function ownerOf(view: ClusterView, volume: string): string | undefined {
  if (volume === "") return undefined;
  for (const instance of view.instances.values())
    if (instance.disks.some(({ dataLv, metaLv }) => dataLv === volume || metaLv === volume))
      return instance.name;
  return undefined;
}
