/**
 * The cluster as its agents tell it: nodes, and the mirrored disks that join Ganeti's intent (which two minors on
 * which two nodes are one disk) with what each kernel says. One agent's facts change only its own node (I41).
 */
import { Source, type GanetiFacts, type GanetiInstance, type SsconfFacts } from "@vigie/proto";
import { freshFacts } from "./fresh-facts.js";
import { joinResources, type Resource } from "./join.js";
import { factsOf, unseenNode, type NodeView } from "./node-view.js";

export interface ClusterView {
  readonly ownNode: string; // of this orchestrator; the master, where it leads
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly inventory: GanetiFacts | undefined; // of the master's agent; undefined: not known
  readonly ssconf: SsconfFacts | undefined; // of the orchestrator's own node
  readonly resources: ReadonlyMap<string, Resource>; // by key
  readonly resourcesByNode: ReadonlyMap<string, readonly Resource[]>;
  readonly instances: ReadonlyMap<string, GanetiInstance>;
  readonly joinStale: boolean; // minors came or went since the join was made
}

/** The view of an orchestrator on `ownNode`, which sees nothing yet. */
export function emptyView(ownNode: string): ClusterView {
  return {
    ownNode,
    nodes: new Map([[ownNode, unseenNode(ownNode)]]),
    inventory: undefined,
    ssconf: undefined,
    resources: new Map(),
    resourcesByNode: new Map(),
    instances: new Map(),
    joinStale: false,
  };
}

/**
 * Puts one node's new value into the view. `nodes` alone is changed in place, so an older view sees it too: a copy of
 * a thousand entries for each of a thousand reports a second cost a tenth of a core. Ganeti's intent is joined again at once when it changed; a minor that
 * came or went only marks the join as stale, for with a thousand agents arriving it would be done a thousand times.
 */
export function withNode(view: ClusterView, node: NodeView, ownNode: string): ClusterView {
  const before = view.nodes.get(node.name);
  const own = node.name === ownNode;
  const ssconf = own ? (factsOf(node, Source.SSCONF, "ssconf") ?? view.ssconf) : view.ssconf;
  const inventory = own ? (factsOf(node, Source.GANETI, "ganeti") ?? view.inventory) : view.inventory;
  const nodes = (view.nodes as Map<string, NodeView>).set(node.name, node);
  const names = ssconf === view.ssconf ? [] : (ssconf?.nodeList ?? []);
  for (const name of names) if (!nodes.has(name)) nodes.set(name, unseenNode(name));
  const known = before?.connected === node.connected && sameKeys(before.minors, node.minors);
  const joinStale = view.joinStale || !known;
  const next = { ...view, ssconf, inventory, joinStale };
  return inventory === view.inventory ? next : rejoin(next);
}

/**
 * What Ganeti's configuration does not name is not there: every instance and disk was understood, and that lately. An
 * instance that is damaged is left out of the inventory, and is not gone (I11).
 */
export function isInventoryWhole({ nodes, ownNode, inventory }: ClusterView, nowMs: number): boolean {
  const { facts, damaged } = freshFacts(nodes.get(ownNode), Source.GANETI, "ganeti", nowMs);
  return inventory !== undefined && facts !== undefined && damaged.length === 0;
}

/** The view with its join made anew where it is stale, and without the nodes that left the cluster. */
export function joined(view: ClusterView): ClusterView {
  const { nodes, ownNode } = view;
  const left = [...nodes.values()].filter(
    ({ name, connected }) => name !== ownNode && !connected && hasLeft(view, name),
  );
  for (const { name } of left) (nodes as Map<string, NodeView>).delete(name); // in place, as withNode() puts them
  return view.joinStale || left.length > 0 ? rejoin(view) : view;
}

/**
 * `gnt-node remove` takes it out of ssconf and out of the configuration. One of them alone may be a file that was cut, and
 * the node that is missed in it a dead one (I11).
 */
export function hasLeft({ ssconf, inventory }: ClusterView, node: string): boolean {
  if (ssconf === undefined || inventory === undefined) return false;
  return !ssconf.nodeList.includes(node) && !inventory.nodes.some(({ name }) => name === node);
}

function rejoin(view: ClusterView): ClusterView {
  const instances = new Map((view.inventory?.instances ?? []).map((instance) => [instance.name, instance]));
  const list = joinResources(view.inventory, view.nodes);
  const resources = new Map(list.map((resource) => [resource.key, resource]));
  return { ...view, instances, resources, resourcesByNode: byNode(list), joinStale: false };
}

function byNode(resources: readonly Resource[]): Map<string, Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const resource of resources) {
    for (const { node } of resource.ends) {
      const list = index.get(node);
      if (list === undefined) index.set(node, [resource]);
      else list.push(resource);
    }
  }
  return index;
}

function sameKeys(a: ReadonlyMap<number, unknown>, b: ReadonlyMap<number, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}
