/**
 * A blank disk becomes a physical volume of the volume group that Ganeti wants on every node. What the kernel and
 * LVM tell of it must already say that it is blank; the agent looks for signatures again before it writes (I12).
 */
import { Source, type BlockDevice } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { diskInState, volumeGroupOn } from "./conditions.js";
import { VOLUME_GROUP_MS } from "./deadlines.js";
import { describeDisk, identityOf, identityRefusals, isPartOf, pathsOf } from "./disk-devices.js";
import { freshFacts } from "../view/fresh-facts.js";
import { manualAdopt } from "./manual-disks.js";
import { diskNamed, given, nodeNamed, yesOrNo } from "./parameters.js";
import { makePlan, masterOf } from "./plan.js";
import type { Runbook, RunbookRequest } from "./runbook.js";
import { act } from "./steps.js";

export const adoptDisk: Runbook = {
  name: "adopt-disk",
  version: 1,
  summary: "make a blank disk part of the volume group that Ganeti wants",
  rung: "fix-storage",
  explanation: [
    "Makes a physical volume of a blank disk, and the volume group of the cluster on it, or extends the one that is",
    "there. Afterwards `vigie do rebuild-redundancy NODE` copies what has one copy only.",
    "",
    "Refuses: a disk with partitions, with a physical volume, a mount, a map or anything else on it; one that is not",
    "running, without a world-wide name, or the one that it is to replace; a volume group with a missing disk.",
    "The agent looks for any signature before it writes.",
    "",
    "By hand, on its node:",
    "  pvcreate /dev/sdc && vgcreate kvmvg /dev/sdc   (the wiki makes a partition of type 8e first: partition=yes)",
  ],
  parameters: [
    { name: "node", summary: "Ganeti's name of the node", required: true },
    { name: "disk", summary: "the kernel's name of the disk: sdc", required: true },
    { name: "replaces", summary: "world-wide name of the disk that it replaces", required: false },
    { name: "partition", summary: "yes: make one partition of it first, of type 8e", required: false },
  ],
  plan: (request) => {
    const { view, nowMs } = request;
    const parameters = given(adoptDisk, request);
    const node = nodeNamed(view, parameters["node"] ?? "");
    const disk = diskNamed(view, node, parameters["disk"] ?? "");
    const replaces = parameters["replaces"] ?? "";
    const partition = yesOrNo("partition", parameters["partition"]);
    const vgName = view.inventory?.vgName ?? "";
    const lvm = freshFacts(view.nodes.get(node), Source.LVM, "lvm", nowMs);
    const vgIsThere = (lvm.facts?.volumeGroups ?? []).some((vg) => vg.vgName === vgName);
    const identity = identityOf(node, view.nodes.get(node)?.bootId ?? "", disk, lvm.facts);
    const refusals = refusalsOf(request, node, disk, vgName, replaces);
    const adopt = act({
      id: "adopt-disk",
      title: `${node}: ${disk.name} becomes ${vgIsThere ? "part of" : "the disk of"} the volume group ${vgName}`,
      node,
      action: { $case: "adoptDisk", value: { disk: identity, vgName, partition, replacesWwid: replaces } },
      holds: volumeGroupOn(vgName, identity),
      premises: [diskInState(identity, disk.state)],
      condition: volumeGroupOn(vgName, identity),
      deadlineMs: VOLUME_GROUP_MS,
      manual: manualAdopt(identity, vgName, partition, vgIsThere),
      irreversible: true,
    });
    return makePlan(adoptDisk, request, {
      subject: `${node} ${disk.name}`,
      parameters: { node, disk: disk.name, replaces, partition: partition ? "yes" : "" },
      steps: refusals.length === 0 ? [adopt] : [],
      touches: { nodes: [node] },
      notes: [
        `the disk: ${describeDisk(disk)}; all that is on it is lost`,
        replaces === "" ? "it replaces no disk that was named" : `it replaces ${replaces}`,
        `then: vigie do rebuild-redundancy ${node}`,
      ],
      refusals,
      wayOut: [],
      destructive: true,
    });
  },
};

function refusalsOf(
  { view, nowMs }: RunbookRequest,
  node: string,
  disk: BlockDevice,
  vgName: string,
  replaces: string,
): string[] {
  const nodeView = view.nodes.get(node);
  const devices = freshFacts(nodeView, Source.BLOCK_DEVICES, "blockDevices", nowMs);
  const lvm = freshFacts(nodeView, Source.LVM, "lvm", nowMs);
  const mounts = freshFacts(nodeView, Source.MOUNTS, "mounts", nowMs);
  const mapper = freshFacts(nodeView, Source.DEVICE_MAPPER, "deviceMapper", nowMs);
  const unread = [devices, lvm, mounts, mapper];
  const paths = pathsOf(disk);
  const mounted = (mounts.facts?.mounts ?? []).filter(({ device }) => paths.includes(device));
  const maps = (mapper.facts?.devices ?? []).filter((map) =>
    map.dependsOn.some((dev) => isPartOf(disk, dev)),
  );
  const pvs = (lvm.facts?.physicalVolumes ?? []).filter(({ pvName }) => paths.includes(pvName));
  const vg = lvm.facts?.volumeGroups.find((it) => it.vgName === vgName);
  return [
    ...unread.map(({ unknown }) => unknown).filter((why) => why !== ""),
    ...unread.flatMap(({ damaged }) => damaged.map((d) => `not understood (I11): ${d.object} ${d.reason}`)),
    ...identityRefusals(disk, devices.facts?.devices ?? []),
    ...(vgName === "" ? ["which volume group Ganeti wants is not known: ask again"] : []),
    ...(disk.state === "running" || disk.state === "live"
      ? []
      : [`${disk.name} is ${disk.state || "no real disk"}`]),
    ...(replaces !== "" && disk.wwid === replaces
      ? [`${disk.name} is the very disk that it is to replace (I12)`]
      : []),
    ...disk.partitions.map((name) => `${name} is on it: it is not blank (I12)`),
    ...disk.holders.map((name) => `${name} stands on it`),
    ...mounted.map(({ device, mountPoint }) => `${device} is mounted on ${mountPoint} (I3)`),
    ...maps.map(({ name }) => `the map ${name} stands on it`),
    ...pvs.map(
      (pv) => `${pv.pvName} is a physical volume${pv.vgName === "" ? "" : ` of ${pv.vgName}`} already`,
    ),
    ...missingDisks(view, node, vg),
  ];
}

/** LVM does not extend a volume group while a disk of it is missing. */
function missingDisks(
  view: ClusterView,
  node: string,
  vg: { readonly vgName: string; readonly missingPvCount: number } | undefined,
): string[] {
  if (vg === undefined || vg.missingPvCount === 0) return [];
  const master = masterOf(view);
  return [
    `${vg.vgName} on ${node} misses ${vg.missingPvCount} of its disks: ${master}# gnt-node repair-storage ${node} lvm-vg ${vg.vgName}`,
  ];
}
