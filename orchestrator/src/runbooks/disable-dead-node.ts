/**
 * A node that is dead is taken out of the cluster: Ganeti is told that it is offline, its guests start on their other
 * node, and the copies that it held are made anew elsewhere. The one danger is that it is not dead: then its guests
 * would run twice. So nobody but a person says that it is switched off, and nothing is done before (G#669).
 */
import {
  DiskState,
  diskWord,
  NodeChangeKind,
  type Condition,
  type GanetiInstance,
  type PlanStep,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import { BEFORE_IT_WAS_SEEN } from "../view/node-view.js";
import { instanceOn, nodeSilent, personSays, queueFree } from "./conditions.js";
import { FAILOVER_MS, NO_LIMIT_MS } from "./deadlines.js";
import { failover, flagStep, jobStep } from "./ganeti-jobs.js";
import { manualPowerStatus } from "./manual-ganeti.js";
import { ganetiNode, linksUp, primariesOf, reportsNow, secondariesOf } from "./node-state.js";
import { volumesByNode } from "./node-volumes.js";
import { given, mirrorsOf, nodeNamed, yesOrNo } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import { wasWholeWhenStopped } from "./copies.js";
import { copiesUpToDate, placed } from "./premises.js";
import { relocationSteps, type Relocation } from "./relocate-secondaries.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { wait } from "./steps.js";

export const disableDeadNode: Runbook = {
  name: "disable-dead-node",
  version: 1,
  summary: "start a dead node's guests elsewhere, and make the copies that it held anew",
  rung: "failover",
  explanation: [
    "Asks a person whether the node is switched off, marks it offline in Ganeti, starts its guests on their other node",
    "one by one, and has the copies that it held made anew on other nodes. With relocate=no those are left.",
    "",
    "Refuses: a node that reports or whose peers still see it, the master, guests seen to run on it.",
    "Leaves out, and says so: an instance that is not mirrored, or whose other copy is not UpToDate.",
    "",
    "By hand, on the master (the wiki's order fails on Ganeti 2.16 and later):",
    "  gnt-node modify -O yes --auto-promote h2",
    "  gnt-instance failover -f VM   (each; gnt-node failover h2 says 0 even when every one failed)",
    "  gnt-instance replace-disks -I hail VM   (each; gnt-node evacuate without -p or -s always fails)",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node", required: true },
    { name: "relocate", summary: "no: leave the copies that it held as they are", required: false },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.node === "" ? undefined : { node: subject.node },
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(disableDeadNode, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const relocates = yesOrNo("relocate", parameters["relocate"], true);
    const judged = primariesOf(view, node).map((instance) => ({
      instance,
      why: survivorRefusal(request, instance),
    }));
    const saved = judged.filter(({ why }) => why === "").map(({ instance }) => instance);
    const lost = judged
      .filter(({ why }) => why !== "")
      .map(({ instance, why }) => `${instance.name}: ${why}`);
    const relocation = relocates ? relocationOf(request, node, saved) : NO_RELOCATION;
    const refusals = refusalsOf(view, node, nowMs);
    const silent = nodeSilent(node, request.wallUnixMs);
    const losses = saved.flatMap((instance) => lossNotes(request, node, instance));
    const touched = [...saved, ...relocation.moved];
    return makePlan(disableDeadNode, request, {
      subject: node,
      parameters: { node, relocate: relocates ? "" : "no" },
      steps:
        refusals.length === 0
          ? [
              ...offlineSteps(view, node, silent, saved),
              ...saved.map((it, i) => failoverStep(view, silent, it, i + 1)),
              ...relocation.steps,
            ]
          : [],
      touches: { nodes: [node], resources: touched.flatMap((instance) => mirrorsOf(view, instance)) },
      notes: [
        `${saved.length} guests of ${node} start on their other node${names(saved)}`,
        `${relocation.moved.length} copies that ${node} held are made anew elsewhere`,
        ...losses,
        `what ${node} wrote after its links were lost and before it was switched off is given up, if it wrote anything`,
        ...lost.map((line) => `left out, its guest stays down: ${line}`),
        ...relocation.left.map((line) => `left out, it keeps one copy: ${line}`),
        `IF ${node} STILL RUNS, its guests run twice and both write: switch it off at its power, not at its network`,
        `when it comes back: keep it off the cluster's network until vigie do reinstate-node ${node}`,
      ],
      refusals,
      typedWord: losses.length === 0 ? node : `lose-${node}`,
      destructive: true,
    });
  },
};

function offlineSteps(
  view: ClusterView,
  node: string,
  silent: Condition,
  saved: readonly GanetiInstance[],
): PlanStep[] {
  const master = masterOf(view);
  const question = `${node} is switched off (its power, not only its network)`;
  return [
    wait({
      id: "confirm-power-off",
      title: `a person says: ${question}`,
      node: master,
      condition: personSays(question),
      deadlineMs: NO_LIMIT_MS,
      manual: manualPowerStatus(master, node),
    }),
    flagStep(view, node, NodeChangeKind.OFFLINE, {
      id: "set-offline",
      title: `${node} is offline for Ganeti`,
      premises: [silent],
      undo: "set-online",
    }),
    flagStep(view, node, NodeChangeKind.ONLINE, {
      id: "set-online",
      title: `${node} is online for Ganeti again`,
      premises: saved.map((instance) => placed(instance)), // none was started elsewhere, by us or by hand
      onlyAsUndo: true,
    }),
  ];
}

function failoverStep(
  view: ClusterView,
  silent: Condition,
  instance: GanetiInstance,
  count: number,
): PlanStep {
  const { name } = instance;
  const [to = ""] = instance.secondaryNodes;
  const survivors = instance.adminState === "up" ? copiesUpToDate(view, instance, to) : [];
  const there = instanceOn(name, to, instance.adminState === "up");
  return jobStep(view, failover(name), {
    id: `failover-${count}`,
    title: instance.adminState === "up" ? `start ${name} on ${to}` : `make ${to} the primary node of ${name}`,
    holds: there,
    requires: queueFree([name], [to]),
    premises: [silent, placed(instance), ...survivors],
    afterwards: [there],
    deadlineMs: FAILOVER_MS,
    irreversible: true,
  });
}

const NO_RELOCATION: Relocation = { steps: [], moved: [], left: [] };

/** Those that failed over have the dead node as their secondary then. */
function relocationOf(request: RunbookRequest, node: string, saved: readonly GanetiInstance[]): Relocation {
  const { view, nowMs } = request;
  const failedOver = new Set(saved);
  const primaryIs = (instance: GanetiInstance): string =>
    failedOver.has(instance) ? (instance.secondaryNodes[0] ?? "") : instance.primaryNode;
  const all = [...saved, ...secondariesOf(view, node)];
  const placing = { view, volumesOf: volumesByNode(view, nowMs) };
  return relocationSteps(request, placing, node, all, {
    to: "",
    primaryIs,
    premises: [nodeSilent(node, request.wallUnixMs)],
  });
}

/**
 * The survivor's copy was cut off before the node fell silent: what the guest wrote meanwhile is on the dead node only,
 * and starting it elsewhere gives that up. A disk of which that is not known is said to be so, too.
 */
function lossNotes({ view, nowMs }: RunbookRequest, node: string, instance: GanetiInstance): string[] {
  const [to = ""] = instance.secondaryNodes;
  if (instance.adminState !== "up") return [];
  const dead = view.nodes.get(node);
  const silentSinceMs = dead?.reportedAtMs ?? 0;
  const lost = `what was written on ${node} since then is given up`;
  return mirrorsOf(view, instance).flatMap(({ ends, diskIndex }) => {
    const minor = ends.find((end) => end.node === to)?.minor ?? -1;
    const sinceMs = view.nodes.get(to)?.unlinkedSinceMs.get(minor);
    const name = `${instance.name} disk/${diskIndex}: the copy on ${to}`;
    if (dead === undefined || dead.neverSeen || sinceMs === BEFORE_IT_WAS_SEEN)
      return [`MAY LOSE DATA: since when ${name} has been without its peer is not known; ${lost}`];
    if (sinceMs === undefined) return [];
    const laterMs = sinceMs - silentSinceMs;
    if (laterMs > NOTICED_LATER_MS)
      return [
        `MAY LOSE DATA: the agent of ${node} fell silent ${Math.round(laterMs / 1000)} s before its link was lost, so how long ${node} went on after that is not known; ${lost}`,
      ];
    if (-laterMs < TOGETHER_MS) return [];
    const sinceS = Math.round((nowMs - sinceMs) / 1000);
    const beforeS = Math.round((silentSinceMs - sinceMs) / 1000);
    return [
      `MAY LOSE DATA: ${name} has been without its peer for ${sinceS} s, from ${beforeS} s before ${node} fell silent; ${lost}`,
    ];
  });
}

/** Its links and its agent are seen to end so far apart when a node dies: reports come each second. */
const TOGETHER_MS = 5_000;
/** Its peers notice that much later: DRBD pings each 10 s (ping-int), and waits up to 7 times 6 s for data (ko-count). */
const NOTICED_LATER_MS = 60_000;

/** Why its guest cannot start on the other node; empty: it can. */
function survivorRefusal({ view, nowMs }: RunbookRequest, instance: GanetiInstance): string {
  const disks = mirrorsOf(view, instance);
  const [to] = instance.secondaryNodes;
  if (disks.length === 0 || disks.length !== instance.disks.length || to === undefined)
    return `it is not mirrored (${instance.diskTemplate || "unknown"}): its only copy is there`;
  for (const resource of disks) {
    const survivor = endViews(view, resource, nowMs).find(({ end }) => end.node === to);
    const name = `disk/${resource.diskIndex} on ${to}`;
    if (survivor === undefined || survivor.unknown !== "")
      return `${name} is unknown: ${survivor?.unknown ?? ""} (I7)`;
    if (survivor.inactive && instance.adminState !== "up") {
      if (wasWholeWhenStopped(view, resource, instance.primaryNode)) continue; // nothing was written since
      return `${name}: it is stopped, and it is not known that both copies were the same then (I1)`;
    }
    if (survivor.drbd?.disk !== DiskState.UP_TO_DATE)
      return `${name} is ${diskWord(survivor.drbd?.disk ?? DiskState.UNSPECIFIED)}, not UpToDate (I1)`;
  }
  return "";
}

function refusalsOf(view: ClusterView, node: string, nowMs: number): string[] {
  const seen = view.nodes.get(node);
  const why: string[] = [];
  if (node === masterOf(view) || node === view.ownNode)
    why.push(`${node} is the master: gnt-cluster master-failover first`);
  if (ganetiNode(view, node) === undefined) why.push(`Ganeti does not tell of ${node}: ask again`);
  if (reportsNow(seen, nowMs)) why.push(`${node} reports: it is not dead`);
  why.push(...linksUp(view, node, nowMs).slice(0, SHOWN_MAX));
  return why;
}

const SHOWN_MAX = 5;

function names(instances: readonly GanetiInstance[]): string {
  if (instances.length === 0) return "";
  const shown = instances.slice(0, SHOWN_MAX).map(({ name }) => name);
  return `: ${shown.join(", ")}${instances.length > SHOWN_MAX ? `, and ${instances.length - SHOWN_MAX} more` : ""}`;
}
