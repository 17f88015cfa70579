/** What Ganeti and the peers' kernels say of a node as a whole. */
import type { GanetiInstance, GanetiNode } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, FRESH_MS } from "../view/end-view.js";
import type { NodeView } from "../view/node-view.js";
import { LINKED } from "../view/connection-states.js";

export function ganetiNode(view: ClusterView, name: string): GanetiNode | undefined {
  return view.inventory?.nodes.find((node) => node.name === name);
}

export function reportsNow(node: NodeView | undefined, nowMs: number): boolean {
  return node !== undefined && node.connected && !node.neverSeen && nowMs - node.reportedAtMs <= FRESH_MS;
}

export function primariesOf(view: ClusterView, node: string): GanetiInstance[] {
  return [...view.instances.values()].filter(({ primaryNode }) => primaryNode === node);
}

export function secondariesOf(view: ClusterView, node: string): GanetiInstance[] {
  return [...view.instances.values()].filter(({ secondaryNodes }) => secondaryNodes.includes(node));
}

/** Links of a node that a peer's kernel still has up: it is not dead, whatever its agent says. */
export function linksUp(view: ClusterView, node: string, nowMs: number): string[] {
  return (view.resourcesByNode.get(node) ?? []).flatMap((resource) =>
    endViews(view, resource, nowMs)
      .filter(({ end, unknown, drbd }) => end.node !== node && unknown === "" && drbd !== undefined)
      .filter(({ drbd }) => drbd !== undefined && LINKED.has(drbd.connection))
      .map(({ end }) => `${end.node} minor ${end.minor} is still connected with ${node}`),
  );
}
