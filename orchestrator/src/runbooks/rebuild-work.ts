/** What an instance needs, disk by disk, and whether there is room for it. */
import type { GanetiInstance } from "@vigie/proto";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { noSource, wasWholeWhenStopped } from "./copies.js";
import { sizeText } from "./disk-devices.js";
import { newSecondary, replaceDisks } from "./ganeti-jobs.js";
import type { GanetiJobKind } from "./manual-ganeti.js";
import type { NodeVolumes } from "./node-volumes.js";
import { mirrorsOf } from "./parameters.js";
import { masterOf } from "./plan.js";
import { META_MIB, noOtherNode, type Placing } from "./placement.js";
import { type DiskNeed, needOf, type Side } from "./rebuild-need.js";
import type { RunbookRequest } from "./runbook.js";

/** One job that makes copies again: of these disks, and of no other. */
export interface RebuildJob {
  readonly job: GanetiJobKind;
  readonly disks: readonly Resource[];
  readonly from: string; // node whose copies are the source
  readonly at: string; // node on which the copies are made; empty: Ganeti's allocator chooses it
  readonly why: string;
}

export interface Work {
  readonly instance: GanetiInstance;
  readonly disks: readonly Resource[]; // that are not redundant
  readonly activate: string; // why; empty: it is not needed
  readonly reconnected: readonly Reconnected[]; // of them, those that are StandAlone
  readonly jobs: readonly RebuildJob[]; // one after the other
  readonly relocates: boolean; // all disks, to a new secondary
  readonly waits: boolean;
  readonly blocked: readonly string[];
  readonly wayOut: readonly string[];
}

/** A disk that connects again after it was StandAlone, and the node whose copy has nothing to lose. */
export interface Reconnected {
  readonly resource: Resource;
  readonly emptyAt: string;
}

interface Judged {
  readonly resource: Resource;
  readonly need: DiskNeed;
  readonly noSource: string; // why no new copy can be made from the primary node's; empty: it can
}

export function workOf(
  { view, nowMs, minStillMs }: RunbookRequest,
  instance: GanetiInstance,
  volumesOf: Placing["volumesOf"],
): Work {
  const { primaryNode, secondaryNodes } = instance;
  const nodes = view.inventory?.nodes ?? [];
  const context = {
    instance,
    master: masterOf(view),
    volumesOf,
    minStillMs,
    wasWhole: (resource: Resource) => wasWholeWhenStopped(view, resource, primaryNode),
    offline: new Set(nodes.filter((node) => node.offline).map(({ name }) => name)),
    noOtherNode: () => noOtherNode({ view, volumesOf }, instance, primaryNode, secondaryNodes[0] ?? ""),
  };
  const judged = mirrorsOf(view, instance).map((resource) => {
    const ends = endViews(view, resource, nowMs);
    const primary = ends.find(({ end }) => end.node === primaryNode);
    return { resource, need: needOf(resource, ends, context), noSource: noSource(primary, instance) };
  });
  return {
    instance,
    disks: judged.filter(({ need }) => !RESTS.has(need.what)).map(({ resource }) => resource),
    activate: reasonsOf(judged.filter(({ need }) => need.what === "activate" || need.what === "reconnect")),
    reconnected: judged.flatMap(({ resource, need }) =>
      need.what === "reconnect" ? [{ resource, emptyAt: need.empty.end.node }] : [],
    ),
    jobs: jobsOf(instance, judged),
    relocates: judged.some(({ need }) => need.what === "relocate"),
    waits: judged.some(({ need }) => need.what === "wait"),
    blocked: [...judged.filter(({ need }) => need.what === "blocked").map(reasonOf), ...clash(judged)],
    wayOut: judged.flatMap(({ need }) => (need.what === "blocked" ? need.wayOut : [])),
  };
}

const RESTS: ReadonlySet<DiskNeed["what"]> = new Set(["nothing", "idle"]);

export function isWork(work: Work): boolean {
  return work.activate !== "" || work.jobs.length > 0 || work.waits || work.blocked.length > 0;
}

/** A new secondary takes all disks along; otherwise each side's broken disks, and only those, are made again. */
function jobsOf(instance: GanetiInstance, judged: readonly Judged[]): RebuildJob[] {
  const relocated = judged.filter(({ need }) => need.what === "relocate");
  if (relocated.length > 0) {
    const disks = judged.map(({ resource }) => resource);
    const from = instance.primaryNode;
    return [{ job: newSecondary(instance.name, ""), disks, from, at: "", why: reasonsOf(relocated) }];
  }
  const [primary, secondary] = [instance.primaryNode, instance.secondaryNodes[0] ?? ""];
  const sides: readonly (readonly [Side, string, string])[] = [
    ["primary", primary, secondary],
    ["secondary", secondary, primary],
  ];
  return sides.flatMap(([side, at, from]) => {
    const broken = judged.filter(({ need }) => need.what === "replace" && need.side === side);
    if (broken.length === 0) return [];
    const disks = broken.map(({ resource }) => resource);
    const job = replaceDisks(
      instance.name,
      side,
      disks.map(({ diskIndex }) => diskIndex),
    );
    return [{ job, disks, from, at, why: reasonsOf(broken) }];
  });
}

/** A new secondary is copied from the primary's disks: each of them must be whole first. */
function clash(judged: readonly Judged[]): string[] {
  const relocates = judged.some(({ need }) => need.what === "relocate");
  if (!relocates) return [];
  return judged
    .filter((it) => it.noSource !== "")
    .map(
      (it) => `disk/${it.resource.diskIndex}: ${it.noSource}; another disk needs a new secondary node (I1)`,
    );
}

function reasonOf({ resource, need }: Judged): string {
  return "why" in need ? `disk/${resource.diskIndex}: ${need.why}` : "";
}

function reasonsOf(judged: readonly Judged[]): string {
  return judged.map(reasonOf).join("; ");
}

interface NoRoom {
  readonly text: string;
  readonly wayOut: string;
}

/** All copies that are made on one node must fit there; those that hail places are looked at one by one before. */
export function roomRefusals(works: readonly Work[], volumesOf: (node: string) => NodeVolumes): NoRoom[] {
  const wanted = new Map<string, { node: string; vg: string; mib: number }>();
  for (const { at, disks } of works.flatMap(({ jobs }) => jobs)) {
    if (at === "") continue;
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
