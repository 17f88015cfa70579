/**
 * Where a new copy of an instance's disks may go: by the rules that hail applies, so that a plan is refused, with the
 * reason, before its first step and not by a job hours later. Memory and the cluster's policy are left to hail.
 */
import type { GanetiInstance, GanetiNode } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { sizeText } from "./disk-devices.js";
import { ganetiNode } from "./node-state.js";
import type { NodeVolumes } from "./node-volumes.js";
import { mirrorsOf } from "./parameters.js";

export const META_MIB = 128; // of DRBD's metadata, beside each disk

export interface Placing {
  readonly view: ClusterView;
  readonly volumesOf: (node: string) => NodeVolumes;
}

/** What is asked of one node: room in volume groups, in MiB. */
export type Room = ReadonlyMap<string, number>;

/** For all mirrored disks of these instances together. */
export function roomFor(view: ClusterView, instances: readonly GanetiInstance[]): Room {
  const room = new Map<string, number>();
  for (const { dataLv, sizeMib } of instances.flatMap((instance) => mirrorsOf(view, instance))) {
    const vg = dataLv.split("/")[0] ?? "";
    room.set(vg, (room.get(vg) ?? 0) + sizeMib + META_MIB);
  }
  return room;
}

/** Why the node cannot take this; empty: it can. @param primary the node with the copy that stays */
export function unfit({ view, volumesOf }: Placing, node: string, primary: string, room: Room): string {
  const is = ganetiNode(view, node);
  if (is === undefined) return `${node} is not known to Ganeti`;
  if (node === primary) return `${node} holds the copy that stays`;
  const flag = flagText(is);
  if (flag !== "") return `${node} is ${flag}`;
  const group = ganetiNode(view, primary)?.group;
  if (group !== undefined && is.group !== group)
    return `${node} is in the node group ${is.group}, and ${primary} in ${group}`;
  const { unknown, freeBytes } = volumesOf(node);
  if (unknown !== "") return unknown;
  for (const [vg, mib] of room) {
    const free = freeBytes.get(vg);
    if (free === undefined) return `${node} has no volume group ${vg}`;
    if (free < mib * 2 ** 20)
      return `${vg} on ${node} has ${sizeText(free)} free, and ${sizeText(mib * 2 ** 20)} are to be made there`;
  }
  return "";
}

function flagText({ offline, drained }: GanetiNode): string {
  if (offline) return "offline";
  return drained ? "drained: it gets no new copies" : "";
}

/** Nodes that could take a new second copy of the instance. @param from the node that the old one leaves */
export function fitNodes(
  placing: Placing,
  instance: GanetiInstance,
  primary: string,
  from: string,
): { readonly fit: readonly string[]; readonly reasons: readonly string[] } {
  const room = roomFor(placing.view, [instance]);
  const others = (placing.view.inventory?.nodes ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== primary && name !== from);
  const judged = others.map((node) => ({ node, why: unfit(placing, node, primary, room) }));
  return {
    fit: judged.filter(({ why }) => why === "").map(({ node }) => node),
    reasons: judged.map(({ why }) => why).filter((why) => why !== ""),
  };
}

const REASONS_SHOWN = 4;

/** Why no other node can take it; empty: one can. */
export function noOtherNode(
  placing: Placing,
  instance: GanetiInstance,
  primary: string,
  from: string,
): string {
  const { fit, reasons } = fitNodes(placing, instance, primary, from);
  if (fit.length > 0) return "";
  const shown = reasons.slice(0, REASONS_SHOWN).join("; ");
  const more = reasons.length > REASONS_SHOWN ? `; and ${reasons.length - REASONS_SHOWN} more` : "";
  return shown === "" ? "there is no third node" : `no other node can take its copies: ${shown}${more}`;
}
