/**
 * A node that was offline comes back: it gets the cluster's keys and configuration anew, goes online, its copies are
 * connected and catch up, and guests go back to where the cluster is even. What it still has from before is the
 * danger: a minor or a guest of its old life would meet the one that was started elsewhere (G#1167).
 */
import { type GanetiInstance, NodeChangeKind, type PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import {
  allOf,
  commandsSucceeded,
  nodeFlagged,
  nodeQuiet,
  nodeReports,
  queueFree,
  redundant,
} from "./conditions.js";
import { FLAG_JOB_MS, MIGRATION_MS, NO_LIMIT_MS, READD_MS, SETTLE_MS } from "./deadlines.js";
import { activateDisks, flagStep, jobStep } from "./ganeti-jobs.js";
import { manualReadd, manualRebalance } from "./manual-ganeti.js";
import { manualLook } from "./manual.js";
import { remains } from "./node-remains.js";
import { given, mirrorsOf, nodeNamed, yesOrNo } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import { connectable, elsewhere, placed } from "./premises.js";
import type { Runbook } from "./runbook.js";
import { act, wait } from "./steps.js";

export const reinstateNode: Runbook = {
  name: "reinstate-node",
  version: 1,
  summary: "bring a node that was offline back into the cluster",
  rung: "migrate",
  explanation: [
    "Gives it the cluster's keys and configuration anew, sets it online, connects the copies that it holds, waits",
    "until they have caught up, and lets hbal move guests back. With rebalance=no those stay where they are.",
    "",
    "Refuses: a node that does not report or is online; one that still runs a guest, or still has a DRBD minor that",
    "is Primary or that Ganeti does not name there: it would be split brain.",
    "",
    "By hand, on the master:",
    "  gnt-node add --readd h2   (gnt-node modify -O no h2 alone brings no keys and no configuration)",
    "  hbal -L -X --no-disk-moves",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node", required: true },
    { name: "rebalance", summary: "no: leave the guests where they are", required: false },
  ],
  plan: (request) => {
    const { view } = request;
    const parameters = given(reinstateNode, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const rebalances = yesOrNo("rebalance", parameters["rebalance"], true);
    const { refusals, notes } = remains(request, node);
    const back = instancesOn(view, node);
    return makePlan(reinstateNode, request, {
      subject: node,
      parameters: { node, rebalance: rebalances ? "" : "no" },
      steps:
        refusals.length === 0
          ? [
              ...onlineSteps(view, node),
              ...back.flatMap((instance, i) => catchUpSteps(view, instance, node, i + 1)),
              ...(rebalances ? [rebalanceStep(view, node)] : []),
            ]
          : [],
      touches: { nodes: [node], resources: back.flatMap((instance) => mirrorsOf(view, instance)) },
      notes: [`${back.length} running instances have a copy on ${node}, which catches up`, ...notes],
      refusals,
      destructive: true,
    });
  },
};

function onlineSteps(view: ClusterView, node: string): PlanStep[] {
  const master = masterOf(view);
  return [
    wait({
      id: "await-reports",
      title: `the agent of ${node} reports`,
      node,
      condition: nodeReports(node),
      deadlineMs: SETTLE_MS,
      manual: [`${node}# systemctl status vigie-agent`],
    }),
    act({
      id: "readd-node",
      title: `give ${node} the cluster's keys, certificates and configuration anew`,
      node: master,
      action: { $case: "readdNode", value: { node } },
      requires: queueFree([], [node]),
      premises: [nodeFlagged(node, NodeChangeKind.OFFLINE), nodeQuiet(node)],
      // That it is online does not say that it has the keys: the command clears the flag before it is done.
      condition: allOf(commandsSucceeded("readd-node"), nodeFlagged(node, NodeChangeKind.ONLINE)),
      deadlineMs: READD_MS,
      manual: manualReadd(master, node),
      undo: "set-offline",
    }),
    flagStep(view, node, NodeChangeKind.ONLINE, {
      id: "set-online",
      title: `${node} is online for Ganeti`,
      premises: [nodeQuiet(node)],
      undo: "set-offline",
    }),
    flagStep(view, node, NodeChangeKind.OFFLINE, {
      id: "set-offline",
      title: `${node} is offline for Ganeti again`,
      premises: [nodeQuiet(node)], // to set it offline below a guest lets a failover start that one twice (G#669)
      onlyAsUndo: true,
    }),
  ];
}

function catchUpSteps(view: ClusterView, instance: GanetiInstance, node: string, count: number): PlanStep[] {
  const { name } = instance;
  const ends = mirrorsOf(view, instance).flatMap((resource) => resource.ends);
  return [
    jobStep(view, activateDisks(name), {
      id: `activate-${count}`,
      title: `connect the copy of ${name} on ${node}`,
      holds: redundant(name, 0),
      requires: queueFree([name], [node]),
      premises: [placed(instance, { notRunningOn: elsewhere(instance) }), ...connectable(view, instance)],
      deadlineMs: FLAG_JOB_MS,
      irreversible: true, // what this copy had of its own is written over from here on
    }),
    wait({
      id: `await-redundant-${count}`,
      title: `${name} is redundant again`,
      node,
      condition: redundant(name),
      deadlineMs: NO_LIMIT_MS,
      manual: ends.map((end) => manualLook(end.node, end.minor)),
    }),
  ];
}

function rebalanceStep(view: ClusterView, node: string): PlanStep {
  const master = masterOf(view);
  const nodes = (view.inventory?.nodes ?? []).map(({ name }) => name);
  return act({
    id: "rebalance",
    title: "move guests to where the cluster is even; no disk is copied",
    node: master,
    action: { $case: "rebalance", value: {} },
    requires: queueFree([], nodes),
    premises: [nodeFlagged(node, NodeChangeKind.ONLINE)],
    condition: commandsSucceeded("rebalance"), // its agent says what became of each of its jobs
    deadlineMs: MIGRATION_MS,
    manual: manualRebalance(master),
    irreversible: true, // guests run there from here on
  });
}

/** Those that should run: of a stopped one, Ganeti activates the disks when it starts. */
function instancesOn(view: ClusterView, node: string): GanetiInstance[] {
  const names = new Set((view.resourcesByNode.get(node) ?? []).map(({ instance }) => instance));
  return [...names]
    .map((name) => view.instances.get(name))
    .filter((instance) => instance !== undefined)
    .filter(({ adminState }) => adminState === "up");
}
