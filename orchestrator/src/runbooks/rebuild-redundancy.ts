/**
 * Every mirrored disk that has one copy only gets its second one back: attached and connected where it is there,
 * made anew where it is not, on another node where it cannot be. One after the other, for two resyncs at once only
 * make both slow; the guests run meanwhile. It may take days, and the plan waits.
 */
import { ReplaceMode, type GanetiInstance, type PlanStep, VigieError } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { allOf, jobQueued, jobSucceeded, queueFree, redundant } from "./conditions.js";
import { FLAG_JOB_MS, NO_LIMIT_MS } from "./deadlines.js";
import { sizeText } from "./disk-devices.js";
import { activateDisks, jobStep, newSecondary, replaceDisks, seenWhole, submitStep } from "./ganeti-jobs.js";
import type { GanetiJobKind } from "./manual-ganeti.js";
import { manualLook } from "./manual.js";
import { volumesByNode, type NodeVolumes } from "./node-volumes.js";
import { given, instanceNamed, mirrorsOf, nodeNamed, wholeNumber } from "./parameters.js";
import { makePlan } from "./plan.js";
import { needOf, type DiskNeed, type NeedContext, type Side } from "./rebuild-need.js";
import { copyTimeText } from "./resync-rate.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { wait } from "./steps.js";

const AT_ONCE_MAX = 8;
const META_MIB = 128; // of DRBD's metadata, beside each disk

export const rebuildRedundancy: Runbook = {
  name: "rebuild-redundancy",
  version: 1,
  summary: "give every disk that has one copy only its second copy back",
  rung: "fix-storage",
  explanation: [
    "Attaches and connects copies that are there, makes those anew that are not, and takes another node where the",
    "old one cannot hold them. One instance after the other, and waits for each resync.",
    "",
    "Refuses: an end that is unknown or StandAlone, a resync that stands still, a disk of which no copy is UpToDate,",
    "a node without the volume group or without room. Of a whole node or cluster it leaves those out, and says so.",
    "",
    "By hand, on the master:",
    "  gnt-instance replace-disks --submit -a VMname   (it runs)",
    "  gnt-instance replace-disks --submit -p VMname   (it is stopped, and the primary's copy is to be made anew)",
    "  gnt-instance replace-disks --submit -s VMname   (likewise, the secondary's)",
  ],
  parameters: [
    {
      name: "target",
      summary: "a node, or instances with commas between; without: the cluster",
      required: false,
    },
    {
      name: "at_once",
      summary: `how many resyncs at once, 1 to ${AT_ONCE_MAX}; 1 unless given`,
      required: false,
    },
  ],
  forIncident: ({ subject }, view) => {
    if (subject === undefined) return undefined;
    const name = subject.instance || (ownerOf(view, subject.device) ?? "");
    return name === "" ? undefined : { target: name };
  },
  plan: (request) => {
    const { view } = request;
    const parameters = given(rebuildRedundancy, request);
    const scope = scopeOf(view, parameters["target"] ?? "");
    const atOnce = wholeNumber("at_once", parameters["at_once"], 1, 1, AT_ONCE_MAX);
    const volumesOf = volumesByNode(view, request.nowMs);
    const nodes = ganetiNodes(view);
    const works = scope.instances.map((instance) => workOf(request, { instance, volumesOf, ...nodes }));
    const blocked = works.filter((work) => work.blocked.length > 0);
    const doable = works.filter((work) => work.blocked.length === 0 && isWork(work));
    const room = roomRefusals(doable, volumesOf);
    const why = blocked.flatMap((work) => work.blocked.map((line) => `${work.instance.name}: ${line}`));
    const refuse = scope.named || doable.length === 0;
    const refusals = [
      ...(refuse ? why : []),
      ...room.map(({ text }) => text),
      ...(works.some(isWork) ? [] : [`${scope.subject}: every disk that is active is redundant`]),
    ];
    return makePlan(rebuildRedundancy, request, {
      subject: scope.subject,
      parameters: { target: scope.target, at_once: atOnce === 1 ? "" : String(atOnce) },
      steps: refusals.length === 0 ? stepsOf(request, doable, atOnce) : [],
      touches: { resources: doable.flatMap((work) => work.disks) },
      notes: [...notesOf(view, doable, works), ...(refuse ? [] : why.map((line) => `left out: ${line}`))],
      refusals: [
        ...(refuse ? why : []),
        ...room.map(({ text }) => text),
        ...(works.some(isWork) || why.length > 0
          ? []
          : [`${scope.subject}: every disk that is active is redundant`]),
      ],
      wayOut: [...blocked.flatMap((work) => work.wayOut), ...room.map(({ wayOut }) => wayOut)],
      destructive: true,
    });
  },
};

interface Scope {
  readonly instances: readonly GanetiInstance[];
  readonly subject: string;
  readonly target: string; // with names in full
  readonly named: boolean; // a person wants these, and is told no where one of them cannot be mended
}

function scopeOf(view: ClusterView, target: string): Scope {
  const all = [...view.instances.values()];
  const names = target.split(/[\s,]+/).filter((name) => name !== "");
  const [only] = names;
  if (only === undefined)
    return { instances: byUrgency(all), subject: "the cluster", target: "", named: false };
  const node = names.length === 1 ? nodeOrNot(view, only) : undefined;
  if (node !== undefined) {
    const there = new Set((view.resourcesByNode.get(node) ?? []).map((r) => r.instance));
    const instances = byUrgency(all.filter(({ name }) => there.has(name)));
    return { instances, subject: node, target: node, named: false };
  }
  const instances = [...new Set(names.map((name) => instanceNamed(view, name)))];
  const listed = instances.map(({ name }) => name);
  return { instances, subject: listed.join(", "), target: listed.join(","), named: true };
}

/** Those that run first: their next fault stops a guest. */
function byUrgency(instances: readonly GanetiInstance[]): GanetiInstance[] {
  return instances.toSorted((a, b) => Number(b.adminState === "up") - Number(a.adminState === "up"));
}

function nodeOrNot(view: ClusterView, name: string): string | undefined {
  if (view.instances.has(name)) return undefined;
  try {
    return nodeNamed(view, name);
  } catch (error) {
    if (error instanceof VigieError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

interface Work {
  readonly instance: GanetiInstance;
  readonly disks: readonly Resource[]; // that are not redundant
  readonly activate: string; // why; empty: it is not needed
  readonly job: GanetiJobKind | undefined; // that makes copies anew
  readonly why: string; // of the job
  readonly at: string; // node on which copies are made; empty: not known yet, or none
  readonly waits: boolean;
  readonly blocked: readonly string[];
  readonly wayOut: readonly string[];
}

function ganetiNodes(view: ClusterView): Pick<NeedContext, "offline" | "eligible"> {
  const nodes = view.inventory?.nodes ?? [];
  return {
    offline: new Set(nodes.filter((node) => node.offline).map(({ name }) => name)),
    eligible: new Set(nodes.filter((node) => !node.offline && !node.drained).map(({ name }) => name)),
  };
}

function workOf({ view, nowMs, minStillMs }: RunbookRequest, known: Omit<NeedContext, "minStillMs">): Work {
  const { instance } = known;
  const context = { ...known, minStillMs };
  const mirrors = mirrorsOf(view, instance);
  const needs = mirrors.map((resource) => needOf(resource, endViews(view, resource, nowMs), context));
  const reasons = needs.map((need, i) => ("why" in need ? `disk/${mirrors[i]?.diskIndex}: ${need.why}` : ""));
  const jobs = needs.map((need) => jobOf(instance, need));
  const [job] = jobs.filter((it) => it !== undefined);
  const clash = jobs.some((it) => it !== undefined && JSON.stringify(it) !== JSON.stringify(job));
  const obstacles = needs.flatMap((need, i) => (need.what === "blocked" ? [reasons[i] ?? ""] : []));
  return {
    instance,
    disks: mirrors.filter((_r, i) => !["nothing", "idle"].includes(needs[i]?.what ?? "")),
    activate: reasons.filter((_r, i) => needs[i]?.what === "activate").join("; "),
    job,
    why: reasons.filter((_r, i) => jobs[i] !== undefined).join("; "),
    at: placeOf(instance, needs),
    waits: needs.some(({ what }) => what === "wait"),
    blocked: clash
      ? [...obstacles, "its disks are broken on different sides: one at a time, by hand"]
      : obstacles,
    wayOut: needs.flatMap((need) => (need.what === "blocked" ? need.wayOut : [])),
  };
}

function isWork(work: Work): boolean {
  return work.activate !== "" || work.job !== undefined || work.waits || work.blocked.length > 0;
}

function jobOf({ name, adminState }: GanetiInstance, need: DiskNeed): GanetiJobKind | undefined {
  if (need.what === "relocate") return newSecondary(name, "");
  if (need.what !== "replace") return undefined;
  if (adminState === "up" && need.faulty) return replaceDisks(name, ReplaceMode.AUTO);
  return replaceDisks(name, need.side === "primary" ? ReplaceMode.ON_PRIMARY : ReplaceMode.ON_SECONDARY);
}

function placeOf({ primaryNode, secondaryNodes }: GanetiInstance, needs: readonly DiskNeed[]): string {
  const sides = needs.flatMap((need): Side[] => (need.what === "replace" ? [need.side] : []));
  if (sides.length === 0) return "";
  return sides[0] === "primary" ? primaryNode : (secondaryNodes[0] ?? "");
}

function stepsOf(request: RunbookRequest, works: readonly Work[], atOnce: number): PlanStep[] {
  const steps: PlanStep[] = [];
  for (let first = 0; first < works.length; first += atOnce) {
    const batch = works.slice(first, first + atOnce).map((work, i) => ({ work, count: first + i + 1 }));
    const together = batch.length > 1;
    for (const { work, count } of batch) steps.push(...beginSteps(request, work, count, together));
    for (const { work, count } of batch) steps.push(...endSteps(work, count, together));
  }
  return steps;
}

function beginSteps({ view }: RunbookRequest, work: Work, count: number, together: boolean): PlanStep[] {
  const { instance, job } = work;
  const { name } = instance;
  const steps: PlanStep[] = [];
  const requires = queueFree([name], [instance.primaryNode, ...instance.secondaryNodes]);
  if (work.activate !== "")
    steps.push(
      jobStep(view, activateDisks(name), {
        id: `activate-${count}`,
        title: `attach and connect what is there of ${name} (${work.activate})`,
        holds: redundant(name, 0),
        requires,
        deadlineMs: FLAG_JOB_MS,
      }),
    );
  if (job === undefined) return steps;
  const rebuild = {
    id: `rebuild-${count}`,
    title: `make the missing copy of ${name} anew (${work.why})`,
    holds: redundant(name, 0),
    requires,
    irreversible: true,
  };
  const queued = { ...rebuild, condition: jobQueued(rebuild.id), deadlineMs: FLAG_JOB_MS };
  steps.push(
    together
      ? submitStep(view, job, queued)
      : jobStep(view, job, { ...rebuild, afterwards: seenWhole(instance), deadlineMs: NO_LIMIT_MS }),
  );
  return steps;
}

/** What is left to wait for: the job by itself, where several were put into the queue; otherwise only the resync. */
function endSteps(work: Work, count: number, together: boolean): PlanStep[] {
  const { instance, job, disks } = work;
  const { name } = instance;
  if (job !== undefined && !together) return [];
  const whole = redundant(name);
  return [
    wait({
      id: `await-${count}`,
      title: `${name} is redundant again`,
      node: instance.primaryNode,
      condition: job === undefined ? whole : allOf(jobSucceeded(`rebuild-${count}`), ...seenWhole(instance)),
      deadlineMs: NO_LIMIT_MS,
      manual: disks.flatMap(({ ends }) => ends.map((end) => manualLook(end.node, end.minor))),
    }),
  ];
}

interface NoRoom {
  readonly text: string;
  readonly wayOut: string;
}

/** All copies that are made on one node must fit there; those that hail places are Ganeti's to place. */
function roomRefusals(works: readonly Work[], volumesOf: (node: string) => NodeVolumes): NoRoom[] {
  const wanted = new Map<string, { node: string; vg: string; mib: number }>();
  for (const { at, disks, job } of works) {
    if (job === undefined || at === "") continue;
    for (const { dataLv, sizeMib } of disks) {
      const vg = dataLv.split("/")[0] ?? "";
      const sum = wanted.get(`${at} ${vg}`) ?? { node: at, vg, mib: 0 };
      sum.mib += sizeMib + META_MIB;
      wanted.set(`${at} ${vg}`, sum);
    }
  }
  return [...wanted.values()].flatMap(({ node, vg, mib }) => {
    const free = volumesOf(node).freeBytes.get(vg) ?? 0;
    if (free >= mib * 2 ** 20) return [];
    const text = `${vg} on ${node} has ${sizeText(free)} free, and ${sizeText(mib * 2 ** 20)} are to be made there`;
    return [{ text, wayOut: `vigie do adopt-disk ${node} DISK` }];
  });
}

function notesOf(view: ClusterView, doable: readonly Work[], works: readonly Work[]): string[] {
  const anew = doable.filter(({ job }) => job !== undefined).flatMap(({ disks }) => disks);
  const mib = anew.reduce((sum, { sizeMib }) => sum + sizeMib, 0);
  const nodes = doable.flatMap(({ disks }) => disks.flatMap(({ ends }) => ends.map((end) => end.node)));
  const idle = works.filter((work) => !isWork(work) && work.instance.adminState !== "up").length;
  return [
    `${doable.length} instances, of ${works.length}, have disks with one copy only`,
    ...(mib === 0
      ? []
      : [`${sizeText(mib * 2 ** 20)} are to be copied: ${copyTimeText(view, new Set(nodes), mib * 1024)}`]),
    ...(idle === 0
      ? []
      : [`${idle} stopped instances have volumes on both nodes; more cannot be seen while they are stopped`]),
  ];
}

/** The instance whose volume is "VG/LV". */
function ownerOf(view: ClusterView, volume: string): string | undefined {
  if (volume === "") return undefined;
  for (const instance of view.instances.values())
    if (instance.disks.some(({ dataLv, metaLv }) => dataLv === volume || metaLv === volume))
      return instance.name;
  return undefined;
}
