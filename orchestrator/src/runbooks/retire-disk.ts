/**
 * A disk that fails is taken out: its guests go to their other node while the disk still answers, the kernel asks it
 * no more, DRBD lets it go, its volumes go, and the kernel forgets it. One copy of everything on it is given up at
 * once, so the other copy of each must be whole, or nothing is done (I2).
 */
import {
  DiskState,
  Role,
  Source,
  type BlockDevice,
  type DrbdEnd,
  type GanetiInstance,
  type PlanStep,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { isRedundant } from "../view/node-view.js";
import {
  allOf,
  diskInState,
  instanceOn,
  mapsGone,
  minorDiskless,
  queueFree,
  redundant,
  watcherPaused,
} from "./conditions.js";
import { copyAt, givingUpRefusals, isDisklessHere, type Copy } from "./copies.js";
import {
  DETACH_MS,
  DISK_STATE_MS,
  FLAG_JOB_MS,
  MAPS_MS,
  MIGRATION_MS,
  REDUNDANT_BEFORE_LOSS_MS,
} from "./deadlines.js";
import { describeDisk, identityRefusals, sizeText } from "./disk-devices.js";
import { diskLayout, offlineDisks, type DiskLayout } from "./disk-layout.js";
import { drbdEndAt } from "./drbd-end.js";
import { freshFacts } from "./fresh-facts.js";
import { jobStep, migrate, setAllocatable } from "./ganeti-jobs.js";
import {
  manualDeleteDisk,
  manualDetach,
  manualDiskOffline,
  manualLocate,
  manualRemoveMaps,
} from "./manual-disks.js";
import { diskNamed, given, mirrorsOf, nodeNamed, yesOrNo } from "./parameters.js";
import { makePlan } from "./plan.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { act } from "./steps.js";
import { watcherSteps } from "./watcher.js";
import { waysToWhole } from "./ways-out.js";

export const retireDisk: Runbook = {
  name: "retire-disk",
  version: 1,
  summary: "take a failing disk out of service, so that it can be pulled out",
  rung: "migrate",
  explanation: [
    "Puts no new volume on it, migrates the guests whose disk on it still works, sets it offline, makes DRBD let go of",
    "it, removes its volumes from device-mapper, and makes the kernel forget it. Then it can be pulled out.",
    "",
    "Refuses: a copy whose peer is not Connected and UpToDate by both ends' word; anything on it that is not a copy of",
    "a mirrored disk (plain volumes, swap, /, /boot); a volume with a part on another disk; a second disk that is",
    "offline in the cluster; a disk without a world-wide name.",
    "",
    "By hand, on its node:",
    "  echo offline > /sys/block/sdb/device/state",
    "  drbdsetup detach 47   (each minor on it that has not noticed)",
    "  dmsetup remove kvmvg-…   (each volume on it, one by one)",
    "  echo 1 > /sys/block/sdb/device/delete",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node", required: true },
    { name: "disk", summary: "the kernel's name of the disk: sdb", required: true },
    {
      name: "migrate",
      summary: "no: leave its guests where they are, on their peers' copies",
      required: false,
    },
  ],
  forIncident: ({ subject }) =>
    subject === undefined || subject.node === "" || subject.device === ""
      ? undefined
      : { node: subject.node, disk: subject.device },
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(retireDisk, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const disk = diskNamed(view, node, parameters["disk"] ?? "");
    const moves = yesOrNo("migrate", parameters["migrate"] ?? "yes");
    const layout = diskLayout(view, node, disk, nowMs);
    const copies = layout.mirrors.map((resource) => copyAt(view, resource, node, nowMs));
    const guests = moves && layout.running ? guestsToMove(request, node, copies) : [];
    const refusals = refusalsOf(request, node, disk, layout, copies);
    const watcher = watcherSteps(request);
    const steps = [
      ...allocatableSteps(view, node, layout),
      ...watcher.pause,
      ...guests.map((instance, i) => migrateStep(view, instance, node, i + 1)),
      ...diskSteps(view, node, layout, copies),
      ...watcher.resume,
    ];
    return makePlan(retireDisk, request, {
      subject: `${node} ${disk.name}`,
      parameters: { node, disk: disk.name, migrate: moves ? "" : "no" },
      steps: refusals.length === 0 ? steps : [],
      touches: { nodes: [node], resources: layout.mirrors },
      notes: [...notesOf(disk, layout, copies, guests), ...watcher.notes],
      refusals,
      wayOut: wayOutOf(request, node, disk, copies),
      destructive: true,
    });
  },
};

/** No new volume on it; a disk that does not answer takes none, and pvchange would fail. */
function allocatableSteps(view: ClusterView, node: string, { identity, running }: DiskLayout): PlanStep[] {
  const { pvName } = identity;
  if (!running || pvName === "") return [];
  const step = (id: string, allocatable: boolean) => ({
    id,
    title: allocatable ? `let new volumes onto ${pvName} again` : `put no new volume on ${pvName}`,
    deadlineMs: FLAG_JOB_MS,
  });
  return [
    jobStep(view, setAllocatable(node, pvName, false), {
      ...step("set-unallocatable", false),
      requires: queueFree([], [node]),
      undo: "set-allocatable",
    }),
    jobStep(view, setAllocatable(node, pvName, true), { ...step("set-allocatable", true), onlyAsUndo: true }),
  ];
}

function migrateStep(view: ClusterView, instance: GanetiInstance, node: string, count: number): PlanStep {
  const { name } = instance;
  const [to = ""] = instance.secondaryNodes;
  return jobStep(view, migrate(name), {
    id: `migrate-${count}`,
    title: `migrate ${name} from ${node} to ${to}, while its disk still works`,
    holds: instanceOn(name, to, true),
    requires: queueFree([name], [node, to]),
    afterwards: [instanceOn(name, to, true), redundant(name)],
    deadlineMs: MIGRATION_MS,
  });
}

function diskSteps(view: ClusterView, node: string, layout: DiskLayout, copies: readonly Copy[]): PlanStep[] {
  const { identity, maps } = layout;
  const all = copies.map((copy) => drbdEndAt(view, copy.resource, node));
  const attached = copies
    .filter((copy) => !isDisklessHere(copy))
    .map((copy) => drbdEndAt(view, copy.resource, node));
  const instances = [...new Set(copies.map(({ resource }) => resource.instance))];
  const whole = instances.filter((name) => isWhole(view, view.instances.get(name)));
  const offline = act({
    id: "set-disk-offline",
    title: `${node}: ${identity.name} gets no more I/O; ${attached.length} minors lose it together`,
    node,
    action: { $case: "setDiskOffline", value: { disk: identity, minors: all, peers: [] } },
    holds: diskInState(identity, "offline"),
    requires: allOf(
      watcherPaused(true),
      queueFree(instances, [node]),
      ...whole.map((name) => redundant(name, REDUNDANT_BEFORE_LOSS_MS)),
    ),
    condition: diskInState(identity, "offline"),
    deadlineMs: DISK_STATE_MS,
    manual: manualDiskOffline(identity),
    irreversible: true,
  });
  const removeMaps = act({
    id: "remove-volume-maps",
    title: `${node}: remove the ${maps.length} volumes that lie on ${identity.name} from device-mapper`,
    node,
    action: { $case: "removeVolumeMaps", value: { disk: identity, maps: [...maps] } },
    holds: mapsGone(node, maps),
    condition: mapsGone(node, maps),
    deadlineMs: MAPS_MS,
    manual: manualRemoveMaps(node, maps),
    irreversible: true,
  });
  const deleteDisk = act({
    id: "delete-disk",
    title: `${node}: the kernel forgets ${identity.name}`,
    node,
    action: { $case: "deleteDisk", value: { disk: identity } },
    holds: diskInState(identity, ""),
    condition: diskInState(identity, ""),
    deadlineMs: DISK_STATE_MS,
    manual: manualDeleteDisk(identity),
    irreversible: true,
  });
  return [
    offline,
    ...attached.map((end, i) => detachStep(end, i + 1)),
    ...(maps.length === 0 ? [] : [removeMaps]),
    deleteDisk,
  ];
}

/** DRBD notices by itself at its next I/O; a minor without any is told. */
function detachStep(end: DrbdEnd, count: number): PlanStep {
  return act({
    id: `detach-${count}`,
    title: `${end.instance} disk/${end.diskIndex}: minor ${end.minor} of ${end.node} goes on by ${end.peerNode}'s copy`,
    node: end.node,
    action: { $case: "detachMinor", value: { end, peer: undefined } },
    holds: minorDiskless(end),
    condition: minorDiskless(end),
    deadlineMs: DETACH_MS,
    manual: manualDetach(end),
    irreversible: true,
  });
}

/** Running guests whose primary node this is, and whose every disk is whole: Ganeti migrates no other. */
function guestsToMove({ view }: RunbookRequest, node: string, copies: readonly Copy[]): GanetiInstance[] {
  const names = new Set(
    copies.filter(({ own }) => own?.drbd?.role === Role.PRIMARY).map((c) => c.resource.instance),
  );
  return [...names]
    .map((name) => view.instances.get(name))
    .filter((instance) => instance !== undefined)
    .filter(({ primaryNode, adminState }) => primaryNode === node && adminState === "up")
    .filter((instance) => isWhole(view, instance));
}

function isWhole(view: ClusterView, instance: GanetiInstance | undefined): boolean {
  if (instance === undefined) return false;
  const ends = mirrorsOf(view, instance).flatMap((resource) => resource.ends);
  return ends.every(({ node, minor }) => {
    const drbd = view.nodes.get(node)?.minors.get(minor)?.drbd;
    return drbd !== undefined && isRedundant(drbd);
  });
}

function refusalsOf(
  { view, nowMs }: RunbookRequest,
  node: string,
  disk: BlockDevice,
  layout: DiskLayout,
  copies: readonly Copy[],
): string[] {
  const devices = freshFacts(view.nodes.get(node), Source.BLOCK_DEVICES, "blockDevices", nowMs);
  const others = offlineDisks(view.nodes.values()).filter(
    (o) => o.node !== node || o.disk.name !== disk.name,
  );
  return [
    ...(devices.unknown === "" ? [] : [devices.unknown]),
    ...identityRefusals(disk, devices.facts?.devices ?? []),
    ...stateRefusals(disk),
    ...layout.obstacles,
    ...copies.flatMap(givingUpRefusals),
    ...others.map((o) => `${o.node} ${o.disk.name} is ${o.disk.state}: one disk at a time in a cluster (I9)`),
  ];
}

function stateRefusals({ name, state }: BlockDevice): string[] {
  if (state === "") return [`${name} is no SCSI disk: the kernel has no switch to set it offline`];
  if (state === "running" || state === "offline") return [];
  return [`${name} is ${state}: the kernel is not in a state to set it offline`];
}

function notesOf(
  disk: BlockDevice,
  { identity, running, mirrors }: DiskLayout,
  copies: readonly Copy[],
  guests: readonly GanetiInstance[],
): string[] {
  const moved = new Set(guests.map(({ name }) => name));
  const mib = mirrors.reduce((sum, { sizeMib }) => sum + sizeMib, 0);
  return [
    `the disk: ${describeDisk(disk)}${running ? "" : `; it is ${disk.state}`}`,
    ...copies.map((copy) => copyNote(copy, moved)),
    `afterwards ${mirrors.length} mirrored disks, ${sizeText(mib * 2 ** 20)}, have one copy only: vigie do rebuild-redundancy ${identity.node}`,
    "until they are rebuilt, Ganeti's watcher tries every 5 minutes to activate them, and fails: that is harmless",
    `the light of its slot, where the enclosure has one: ${manualLocate(identity)}`,
    `at the end, pull it out of ${identity.node}: ${describeDisk(disk)}; then: vigie do adopt-disk ${identity.node} NEW replaces=${disk.wwid}`,
  ];
}

function copyNote({ resource, own, peer }: Copy, moved: ReadonlySet<string>): string {
  const name = `${resource.instance} disk/${resource.diskIndex}`;
  const there = peer?.end.node ?? "?";
  const primary = own?.drbd?.role === Role.PRIMARY;
  if (own?.drbd?.disk === DiskState.DISKLESS)
    return `${name}: Diskless here already${primary ? ", its guest runs by the network" : ""}; ${there} has the only copy`;
  if (moved.has(resource.instance))
    return `${name}: its guest is migrated to ${there}, which then has the only copy`;
  if (primary)
    return `${name}: its guest stays here, and reads and writes by the network; ${there} has the only copy`;
  return `${name}: the secondary's copy goes; ${there}, where it is Primary or stopped, has the only one`;
}

function wayOutOf(
  { view, minStillMs }: RunbookRequest,
  node: string,
  disk: BlockDevice,
  copies: readonly Copy[],
): string[] {
  const unfit = copies.filter((copy) => givingUpRefusals(copy).length > 0);
  const others = offlineDisks(view.nodes.values()).filter(
    (o) => o.node !== node || o.disk.name !== disk.name,
  );
  return [
    ...unfit.flatMap((copy) => waysToWhole(copy, minStillMs)),
    ...others.map((other) => `vigie do retire-disk ${other.node} ${other.disk.name}`),
  ];
}
