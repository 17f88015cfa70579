/**
 * The second copies that a node holds are made anew elsewhere. Each from the primary's copy, so that one must be
 * whole; the node itself need not answer. The job removes the old copy, so none of it can be taken back.
 */
import type { Condition, GanetiInstance, PlanStep } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import { noCopyOn, queueFree } from "./conditions.js";
import { noSource } from "./copies.js";
import { NO_LIMIT_MS } from "./deadlines.js";
import { sizeText } from "./disk-devices.js";
import { jobStep, newSecondary, seenWhole } from "./ganeti-jobs.js";
import { ganetiNode, reportsNow, secondariesOf } from "./node-state.js";
import { volumesByNode } from "./node-volumes.js";
import { given, mirrorsOf, nodeNamed, sizeKib, wrong } from "./parameters.js";
import { makePlan } from "./plan.js";
import { fitNodes, noOtherNode, roomFor, unfit, type Placing } from "./placement.js";
import { copiesUpToDate, placed } from "./premises.js";
import { copyTimeText } from "./resync-rate.js";
import type { Runbook, RunbookRequest } from "./runbook.js";

export const relocateSecondaries: Runbook = {
  name: "relocate-secondaries",
  version: 1,
  summary: "make the second copies that a node holds anew on other nodes",
  rung: "fix-storage",
  explanation: [
    "For each instance that has this node as its secondary, Ganeti makes that copy anew on another node: the one that",
    "its allocator chooses, or the one that is named. One after the other; the guests run meanwhile.",
    "",
    "Refuses: a cluster without a third node. Leaves out, and says so: an instance whose primary copy is not whole.",
    "",
    "By hand, on the master, for each instance:",
    "  gnt-instance replace-disks -I hail vm1   (or -n h6)",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node that they leave", required: true },
    {
      name: "to",
      summary: "Ganeti's name of the node that gets them; without: its allocator chooses",
      required: false,
    },
  ],
  plan: (request) => {
    const { view } = request;
    const parameters = given(relocateSecondaries, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const to =
      parameters["to"] === undefined || parameters["to"] === "" ? "" : nodeNamed(view, parameters["to"]);
    if (to === node) throw wrong(`to=${to}: they are there already`);
    const placing = { view, volumesOf: volumesByNode(view, request.nowMs) };
    const { steps, left, moved } = relocationSteps(request, placing, node, secondariesOf(view, node), { to });
    const mib = moved.flatMap((it) => it.disks).reduce((sum, { sizeMib }) => sum + sizeMib, 0);
    const refusals = refusalsOf(placing, node, to, moved, left);
    return makePlan(relocateSecondaries, request, {
      subject: node,
      parameters: { node, to },
      steps: refusals.length === 0 ? steps : [],
      touches: { nodes: [node], resources: moved.flatMap((instance) => mirrorsOf(view, instance)) },
      notes: [
        `${moved.length} copies of ${sizeText(mib * 2 ** 20)} leave ${node}: ${copyTimeText(view, new Set(view.nodes.keys()), mib * 1024)}`,
        ...left.map((line) => `left out: ${line}`),
        ...silentNote(request, node),
      ],
      refusals,
      destructive: true,
    });
  },
};

/** Ganeti asks the old node too, and waits for its answer each time, unless it knows that there is none. */
function silentNote({ view, nowMs }: RunbookRequest, node: string): string[] {
  const silent = !reportsNow(view.nodes.get(node), nowMs) && ganetiNode(view, node)?.offline !== true;
  return silent
    ? [
        `${node} does not report, and is not offline for Ganeti: vigie do disable-dead-node ${node} says so first`,
      ]
    : [];
}

export interface Relocation {
  readonly steps: readonly PlanStep[];
  readonly moved: readonly GanetiInstance[];
  readonly left: readonly string[]; // which cannot be moved, and why
}

interface Relocating {
  readonly to: string; // empty: Ganeti's allocator chooses
  /** Ganeti's primary node when the step comes, where a step before changes it. */
  readonly primaryIs?: (instance: GanetiInstance) => string;
  readonly premises?: readonly Condition[];
}

export function relocationSteps(
  request: RunbookRequest,
  placing: Placing,
  node: string,
  instances: readonly GanetiInstance[],
  { to, primaryIs = ({ primaryNode }) => primaryNode, premises = [] }: Relocating,
): Relocation {
  const { view } = request;
  const left: string[] = [];
  const moved: GanetiInstance[] = [];
  for (const instance of instances) {
    const primary = primaryIs(instance);
    const nowhere = to === "" ? noOtherNode(placing, instance, primary, node) : "";
    const why = sourceRefusal(request, instance, primary, to) || nowhere;
    if (why === "") moved.push(instance);
    else left.push(`${instance.name}: ${why}`);
  }
  const steps = moved.map((instance, i) =>
    jobStep(view, newSecondary(instance.name, to), {
      id: `relocate-${i + 1}`,
      title: `recreate the second copy of ${instance.name} on ${to || "another node"} instead of ${node}`,
      requires: queueFree([instance.name], [primaryIs(instance), ...(to === "" ? [] : [to])]),
      premises: [...premises, ...relocationPremises(view, instance, node, primaryIs(instance))],
      afterwards: [noCopyOn(instance.name, node), ...seenWhole(instance)],
      deadlineMs: NO_LIMIT_MS,
      copiesKib: sizeKib(mirrorsOf(view, instance)),
      irreversible: true,
    }),
  );
  return { steps, moved, left };
}

/** The copy that is left is the good one, the guest is on it, and the one that goes is the second one. */
function relocationPremises(
  view: ClusterView,
  instance: GanetiInstance,
  node: string,
  primary: string,
): Condition[] {
  const speaks = view.nodes.get(node)?.connected === true && ganetiNode(view, node)?.offline !== true;
  const place = { primaryNode: primary, secondaryNodes: [node], notRunningOn: speaks ? [node] : [] };
  const source = instance.adminState === "up" ? copiesUpToDate(view, instance, primary) : [];
  return [placed(instance, place), ...source];
}

/** Why there is nothing to copy from, or nowhere to copy to; empty: there is. */
function sourceRefusal(
  { view, nowMs }: RunbookRequest,
  instance: GanetiInstance,
  primary: string,
  to: string,
): string {
  if (primary === to) return `${to} holds its other copy`;
  const disks = mirrorsOf(view, instance);
  if (disks.length === 0) return `it is not mirrored (${instance.diskTemplate || "unknown"})`;
  for (const resource of disks) {
    const source = endViews(view, resource, nowMs).find(({ end }) => end.node === primary);
    const why = noSource(source, instance);
    if (why !== "") return `disk/${resource.diskIndex} on ${primary}: ${why}`;
  }
  return "";
}

function refusalsOf(
  placing: Placing,
  node: string,
  to: string,
  moved: readonly GanetiInstance[],
  left: readonly string[],
): string[] {
  const why: string[] = [];
  if (to !== "" && moved.length > 0) why.push(...targetRefusals(placing, node, to, moved));
  if (moved.length === 0 && left.length === 0) why.push(`no instance has ${node} as its secondary`);
  if (moved.length === 0) why.push(...left);
  return why;
}

/** All of them must fit on the node that was named; where they do not, those that would do are shown. */
function targetRefusals(
  placing: Placing,
  node: string,
  to: string,
  moved: readonly GanetiInstance[],
): string[] {
  const room = roomFor(placing.view, moved);
  const primaries = new Set(moved.map(({ primaryNode }) => primaryNode));
  const whys = [...primaries].map((primary) => unfit(placing, to, primary, room)).filter((why) => why !== "");
  if (whys.length === 0) return [];
  const others = moved.map((instance) => fitNodes(placing, instance, instance.primaryNode, node).fit);
  const fit = (others[0] ?? []).filter((name) => others.every((names) => names.includes(name)));
  return [...new Set(whys)].map((why) => `${why}; nodes that would do: ${fit.join(", ") || "none"}`);
}
