/**
 * A minor of a stopped instance that "is held open by someone": its leftover partition maps are taken away, whoever
 * else holds it is waited for, and then it is taken down. Nobody is killed and nothing is unmounted: those may be a
 * person's work, and the commands for them are shown.
 */
import {
  Source,
  type DeviceMapperDevice,
  type DrbdEnd,
  type GanetiInstance,
  type PlanStep,
} from "@vigie/proto";
import { endViews, isInSync, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { minorGone, minorNotHeld, partitionsUnmapped, queueFree } from "./conditions.js";
import { DOWN_MS, MAPS_MS, NO_LIMIT_MS } from "./deadlines.js";
import { drbdEndAt } from "./drbd-end.js";
import { freshFacts } from "../view/fresh-facts.js";
import { whereItRuns, whereText } from "./guests.js";
import { manualDown, manualLetGo, manualLookForHolders, manualUnmap } from "./manual-minors.js";
import { given, minorNumber, nodeNamed } from "./parameters.js";
import { makePlan } from "./plan.js";
import { elsewhere, placed, stillThere } from "./premises.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { act, wait } from "./steps.js";

const DRBD_MAJOR = 147;

export const releaseHeldDevice: Runbook = {
  name: "release-held-device",
  version: 1,
  summary: "take down a minor of a stopped instance that something still holds",
  explanation: [
    "Takes partition maps away that nobody uses, waits until nobody holds the device any more, and takes the minor",
    "down. It kills and unmounts nothing: it shows who holds the device, and what would make them let go.",
    "Of an instance that runs it only takes leftover partition maps away.",
    "",
    "Refuses: a minor that Ganeti does not name or wants up, a guest that runs somewhere, a resync that runs.",
    "",
    "By hand, on its node:",
    "  dmsetup ls | grep drbd45; kpartx -d /dev/drbd45",
    "  drbdsetup /dev/drbd45 down   (8.4: drbdsetup down resource45)",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node", required: true },
    { name: "minor", summary: "N of /dev/drbdN there", required: true },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.node === "" || subject.minor === undefined
      ? undefined
      : { node: subject.node, minor: String(subject.minor) },
  asks: (request) => {
    const { node = "", minor = "" } = given(releaseHeldDevice, request);
    return [{ node: nodeNamed(request.view, node), minor: minorNumber(minor), source: Source.HOLDERS }];
  },
  plan: (request) => {
    const { view } = request;
    const parameters = given(releaseHeldDevice, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const minor = minorNumber(parameters["minor"] ?? "");
    const resource = (view.resourcesByNode.get(node) ?? []).find(({ ends }) =>
      ends.some((end) => end.node === node && end.minor === minor),
    );
    const instance = view.instances.get(resource?.instance ?? "");
    const common = {
      subject: `${node} minor ${minor}`,
      parameters: { node, minor: String(minor) },
      touches: {
        nodes: [node],
        resources: instance === undefined || resource === undefined ? [] : [resource],
      },
      destructive: true,
    };
    if (resource === undefined || instance === undefined) {
      const refusals = [`Ganeti does not name minor ${minor} of ${node}: whose it is is not known (I13)`];
      return makePlan(releaseHeldDevice, request, { ...common, steps: [], refusals });
    }
    const maps = mapsOf(request, node, minor);
    const end = drbdEndAt(view, resource, node);
    const wantsUp = instance.adminState === "up";
    const refusals = refusalsOf(request, instance, resource, node, maps);
    const unmap = maps.all.length > 0 && maps.used.length === 0 ? [unmapStep(end, instance)] : [];
    const steps = [...unmap, ...(wantsUp ? [] : downSteps(request, end, instance))];
    return makePlan(releaseHeldDevice, request, {
      ...common,
      steps: refusals.length === 0 ? steps : [],
      notes: [
        `minor ${minor} of ${node} is ${instance.name} disk/${resource.diskIndex}, which Ganeti wants ${instance.adminState}`,
        ...maps.used.map((line) => `in use: ${line}`),
        ...holderNotes(request, node, minor),
        ...(wantsUp ? [`${instance.name} is not stopped: its minor stays, only the maps go`] : []),
      ],
      refusals,
    });
  },
};

function unmapStep(end: DrbdEnd, instance: GanetiInstance): PlanStep {
  return act({
    id: "unmap-partitions",
    title: `take the partition maps of /dev/drbd${end.minor} away, which nobody uses`,
    node: end.node,
    action: { $case: "unmapPartitions", value: { end } },
    holds: partitionsUnmapped(end),
    premises: [stillThere(instance)],
    condition: partitionsUnmapped(end),
    deadlineMs: MAPS_MS,
    manual: manualUnmap(end),
  });
}

function downSteps({ view }: RunbookRequest, end: DrbdEnd, instance: GanetiInstance): PlanStep[] {
  const { name } = instance;
  const { node, minor } = end;
  const holders = view.nodes.get(node)?.holders.get(minor)?.value.holders ?? [];
  return [
    wait({
      id: "await-not-held",
      title: `nobody holds /dev/drbd${minor} of ${node} any more`,
      node,
      condition: minorNotHeld(end),
      deadlineMs: NO_LIMIT_MS,
      manual: [...manualLetGo(node, minor, holders), ...manualLookForHolders(node, minor)],
    }),
    act({
      id: "down-minor",
      title: `take minor ${minor} of ${node} down`,
      node,
      action: { $case: "downMinor", value: { end, instanceStopped: true } },
      holds: minorGone(end),
      requires: queueFree([name], []),
      premises: [placed(instance, { notRunningOn: elsewhere(instance) })],
      condition: minorGone(end),
      deadlineMs: DOWN_MS,
      manual: manualDown(end),
    }),
  ];
}

interface Maps {
  readonly unknown: readonly string[];
  readonly all: readonly DeviceMapperDevice[];
  readonly used: readonly string[]; // what keeps them from being taken away
}

function mapsOf({ view, nowMs }: RunbookRequest, node: string, minor: number): Maps {
  const nodeView = view.nodes.get(node);
  const mapper = freshFacts(nodeView, Source.DEVICE_MAPPER, "deviceMapper", nowMs);
  const mounts = freshFacts(nodeView, Source.MOUNTS, "mounts", nowMs);
  const all = (mapper.facts?.devices ?? []).filter(({ kpartxOf }) => kpartxOf === `${DRBD_MAJOR}:${minor}`);
  const paths = new Set([`/dev/drbd${minor}`, ...all.map(({ name }) => `/dev/mapper/${name}`)]);
  const mounted = (mounts.facts?.mounts ?? []).filter(({ device }) => paths.has(device));
  const damaged = [...mapper.damaged, ...mounts.damaged];
  return {
    unknown: [
      ...[mapper.unknown, mounts.unknown].filter((why) => why !== ""),
      ...damaged.map((d) => `not understood (I11): ${d.object} ${d.reason}`),
    ],
    all,
    used: [
      ...mounted.map(({ device, mountPoint }) => `${device} is mounted on ${mountPoint}`),
      ...all.filter((map) => map.openCount !== 0).map((map) => `${map.name} is open ${map.openCount} times`),
    ],
  };
}

function refusalsOf(
  { view, nowMs }: RunbookRequest,
  instance: GanetiInstance,
  resource: Resource,
  node: string,
  maps: Maps,
): string[] {
  const ends = endViews(view, resource, nowMs);
  const own = ends.find(({ end }) => end.node === node);
  const why = [...maps.unknown, ...endRefusals(own)];
  if (instance.adminState === "up") {
    const nothing = maps.all.length === 0 ? "and no partition map stands on it" : maps.used.join(", ");
    const unmaps = maps.all.length > 0 && maps.used.length === 0;
    return unmaps ? why : [...why, `Ganeti wants ${instance.name} up, ${nothing}`];
  }
  const runs = whereItRuns(
    view,
    instance.name,
    resource.ends.map((end) => end.node),
    nowMs,
  );
  if (instance.status === "running" || runs.on.length > 0 || runs.unknown.length > 0)
    why.push(`${whereText(instance.name, runs)}, and by Ganeti it is ${instance.status || "unknown"}`);
  else if (instance.status === "") why.push(`whether ${instance.name} runs is not known: ask again (I11)`);
  if (ends.some(({ drbd }) => drbd !== undefined && isInSync(drbd)))
    why.push("a resync runs: it would be broken off");
  return why;
}

function endRefusals(own: EndView | undefined): string[] {
  if (own === undefined) return ["its end is not known (I13)"];
  if (own.unknown !== "") return [`${own.end.node} minor ${own.end.minor} is unknown: ${own.unknown} (I11)`];
  return own.inactive ? [`minor ${own.end.minor} of ${own.end.node} is not there: nobody can hold it`] : [];
}

function holderNotes({ view, nowMs }: RunbookRequest, node: string, minor: number): string[] {
  const answered = view.nodes.get(node)?.holders.get(minor);
  if (answered === undefined) return [`who holds it was not asked yet: vigie holders ${node} ${minor}`];
  const ageS = Math.round((nowMs - answered.readAtMs) / 1000);
  const { holders } = answered.value;
  if (holders.length === 0) return [`nobody that can be seen held it ${ageS} s ago`];
  return holders.map(
    ({ name, pid, detail }) => `held ${ageS} s ago by ${name}${pid === 0 ? "" : ` (pid ${pid})`}: ${detail}`,
  );
}
