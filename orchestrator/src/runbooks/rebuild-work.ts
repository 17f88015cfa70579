/** What an instance needs, of all its disks together, and whether there is room for it. */
import { type GanetiInstance, ReplaceMode } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { sizeText } from "./disk-devices.js";
import { newSecondary, replaceDisks } from "./ganeti-jobs.js";
import type { GanetiJobKind } from "./manual-ganeti.js";
import type { NodeVolumes } from "./node-volumes.js";
import { mirrorsOf } from "./parameters.js";
import { type DiskNeed, type NeedContext, needOf, type Side } from "./rebuild-need.js";
import type { RunbookRequest } from "./runbook.js";

const META_MIB = 128; // of DRBD's metadata, beside each disk

export interface Work {
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

export function ganetiNodes(view: ClusterView): Pick<NeedContext, "offline" | "eligible"> {
  const nodes = view.inventory?.nodes ?? [];
  return {
    offline: new Set(nodes.filter((node) => node.offline).map(({ name }) => name)),
    eligible: new Set(nodes.filter((node) => !node.offline && !node.drained).map(({ name }) => name)),
  };
}

export function workOf(
  { view, nowMs, minStillMs }: RunbookRequest,
  known: Omit<NeedContext, "minStillMs">,
): Work {
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

export function isWork(work: Work): boolean {
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

interface NoRoom {
  readonly text: string;
  readonly wayOut: string;
}

/** All copies that are made on one node must fit there; those that hail places are Ganeti's to place. */
export function roomRefusals(works: readonly Work[], volumesOf: (node: string) => NodeVolumes): NoRoom[] {
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
