/** Which disks are split, and why one side of them may not be given up. */
import { ConnectionState, DiskState, type GanetiInstance, Source } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import { freshFacts } from "../view/fresh-facts.js";
import type { WhereItRuns } from "./guests.js";
import { onMaster } from "./manual-ganeti.js";
import { mirrorsOf } from "./parameters.js";
import { masterOf } from "./plan.js";
import type { RunbookRequest } from "./runbook.js";
import { sameGeneration, type Side, sidesOf } from "./split-sides.js";

export interface Split {
  readonly resource: Resource;
  readonly sides: readonly Side[];
}

/** Disks of which an end gave the connection up. */
export function splitDisks(view: ClusterView, instance: GanetiInstance, nowMs: number): Split[] {
  return mirrorsOf(view, instance)
    .map((resource) => ({ resource, sides: sidesOf(view, resource, nowMs) }))
    .filter(({ sides }) => sides.some((side) => side.view.drbd?.connection === ConnectionState.STAND_ALONE));
}

export function guestRefusals({ name }: GanetiInstance, victim: string, runs: WhereItRuns): string[] {
  const why: string[] = [];
  if (runs.on.includes(victim))
    why.push(`${name} runs on ${victim}: what it reads and writes would be given up`);
  if (runs.on.length > 1)
    why.push(`${name} runs on ${runs.on.join(" and ")} at once: stop one of them first`);
  if (runs.unknown.length > 0)
    why.push(`${runs.unknown.join(" and ")} does not tell whether ${name} runs there (I7)`);
  return why;
}

export function sideRefusals(
  { view, nowMs }: RunbookRequest,
  { resource, sides }: Split,
  victim: string,
): string[] {
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
