/**
 * A disk that fails is taken out: its guests go to their other node while the disk still answers, the kernel asks it
 * no more, DRBD lets it go, its volumes go, and the kernel forgets it. One copy of everything on it is given up at
 * once, so the other copy of each must be whole, or nothing is done (I2).
 */
import { type BlockDevice, DiskState, type GanetiInstance, Role } from "@vigie/proto";
import { redundancyOf } from "../view/redundancy.js";
import { type Copy, copyAt } from "./copies.js";
import { describeDisk, sizeText } from "./disk-devices.js";
import { diskLayout, type DiskLayout } from "./disk-layout.js";
import { manualLocate } from "./manual-disks.js";
import { typed } from "./manual.js";
import { diskNamed, given, nodeNamed, yesOrNo } from "./parameters.js";
import { makePlan } from "./plan.js";
import { retireRefusals, retireWayOut } from "./retire-disk-refusals.js";
import { allocatableSteps, diskSteps, isWhole, migrateStep } from "./retire-disk-steps.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { watcherSteps } from "./watcher.js";

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
    const moves = yesOrNo("migrate", parameters["migrate"], true);
    const layout = diskLayout(view, node, disk, nowMs);
    const copies = layout.mirrors.map((resource) => copyAt(view, resource, node, nowMs));
    const guests = moves && layout.running ? guestsToMove(request, node, copies) : [];
    const refusals = retireRefusals(request, node, disk, layout, copies);
    const watcher = watcherSteps(request);
    const steps = [
      ...allocatableSteps(view, node, layout),
      ...watcher.pause,
      ...guests.map((instance, i) => migrateStep(view, instance, node, i + 1)),
      ...diskSteps(view, node, layout, copies, guests),
      ...watcher.resume,
    ];
    return makePlan(retireDisk, request, {
      subject: `${node} ${disk.name}`,
      parameters: { node, disk: disk.name, migrate: moves ? "" : "no" },
      steps: refusals.length === 0 ? steps : [],
      touches: { nodes: [node], resources: layout.mirrors, alone: "a disk set offline" },
      notes: [...notesOf(disk, layout, copies, guests), ...elsewhereNotes(request, layout), ...watcher.notes],
      refusals,
      wayOut: retireWayOut(request, node, disk, copies),
      destructive: true,
    });
  },
};

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
    `at the end, pull it out of ${identity.node}: ${describeDisk(disk)}; then: vigie do adopt-disk ${identity.node} NEW ${typed(`replaces=${disk.wwid}`)}`,
  ];
}

/** A person may go on where the policy would not: then one knows (I9). */
function elsewhereNotes({ view, nowMs }: RunbookRequest, { mirrors }: DiskLayout): string[] {
  const { active, single } = redundancyOf(view, nowMs, new Set(mirrors.map(({ key }) => key)));
  return single === 0
    ? []
    : [`elsewhere ${single} of ${active} mirrored disks have one copy only already (I9)`];
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
