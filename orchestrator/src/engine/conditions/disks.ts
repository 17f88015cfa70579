/** Conditions of a disk and of what lies on it. A disk is known by its identity, never by its name alone (I12). */
import {
  Source,
  type BlockDevice,
  type DiskIdentity,
  type DiskInState,
  type MapsGone,
  type VolumeGroupOn,
  type VolumeThere,
} from "@vigie/proto";
import { factsOf } from "../../view/node-view.js";
import { never, NOT_YET, notYet, seen, type ConditionDefinition } from "./condition.js";

export const diskInState: ConditionDefinition<DiskInState> = {
  asks: ({ disk }) => [{ node: disk?.node ?? "", source: Source.BLOCK_DEVICES }],
  watch:
    ({ disk, state }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(disk?.node ?? "");
      const source = node?.sources.get(Source.BLOCK_DEVICES);
      const facts = factsOf(node, Source.BLOCK_DEVICES, "blockDevices");
      if (disk === undefined || source === undefined || facts === undefined || source.readAtMs < sinceMs)
        return NOT_YET;
      if (source.report.damaged.some(({ object }) => object === disk.name)) return NOT_YET; // I11
      const found = facts.devices.find((device) => isThis(device, disk));
      if (found === undefined && facts.devices.some((device) => mayBeThis(device, disk))) return NOT_YET; // I11
      if (found === undefined)
        return state === "" ? seen(`the kernel of ${disk.node} lists ${disk.name} no more`) : NOT_YET;
      return found.state === state && state !== ""
        ? seen(`${disk.name} is ${found.state}`)
        : notYet(`${disk.name} is ${found.state}`);
    },
};

export const mapsGone: ConditionDefinition<MapsGone> = {
  asks: ({ node }) => [{ node, source: Source.DEVICE_MAPPER }],
  watch:
    ({ node: name, maps }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(name);
      const source = node?.sources.get(Source.DEVICE_MAPPER);
      const facts = factsOf(node, Source.DEVICE_MAPPER, "deviceMapper");
      if (source === undefined || facts === undefined || source.readAtMs < sinceMs) return NOT_YET;
      if (source.report.damaged.length > 0) return NOT_YET; // I11
      const left = maps.filter((map) => facts.devices.some((device) => device.uuid === map.uuid));
      if (left.length === 0) return seen(`${maps.length} volumes are gone on ${name}`);
      return notYet(`${left.length} of ${maps.length} volumes are left`);
    },
};

export const volumeGroupOn: ConditionDefinition<VolumeGroupOn> = {
  asks: ({ node }) => [
    { node, source: Source.LVM },
    { node, source: Source.BLOCK_DEVICES },
  ],
  watch:
    ({ node: name, vgName, disk }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(name);
      const lvm = factsOf(node, Source.LVM, "lvm");
      const devices = factsOf(node, Source.BLOCK_DEVICES, "blockDevices");
      const read = [Source.LVM, Source.BLOCK_DEVICES].every(
        (source) => (node?.sources.get(source)?.readAtMs ?? -1) >= sinceMs,
      );
      if (!read || disk === undefined || lvm === undefined || devices === undefined) return NOT_YET;
      const found = devices.devices.find((device) => isThis(device, disk));
      const names = [found?.name, ...(found?.partitions ?? [])].map((part) => `/dev/${part}`);
      const pv = lvm.physicalVolumes.find((p) => p.vgName === vgName && names.includes(p.pvName));
      return pv === undefined ? NOT_YET : seen(`${vgName} on ${name} lies on ${pv.pvName}`);
    },
};

export const volumeThere: ConditionDefinition<VolumeThere> = {
  asks: ({ node }) => [{ node, source: Source.LVM }],
  watch:
    ({ node: name, volume }, { sinceMs }) =>
    (view) => {
      const node = view.nodes.get(name);
      const lvm = factsOf(node, Source.LVM, "lvm");
      if (lvm === undefined || (node?.sources.get(Source.LVM)?.readAtMs ?? -1) < sinceMs) return NOT_YET;
      const found = lvm.logicalVolumes.find(({ vgName, lvName }) => `${vgName}/${lvName}` === volume);
      if (found === undefined) return notYet(`${volume} is not on ${name}`);
      const fault = volumeFault(found.attr);
      return fault === "" ? seen(`${volume} is on ${name}`) : never(`${volume} on ${name} ${fault}`);
    },
};

/** A device under the disk's name whose own identity could not be read: it may be the one that is looked for. */
function mayBeThis(device: BlockDevice, disk: DiskIdentity): boolean {
  return device.name === disk.name && disk.wwid !== "" && device.wwid === "";
}

/** lv_attr, lvs(8): the type first, `I` at 5 is an invalid snapshot, `p` at 9 a volume with a missing part. */
function volumeFault(attr: string): string {
  if (attr.charAt(8) === "p") return "is partial: a disk of it is missing";
  if (attr.charAt(4) === "I" || attr.charAt(4) === "S") return "is an invalid snapshot";
  return "";
}

/** By its world-wide name; a disk that has none, by all else that it tells. */
function isThis(device: BlockDevice, disk: DiskIdentity): boolean {
  if (disk.wwid !== "") return device.wwid === disk.wwid;
  return device.name === disk.name && device.serial === disk.serial && device.sizeBytes === disk.sizeBytes;
}
