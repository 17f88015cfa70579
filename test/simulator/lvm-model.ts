/** LVM of one node: what lvs, vgs and pvs print, and what makes a volume, a group or a physical volume. */
import type { CommandOutcome } from "@vigie/agent";
import { addMap, mapName, removeMap } from "./maps.js";
import {
  lvmUuid,
  MIB,
  type BlockDiskModel,
  type NodeModel,
  type PvModel,
  type VolumeModel,
} from "./node-model.js";
import { outcome } from "./outcome.js";

const EXTENT_BYTES = 4 * MIB;
export const META_BYTES = 128 * MIB;

/** A disk of an instance that is one volume on one node, as template plain makes it. */
export interface PlainDiskModel {
  readonly uuid: string;
  readonly node: string;
  readonly lvName: string;
  readonly sizeKib: number;
}

/** A disk that does not answer is read by nobody: LVM lists nothing of it, and exits with 0. */
function readable(node: NodeModel): (BlockDiskModel & { pv: PvModel })[] {
  return node.disks.filter(
    (disk): disk is BlockDiskModel & { pv: PvModel } => disk.state === "running" && disk.pv !== undefined,
  );
}

export function volumesThere(node: NodeModel): VolumeModel[] {
  return node.volumes.filter((volume) => isThere(node, volume));
}

function isThere(node: NodeModel, { disk }: VolumeModel): boolean {
  return disk.state === "running" && node.disks.includes(disk);
}

export function hasVolume(node: NodeModel, vgName: string, lvName: string): boolean {
  return node.volumes.some(
    (volume) => volume.vgName === vgName && volume.lvName === lvName && isThere(node, volume),
  );
}

function usedBytes(node: NodeModel, disk: BlockDiskModel): number {
  return node.volumes.filter((volume) => volume.disk === disk).reduce((sum, { bytes }) => sum + bytes, 0);
}

export function freeBytes(node: NodeModel, vgName: string): number {
  return readable(node)
    .filter(({ pv }) => pv.vgName === vgName)
    .reduce((sum, disk) => sum + disk.sizeBytes - usedBytes(node, disk), 0);
}

/** @returns why not; undefined: it was made, and is active */
export function makeVolume(
  node: NodeModel,
  vgName: string,
  lvName: string,
  bytes: number,
  origin = "",
): string | undefined {
  const whole = Math.ceil(bytes / EXTENT_BYTES) * EXTENT_BYTES;
  const disk = readable(node).find(
    (each) =>
      each.pv.vgName === vgName && each.pv.allocatable && each.sizeBytes - usedBytes(node, each) >= whole,
  );
  if (disk === undefined) return `Volume group "${vgName}" not found or has insufficient free space`;
  if (hasVolume(node, vgName, lvName))
    return `Logical Volume "${lvName}" already exists in volume group "${vgName}"`;
  const uuid = lvmUuid(`${node.name} ${lvName} ${node.volumes.length} ${disk.wwid}`);
  node.volumes.push({ vgName, lvName, uuid, bytes: whole, disk, origin });
  const map = `LVM-${disk.pv.vgUuid.replaceAll("-", "")}${uuid.replaceAll("-", "")}`;
  addMap(node, { name: mapName(vgName, lvName), uuid: map, on: disk.dev, sectors: whole / 512 });
  return undefined;
}

export function removeVolume(node: NodeModel, vgName: string, lvName: string): void {
  const at = node.volumes.findIndex((volume) => volume.vgName === vgName && volume.lvName === lvName);
  if (at === -1) return;
  node.volumes.splice(at, 1);
  removeMap(node, mapName(vgName, lvName));
}

export function lvmCommand(node: NodeModel, tool: string, args: readonly string[]): CommandOutcome {
  const last = args.at(-1) ?? "";
  switch (tool) {
    case "lvs":
      return report("lv", lvs(node));
    case "vgs":
      return report("vg", vgs(node));
    case "pvs":
      return report("pv", pvs(node));
    case "pvcreate":
      return pvcreate(node, last, args[args.indexOf("--uuid") + 1] ?? "");
    case "vgcreate":
    case "vgextend":
      return intoGroup(node, args[0] ?? "", last, tool);
    default:
      return lvcreate(node, args);
  }
}

function report(kind: string, rows: readonly object[]): CommandOutcome {
  return outcome(0, JSON.stringify({ report: [{ [kind]: rows }] }));
}

function lvs(node: NodeModel): object[] {
  return volumesThere(node).map(({ vgName, lvName, uuid, bytes, disk, origin }) => ({
    vg_name: vgName,
    lv_name: lvName,
    lv_uuid: uuid,
    lv_attr: origin === "" ? "-wi-ao----" : "swi-a-s---",
    lv_size: String(bytes),
    lv_tags: "",
    origin,
    segtype: origin === "" ? "linear" : "snapshot",
    seg_size: String(bytes),
    devices: `${disk.pv?.path ?? ""}(0)`,
  }));
}

function vgs(node: NodeModel): object[] {
  const groups = Map.groupBy(
    readable(node).filter(({ pv }) => pv.vgName !== ""),
    ({ pv }) => pv.vgName,
  );
  return [...groups].map(([vgName, disks]) => ({
    vg_name: vgName,
    vg_uuid: disks[0]?.pv.vgUuid ?? "",
    vg_attr: "wz--n-",
    vg_size: String(disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    vg_free: String(freeBytes(node, vgName)),
    pv_count: String(disks.length),
    vg_missing_pv_count: "0",
  }));
}

function pvs(node: NodeModel): object[] {
  return readable(node).map((disk) => ({
    pv_name: disk.pv.path,
    pv_uuid: disk.pv.uuid,
    vg_name: disk.pv.vgName,
    pv_attr: disk.pv.allocatable ? "a--" : "u--",
    pv_size: String(disk.sizeBytes),
    pv_free: String(disk.sizeBytes - usedBytes(node, disk)),
  }));
}

/** `pvcreate --uuid UUID --norestorefile PATH` */
function pvcreate(node: NodeModel, path: string, uuid: string): CommandOutcome {
  const disk = node.disks.find(({ name, partitions }) =>
    [name, ...partitions].some((part) => path === `/dev/${part}`),
  );
  if (disk === undefined || disk.state !== "running")
    return outcome(5, "", `  No device found for ${path}.\n`);
  if (disk.pv !== undefined)
    return outcome(5, "", `  Can't initialize physical volume "${path}" of volume group\n`);
  disk.pv = { path, uuid, vgName: "", vgUuid: "", allocatable: true };
  return outcome(0, `  Physical volume "${path}" successfully created.\n`);
}

function intoGroup(node: NodeModel, vgName: string, path: string, tool: string): CommandOutcome {
  const pv = readable(node).find((disk) => disk.pv.path === path)?.pv;
  const group = readable(node).find((disk) => disk.pv.vgName === vgName)?.pv;
  if (pv === undefined || pv.vgName !== "") return outcome(5, "", `  ${path} cannot be used\n`);
  if ((tool === "vgextend") !== (group !== undefined))
    return outcome(5, "", `  Volume group "${vgName}": no\n`);
  pv.vgName = vgName;
  pv.vgUuid = group?.vgUuid ?? lvmUuid(`${vgName} on ${pv.uuid}`);
  return outcome(0, `  Volume group "${vgName}" successfully changed\n`);
}

/** `lvcreate --snapshot --name NAME --size NNNk VG/LV` */
function lvcreate(node: NodeModel, args: readonly string[]): CommandOutcome {
  const after = (option: string): string => args[args.indexOf(option) + 1] ?? "";
  const [vgName = "", lvName = ""] = (args.at(-1) ?? "").split("/");
  if (!hasVolume(node, vgName, lvName))
    return outcome(5, "", `  Failed to find logical volume "${args.at(-1)}"\n`);
  const why = makeVolume(node, vgName, after("--name"), Number.parseInt(after("--size"), 10) * 1024, lvName);
  return why === undefined ? outcome(0) : outcome(5, "", `  ${why}\n`);
}

/** @param path of the whole disk, or of a partition: a physical volume there has its label there */
export function signatures({ name, pv, partitions }: BlockDiskModel, path: string): string {
  const found = [
    ...(pv?.path === path ? [{ type: "LVM2_member", offset: "0x218" }] : []),
    ...(partitions.length === 0 || path !== `/dev/${name}` ? [] : [{ type: "dos", offset: "0x1fe" }]),
  ];
  return found.length === 0 ? "" : JSON.stringify({ signatures: found });
}
