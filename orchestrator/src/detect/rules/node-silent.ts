/**
 * A node that Ganeti counts on and whose agent says nothing: the node, its network or the agent is gone. Which one
 * is not known here, and nothing is done about it: silence alone never moves an instance (I41).
 */
import { Evidence, IncidentKind, Severity, Subject } from "@vigie/proto";
import type { NodeRule } from "../rule.js";

export const nodeSilent: NodeRule = {
  about: "node",
  kind: IncidentKind.NODE_SILENT,
  holdDownMs: 0, // silentAfterMs is the hold-down
  clearMs: 3_000,
  judge: (node, view, nowMs, { silentAfterMs, expectAllAfterMs }) => {
    const silentMs = nowMs - node.reportedAtMs;
    if (!node.neverSeen && silentMs < silentAfterMs) return [];
    const wanted = view.ssconf?.nodeList.includes(node.name) ?? false;
    const offline = view.ssconf?.offlineNodes.includes(node.name) ?? false;
    if (!wanted || offline) return [];
    if (node.neverSeen && nowMs < expectAllAfterMs) return "unknown";
    const how = node.neverSeen ? "its agent has never reported" : "its agent does not report";
    const instances = (view.inventory?.instances ?? [])
      .filter((i) => i.primaryNode === node.name)
      .map((i) => i.name);
    const text =
      instances.length === 0 ? "no instance has its primary there" : `primary of ${instances.join(", ")}`;
    return [
      {
        key: "",
        subject: Subject.create({ node: node.name }),
        summary: `${node.name}: ${how}; the node, its network or the agent is down`,
        severity: Severity.CRITICAL,
        evidence: [
          Evidence.create({ node: node.name, ageMs: node.neverSeen ? 0 : Math.round(silentMs), text }),
        ],
      },
    ];
  },
};
