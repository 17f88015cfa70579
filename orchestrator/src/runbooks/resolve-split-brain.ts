/**
 * Both sides wrote while they were apart, and one of them is given up. Which one is a person's decision (I8): without
 * a victim the plan only shows both sides; with one, the person types its node. The victim's data are kept in a
 * snapshot where its volume group has room for all of it, since the resync writes over every block.
 */
import {
  ConnectionState,
  DiskState,
  Source,
  type DrbdEnd,
  type GanetiInstance,
  type PlanStep,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import { allOf, queueFree, redundant, victimReady, volumeThere, watcherPaused } from "./conditions.js";
import { DISCARD_MS, FLAG_JOB_MS, NO_LIMIT_MS, SNAPSHOT_MS } from "./deadlines.js";
import { sizeText } from "./disk-devices.js";
import { drbdEndAt } from "./drbd-end.js";
import { freshFacts } from "./fresh-facts.js";
import { activateDisks, cleanup, jobStep } from "./ganeti-jobs.js";
import { whereItRuns, whereText, type WhereItRuns } from "./guests.js";
import { manualLook } from "./manual.js";
import { onMaster } from "./manual-ganeti.js";
import { manualDiscard, manualRemoveSnapshot, manualSnapshot } from "./manual-minors.js";
import { given, instanceNamed, mirrorsOf, nodeNamed, wrong } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { sameGeneration, sidesOf, sideText, type Side } from "./split-sides.js";
import { act, wait } from "./steps.js";
import { watcherSteps } from "./watcher.js";

export const resolveSplitBrain: Runbook = {
  name: "resolve-split-brain",
  version: 1,
  summary: "show both sides of a split brain, and give up the one that a person names",
  rung: "reinstall", // as far as it goes: data are given up
  explanation: [
    "Without victim it only shows both sides: roles, states, what changed since they parted, generations, where the",
    "guest runs. With victim=NODE it keeps a snapshot of that side where there is room, discards its data, lets",
    "Ganeti connect it, and waits until it has copied everything from the other side.",
    "",
    "Refuses: a victim on which the guest runs, a survivor that is not UpToDate, generations that are not known or are",
    "the same on both sides, an end that is unknown.",
    "",
    "By hand: on the victim's node",
    "  drbdsetup secondary 27; drbdsetup disconnect …; drbdsetup invalidate 27",
    "  and on the master  gnt-instance activate-disks nagios",
    "  (the wiki's gnt-instance migrate --cleanup lets DRBD choose the side by itself)",
  ],
  parameters: [
    { name: "instance", summary: "Ganeti's name of the instance", required: true },
    {
      name: "victim",
      summary: "the node whose data are given up; without: both sides are shown",
      required: false,
    },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.instance === "" ? undefined : { instance: subject.instance },
  asks: (request) => {
    const { view } = request;
    const { instance = "" } = given(resolveSplitBrain, request);
    const ends = mirrorsOf(view, instanceNamed(view, instance)).flatMap((resource) => resource.ends);
    return ends.map(({ node, minor }) => ({ node, minor, source: Source.DRBD_GENERATIONS }));
  },
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(resolveSplitBrain, request);
    const instance = instanceNamed(view, parameters["instance"] ?? "");
    const nodes = [instance.primaryNode, ...instance.secondaryNodes];
    const victim = victimOf(view, instance, parameters["victim"] ?? "");
    const split = splitDisks(view, instance, nowMs);
    const runs = whereItRuns(view, instance.name, nodes, nowMs);
    const shown = split.flatMap(({ resource, sides }) => sides.map((side) => sideText(resource, side)));
    const common = {
      subject: instance.name,
      parameters: { instance: instance.name, victim },
      touches: { resources: split.map(({ resource }) => resource), instances: [instance.name], nodes },
      destructive: true,
    };
    const general = [whereText(instance.name, runs), `Ganeti's primary node is ${instance.primaryNode}`];
    const nothing =
      split.length === 0 ? [`no end of ${instance.name} is StandAlone: there is nothing to decide`] : [];
    if (victim === "") {
      const ask = `say whose data are given up: ${nodes.map((node) => `victim=${node}`).join(" or ")}`;
      return makePlan(resolveSplitBrain, request, {
        ...common,
        steps: [],
        notes: [...shown, ...general],
        refusals: split.length === 0 ? nothing : [ask],
        wayOut:
          split.length === 0
            ? [`vigie do rebuild-redundancy ${instance.name}`]
            : victims(instance, nodes, runs),
      });
    }
    const refusals = [
      ...nothing,
      ...guestRefusals(instance, victim, runs),
      ...split.flatMap((s) => sideRefusals(request, s, victim)),
    ];
    const snapshots = snapshotsOf(request, split, victim);
    return makePlan(resolveSplitBrain, request, {
      ...common,
      steps: refusals.length === 0 ? stepsOf(request, instance, split, victim, runs, snapshots) : [],
      notes: [
        ...shown,
        ...general,
        ...lossNotes(request, split, victim, snapshots),
        ...watcherSteps(request).notes,
      ],
      refusals,
      typedWord: victim,
    });
  },
};

interface Split {
  readonly resource: Resource;
  readonly sides: readonly Side[];
}

/** Disks of which an end gave the connection up. */
function splitDisks(view: ClusterView, instance: GanetiInstance, nowMs: number): Split[] {
  return mirrorsOf(view, instance)
    .map((resource) => ({ resource, sides: sidesOf(view, resource, nowMs) }))
    .filter(({ sides }) => sides.some((side) => side.view.drbd?.connection === ConnectionState.STAND_ALONE));
}

function victimOf(view: ClusterView, instance: GanetiInstance, given: string): string {
  if (given === "") return "";
  const node = nodeNamed(view, given);
  const nodes = [instance.primaryNode, ...instance.secondaryNodes];
  if (!nodes.includes(node))
    throw wrong(`${instance.name} has no copy on ${node}: it has them on ${nodes.join(" and ")}`);
  return node;
}

/** Never one on which the guest runs. */
function victims({ name }: GanetiInstance, nodes: readonly string[], { on }: WhereItRuns): string[] {
  return nodes
    .filter((node) => !on.includes(node))
    .map((node) => `vigie do resolve-split-brain ${name} victim=${node}`);
}

function guestRefusals({ name }: GanetiInstance, victim: string, runs: WhereItRuns): string[] {
  const why: string[] = [];
  if (runs.on.includes(victim))
    why.push(`${name} runs on ${victim}: what it reads and writes would be given up`);
  if (runs.on.length > 1)
    why.push(`${name} runs on ${runs.on.join(" and ")} at once: stop one of them first`);
  if (runs.unknown.length > 0)
    why.push(`${runs.unknown.join(" and ")} does not tell whether ${name} runs there (I7)`);
  return why;
}

function sideRefusals({ view, nowMs }: RunbookRequest, { resource, sides }: Split, victim: string): string[] {
  const name = `disk/${resource.diskIndex}`;
  const lost = sides.find(({ node }) => node === victim);
  const kept = sides.find(({ node }) => node !== victim);
  if (lost === undefined || kept === undefined) return [`${name}: its two sides are not known`];
  const why: string[] = [];
  for (const side of [lost, kept]) {
    const unknown = side.view.unknown || (side.view.drbd === undefined ? "not active" : "");
    if (unknown !== "") why.push(`${name}: ${side.node} is unknown: ${unknown} (I7)`);
    if (side.generations === undefined)
      why.push(`${name}: the generations of ${side.node} are not known: ask again`);
  }
  if (kept.view.drbd !== undefined && kept.view.drbd.disk !== DiskState.UP_TO_DATE)
    why.push(`${name}: the survivor, ${kept.node}, is not UpToDate (I1)`);
  if (lost.view.drbd?.disk === DiskState.DISKLESS)
    why.push(
      `${name}: ${victim} is Diskless, and has nothing to give up: ${onMaster(masterOf(view), `gnt-instance activate-disks ${resource.instance}`)}`,
    );
  if (sameGeneration(sides))
    why.push(
      `${name}: both sides have the same generation, so nothing is to be given up: ${onMaster(masterOf(view), `gnt-instance activate-disks ${resource.instance}`)}`,
    );
  const lvm = freshFacts(view.nodes.get(victim), Source.LVM, "lvm", nowMs);
  if (lvm.unknown !== "") why.push(`${lvm.unknown}: whether there is room for a snapshot is not known`);
  return why;
}

interface Snapshot {
  readonly resource: Resource;
  readonly name: string;
  readonly sizeKib: number;
}

/** Room for every block of the volume, since the resync writes them all, and for LVM's own table. */
const SNAPSHOT_SHARE = 1.02;

/** @returns one for each disk, or none where they do not all fit */
function snapshotsOf(
  { view, nowMs, wallUnixMs }: RunbookRequest,
  split: readonly Split[],
  victim: string,
): Snapshot[] {
  const lvm = freshFacts(view.nodes.get(victim), Source.LVM, "lvm", nowMs);
  const wanted = split.map(({ resource }) => ({
    resource,
    name: `${resource.dataLv.split("/")[1] ?? ""}.vigie-${Math.floor(wallUnixMs / 1000)}`,
    sizeKib: Math.ceil(resource.sizeMib * 1024 * SNAPSHOT_SHARE) + 4096,
  }));
  const needed = new Map<string, number>();
  for (const { resource, sizeKib } of wanted) {
    const vg = resource.dataLv.split("/")[0] ?? "";
    needed.set(vg, (needed.get(vg) ?? 0) + sizeKib * 1024);
  }
  const free = new Map((lvm.facts?.volumeGroups ?? []).map((vg) => [vg.vgName, vg.freeBytes]));
  return [...needed].every(([vg, bytes]) => (free.get(vg) ?? 0) >= bytes) ? wanted : [];
}

function stepsOf(
  request: RunbookRequest,
  instance: GanetiInstance,
  split: readonly Split[],
  victim: string,
  runs: WhereItRuns,
  snapshots: readonly Snapshot[],
): PlanStep[] {
  const { view } = request;
  const { name } = instance;
  const watcher = watcherSteps(request);
  const ends = split.map((each) => ({ ...each, end: drbdEndAt(view, each.resource, victim) }));
  const snapshotOf = (resource: Resource) => snapshots.find((it) => it.resource === resource);
  const whereElse = runs.on.length === 1 && instance.primaryNode === victim;
  const connect = whereElse
    ? jobStep(view, cleanup(name), {
        id: "connect",
        title: `make Ganeti's primary node the one where ${name} runs, and connect its disks`,
        deadlineMs: NO_LIMIT_MS,
      })
    : jobStep(view, activateDisks(name), {
        id: "connect",
        title: `let Ganeti connect the disks of ${name}`,
        deadlineMs: FLAG_JOB_MS,
      });
  return [
    ...watcher.pause,
    ...ends.flatMap(({ resource, end }) => snapshotSteps(end, snapshotOf(resource))),
    ...ends.map(({ resource, sides, end }) => discardStep(instance, end, sides, snapshotOf(resource))),
    connect,
    ...watcher.resume,
    wait({
      id: "await-redundant",
      title: `${victim} has copied everything from the other side`,
      node: victim,
      condition: redundant(name),
      deadlineMs: NO_LIMIT_MS,
      manual: ends.flatMap(({ resource }) => resource.ends.map((end) => manualLook(end.node, end.minor))),
    }),
  ];
}

function snapshotSteps(end: DrbdEnd, snapshot: Snapshot | undefined): PlanStep[] {
  if (snapshot === undefined) return [];
  const { name, sizeKib } = snapshot;
  const there = volumeThere(end.node, `${end.dataLv.split("/")[0] ?? ""}/${name}`);
  return [
    act({
      id: `snapshot-${end.diskIndex}`,
      title: `keep what ${end.node} has of disk/${end.diskIndex} in the snapshot ${name}`,
      node: end.node,
      action: { $case: "snapshotVolume", value: { end, snapshotName: name, sizeKib } },
      holds: there,
      condition: there,
      deadlineMs: SNAPSHOT_MS,
      manual: manualSnapshot(end, name, sizeKib),
    }),
  ];
}

function discardStep(
  instance: GanetiInstance,
  end: DrbdEnd,
  sides: readonly Side[],
  snapshot: Snapshot | undefined,
): PlanStep {
  const currentUuid = sides.find(({ node }) => node === end.node)?.generations?.currentUuid ?? "";
  return act({
    id: `discard-${end.diskIndex}`,
    title: `GIVE UP what ${end.node} has of ${instance.name} disk/${end.diskIndex}, minor ${end.minor}, generation ${currentUuid}`,
    node: end.node,
    action: {
      $case: "discardVictim",
      value: { end, typedNode: end.node, currentUuid, peer: undefined, snapshotName: snapshot?.name ?? "" },
    },
    holds: victimReady(end),
    requires: allOf(watcherPaused(true), queueFree([instance.name], [end.node, end.peerNode])),
    condition: victimReady(end),
    deadlineMs: DISCARD_MS,
    manual: manualDiscard(end),
    irreversible: true,
  });
}

function lossNotes(
  { view, nowMs }: RunbookRequest,
  split: readonly Split[],
  victim: string,
  snapshots: readonly Snapshot[],
): string[] {
  if (split.length === 0) return [];
  const mib = split.reduce((sum, { resource }) => sum + resource.sizeMib, 0);
  const lost = `what was written on ${victim} since they parted is given up; ${sizeText(mib * 2 ** 20)} are copied anew`;
  if (snapshots.length === 0) {
    const { facts } = freshFacts(view.nodes.get(victim), Source.LVM, "lvm", nowMs);
    const free = Math.max(0, ...(facts?.volumeGroups ?? []).map((vg) => vg.freeBytes));
    return [
      lost,
      `THERE IS NO ROOM for a snapshot on ${victim} (${sizeText(free)} free): nothing of it is kept`,
    ];
  }
  return [
    lost,
    ...snapshots.map(({ resource, name }) => {
      const end = drbdEndAt(view, resource, victim);
      return `a snapshot is kept, and makes writing there slow until it is removed: ${manualRemoveSnapshot(end, name)}`;
    }),
  ];
}
