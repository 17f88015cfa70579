/** Why a disk may not be taken out now, and what would clear the way. */
import { type BlockDevice, Source } from "@vigie/proto";
import { type Copy, givingUpRefusals } from "./copies.js";
import { identityRefusals } from "./disk-devices.js";
import { type DiskLayout, offlineDisks } from "./disk-layout.js";
import { onMaster } from "./manual-ganeti.js";
import { masterOf } from "./plan.js";
import type { ClusterView } from "../view/cluster-view.js";
import { freshFacts } from "../view/fresh-facts.js";
import type { RunbookRequest } from "./runbook.js";
import { waysToWhole } from "./ways-out.js";

export function retireRefusals(
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

export function retireWayOut(
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
    ...arraysOn(disk).map(
      (md) => `${node}# mdadm /dev/${md} --fail PART --remove PART   (its part on ${disk.name})`,
    ),
    ...(disk.state === "" ? evacuation(view, node) : []),
    ...unfit.flatMap((copy) => waysToWhole(copy, minStillMs)),
    ...others.map((other) => `vigie do retire-disk ${other.node} ${other.disk.name}`),
  ];
}

/** Below a RAID array the disk is the array's: it goes on without it, and no copy of DRBD's is lost. */
function arraysOn({ holders }: BlockDevice): string[] {
  return holders.filter((name) => /^md\d+$/.test(name));
}

/** An NVMe disk cannot be set offline; while it still works, all that is on its node can leave. */
function evacuation(view: ClusterView, node: string): string[] {
  return [onMaster(masterOf(view), `gnt-node migrate -f ${node}`), `vigie do relocate-secondaries ${node}`];
}
