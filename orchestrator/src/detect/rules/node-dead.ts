/**
 * A node that is silent, and whose DRBD links are all down by the word of the other ends: two witnesses of different
 * kinds. Whether it is switched off, nobody here can see; so nothing is done without a person's word (I41).
 */
import { ConnectionState, connectionWord, Evidence, IncidentKind, Severity, Subject } from "@vigie/proto";
import { endViews, type EndView } from "../../view/end-view.js";
import { foundBy, type NodeRule } from "../rule.js";
import { nodeSilent } from "./node-silent.js";

const APART: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.WF_CONNECTION,
  ConnectionState.STAND_ALONE,
  ConnectionState.UNCONNECTED,
]);

export const nodeDead: NodeRule = {
  about: "node",
  kind: IncidentKind.NODE_DEAD,
  holdDownMs: 20_000, // a reboot of the agent, a hiccup of the network
  clearMs: 3_000,
  judge: (node, view, nowMs, settings) => {
    const silent = nodeSilent.judge(node, view, nowMs, settings);
    if (foundBy(silent).length === 0) return silent;
    const peers = (view.resourcesByNode.get(node.name) ?? []).flatMap((resource) =>
      endViews(view, resource, nowMs).filter(({ end, inactive }) => end.node !== node.name && !inactive),
    );
    const witnesses = peers.filter(({ unknown, drbd }) => unknown === "" && drbd !== undefined);
    if (witnesses.length === 0) return peers.length === 0 ? [] : "unknown";
    if (!witnesses.every(isApart)) return []; // somebody still sees it: its agent is gone, and not the node
    return [
      {
        key: "",
        subject: Subject.create({ node: node.name }),
        summary: `${node.name}: its agent is silent and ${witnesses.length} DRBD links to it are down: the node or its network is dead`,
        severity: Severity.CRITICAL,
        evidence: witnesses.slice(0, 10).map(evidenceOf),
      },
    ];
  },
};

function isApart({ drbd }: EndView): boolean {
  return drbd !== undefined && APART.has(drbd.connection);
}

function evidenceOf({ end, drbd, ageMs }: EndView): Evidence {
  const state = connectionWord(drbd?.connection ?? ConnectionState.UNSPECIFIED);
  return Evidence.create({
    node: end.node,
    ageMs: Math.round(ageMs),
    drbd,
    text: `minor ${end.minor} is ${state}`,
  });
}
