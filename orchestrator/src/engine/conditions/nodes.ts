/** Conditions of a node as its agent, its guests and its peers' kernels show it. */
import { ConnectionState, Role, Source, type NodeQuiet, type NodeSilent } from "@vigie/proto";
import { linksUp, reportsNow } from "../../runbooks/node-state.js";
import type { ClusterView } from "../../view/cluster-view.js";
import { factsOf, type NodeView } from "../../view/node-view.js";
import { never, NOT_YET, notYet, seen, type ConditionDefinition } from "./condition.js";

export const nodeSilent: ConditionDefinition<NodeSilent> = {
  asks: ({ node }, view) =>
    peersOf(view, node)
      .filter((name) => view.nodes.get(name)?.connected === true)
      .map((name) => ({ node: name, source: Source.PROC_DRBD })),
  watch:
    ({ node, sinceUnixMs }, { clock, sinceMs, heardSinceMs }) =>
    (view) => {
      if (view.nodes.get(node)?.connected === true || reportsNow(view.nodes.get(node), clock.monotonicMs()))
        return never(`the agent of ${node} reports: it is not dead`);
      if (sinceUnixMs > 0 && heardSinceMs === undefined)
        return never(
          `whether ${node} has reported since this was planned is not known: this orchestrator was away, or did not lead (I11)`,
        );
      if (sinceUnixMs > 0 && reportedSince(view.nodes.get(node), heardSinceMs ?? 0))
        return never(`${node} has reported since this was planned: what it wrote then nobody else has`);
      const [up] = linksUp(view, node, clock.monotonicMs());
      if (up !== undefined) return never(`${up}: it is not dead`);
      const peers = peersOf(view, node);
      const spoke = peers.some((name) => isReadSince(view, name, sinceMs));
      if (peers.length > 0 && !spoke) return notYet(`no peer says whether ${node} is connected (I7)`);
      return seen(`${node} does not report, and no peer is connected with it`);
    },
};

/** Nodes with the other end of a disk of this node's, but for those that Ganeti has offline. */
function peersOf(view: ClusterView, node: string): string[] {
  const offline = new Set((view.inventory?.nodes ?? []).filter((n) => n.offline).map(({ name }) => name));
  const ends = (view.resourcesByNode.get(node) ?? []).flatMap((resource) => resource.ends);
  return [...new Set(ends.map((end) => end.node))].filter((name) => name !== node && !offline.has(name));
}

function reportedSince(node: NodeView | undefined, monotonicMs: number): boolean {
  return node !== undefined && !node.neverSeen && node.reportedAtMs > monotonicMs;
}

function isReadSince(view: ClusterView, node: string, sinceMs: number): boolean {
  const known = view.nodes.get(node);
  const read = (known?.sources.get(Source.PROC_DRBD)?.readAtMs ?? -1) >= sinceMs;
  return read && factsOf(known, Source.PROC_DRBD, "drbd") !== undefined;
}

export const nodeQuiet: ConditionDefinition<NodeQuiet> = {
  asks: ({ node }) => [
    { node, source: Source.GUESTS },
    { node, source: Source.PROC_DRBD },
  ],
  watch:
    ({ node: name }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(name);
      const guests = factsOf(node, Source.GUESTS, "guests")?.guests;
      const drbd = factsOf(node, Source.PROC_DRBD, "drbd");
      const read = [Source.GUESTS, Source.PROC_DRBD].every(
        (source) => (node?.sources.get(source)?.readAtMs ?? -1) >= sinceMs,
      );
      if (!read || guests === undefined || drbd === undefined) return NOT_YET;
      const [guest] = guests;
      if (guest !== undefined) return never(`${guest.instance} runs on ${name}`);
      const [odd] = node?.sources.get(Source.GUESTS)?.report.damaged ?? [];
      if (odd !== undefined)
        return notYet(`${name} does not say whether ${odd.object} runs there: ${odd.reason} (I11)`);
      const damaged = node?.sources.get(Source.PROC_DRBD)?.report.damaged[0];
      if (damaged !== undefined) return notYet(`/proc/drbd of ${name}: ${damaged.reason} (I11)`);
      const primary = drbd.minors.find(
        ({ role, connection }) => role === Role.PRIMARY && connection !== ConnectionState.UNCONFIGURED,
      );
      if (primary !== undefined) return never(`minor ${primary.minor} of ${name} is Primary`);
      return seen(`no guest runs on ${name}, and no minor of it is Primary`);
    },
};
