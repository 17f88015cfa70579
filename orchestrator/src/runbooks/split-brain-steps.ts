/** The steps that keep, give up and copy anew one side of a split brain. */
import { type Condition, type DrbdEnd, type GanetiInstance, type PlanStep, Source } from "@vigie/proto";
import type { Resource } from "../view/join.js";
import { allOf, queueFree, redundant, victimReady, volumeThere, watcherPaused } from "./conditions.js";
import { DISCARD_MS, FLAG_JOB_MS, NO_LIMIT_MS, SNAPSHOT_MS } from "./deadlines.js";
import { sizeText } from "./disk-devices.js";
import { drbdEndAt } from "./drbd-end.js";
import { freshFacts } from "../view/fresh-facts.js";
import { activateDisks, cleanup, jobStep } from "./ganeti-jobs.js";
import type { WhereItRuns } from "./guests.js";
import { manualDiscard, manualRemoveSnapshot, manualSnapshot } from "./manual-minors.js";
import { manualLook } from "./manual.js";
import { connectable, placed } from "./premises.js";
import type { RunbookRequest } from "./runbook.js";
import type { Split } from "./split-brain-refusals.js";
import type { Side } from "./split-sides.js";
import { act, wait } from "./steps.js";
import { watcherSteps } from "./watcher.js";

interface Snapshot {
  readonly resource: Resource;
  readonly name: string;
  readonly sizeKib: number;
}

/** Room for every block of the volume, since the resync writes them all, and for LVM's own table. */
const SNAPSHOT_SHARE = 1.02;

/** @returns one for each disk, or none where they do not all fit */
export function snapshotsOf(
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

export function splitBrainSteps(
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
  const premises = [placed(instance, { notRunningOn: [victim] })];
  const mayConnect = connectable(view, instance, new Map(split.map(({ resource }) => [resource, victim])));
  const connect = whereElse
    ? jobStep(view, cleanup(name), {
        id: "connect",
        title: `make Ganeti's primary node the one where ${name} runs, and connect its disks`,
        premises: [...premises, ...mayConnect],
        deadlineMs: NO_LIMIT_MS,
      })
    : jobStep(view, activateDisks(name), {
        id: "connect",
        title: `let Ganeti connect the disks of ${name}`,
        premises: [...premises, ...mayConnect],
        deadlineMs: FLAG_JOB_MS,
      });
  return [
    ...watcher.pause,
    ...ends.flatMap(({ resource, end }) => snapshotSteps(end, snapshotOf(resource), premises)),
    ...ends.map(({ resource, sides, end }) =>
      discardStep(instance, end, sides, snapshotOf(resource), premises),
    ),
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

function snapshotSteps(
  end: DrbdEnd,
  snapshot: Snapshot | undefined,
  premises: readonly Condition[],
): PlanStep[] {
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
      premises,
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
  premises: readonly Condition[],
): PlanStep {
  const uuidAt = (at: string): string =>
    sides.find(({ node }) => node === at)?.generations?.currentUuid ?? "";
  const [currentUuid, survivorUuid] = [uuidAt(end.node), uuidAt(end.peerNode)];
  return act({
    id: `discard-${end.diskIndex}`,
    title: `GIVE UP what ${end.node} has of ${instance.name} disk/${end.diskIndex}, minor ${end.minor}, generation ${currentUuid}, for generation ${survivorUuid} of ${end.peerNode}`,
    node: end.node,
    action: {
      $case: "discardVictim",
      value: {
        end,
        typedNode: end.node,
        currentUuid,
        survivorUuid,
        peer: undefined,
        snapshotName: snapshot?.name ?? "",
      },
    },
    holds: victimReady(end),
    premises,
    requires: allOf(watcherPaused(true), queueFree([instance.name], [end.node, end.peerNode])),
    condition: victimReady(end),
    deadlineMs: DISCARD_MS,
    manual: manualDiscard(end),
    irreversible: true,
  });
}

export function lossNotes(
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
