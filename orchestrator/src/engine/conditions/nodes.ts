/** Conditions of a node as its agent, its guests and its peers' kernels show it. */
import { ConnectionState, Role, Source, type NodeQuiet, type NodeSilent } from "@vigie/proto";
import { linksUp, reportsNow } from "../../runbooks/node-state.js";
import { factsOf } from "../../view/node-view.js";
import { never, NOT_YET, notYet, seen, type ConditionDefinition } from "./condition.js";

export const nodeSilent: ConditionDefinition<NodeSilent> = {
  asks: ({ node }, view) => {
    const peers = (view.resourcesByNode.get(node) ?? []).flatMap(({ ends }) => ends.map((end) => end.node));
    return [...new Set(peers)]
      .filter((name) => name !== node && view.nodes.get(name)?.connected === true)
      .map((name) => ({ node: name, source: Source.PROC_DRBD }));
  },
  watch:
    ({ node }, { clock }) =>
    (view) => {
      if (view.nodes.get(node)?.connected === true || reportsNow(view.nodes.get(node), clock.monotonicMs()))
        return never(`the agent of ${node} reports: it is not dead`);
      const [up] = linksUp(view, node, clock.monotonicMs());
      if (up !== undefined) return never(`${up}: it is not dead`);
      return seen(`${node} does not report, and no peer is connected with it`);
    },
};

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
      const damaged = node?.sources.get(Source.PROC_DRBD)?.report.damaged[0];
      if (damaged !== undefined) return notYet(`/proc/drbd of ${name}: ${damaged.reason} (I11)`);
      const primary = drbd.minors.find(
        ({ role, connection }) => role === Role.PRIMARY && connection !== ConnectionState.UNCONFIGURED,
      );
      if (primary !== undefined) return never(`minor ${primary.minor} of ${name} is Primary`);
      return seen(`no guest runs on ${name}, and no minor of it is Primary`);
    },
};
