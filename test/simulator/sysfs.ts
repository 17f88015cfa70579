/** /sys/block of one node: disks, device-mapper's devices and DRBD's minors, and a disk's folder held open. */
import type { Host } from "@vigie/agent";
import { endAt } from "./drbd-model.js";
import { DM_MAJOR } from "./dmsetup.js";
import { DRBD_MAJOR } from "./maps.js";
import type { BlockDiskModel, MapModel, NodeModel } from "./node-model.js";
import { errno } from "./outcome.js";
import { minorsAt, noteRun, usesVolume, volumeNames, type World } from "./world.js";

const BLOCK = "/sys/block";

/** A file's text, a folder's names, or a link's target; undefined: it is not there. */
type Entry = string | readonly string[] | { readonly link: string } | undefined;

export function sysfsEntry(world: World, node: NodeModel, path: string): Entry {
  if (path === BLOCK) return deviceNames(world, node);
  const [name = "", ...rest] = path.slice(BLOCK.length + 1).split("/");
  const attribute = rest.join("/");
  const disk = node.disks.find((each) => each.name === name);
  if (disk !== undefined) return diskEntry(node, disk, attribute);
  const map = node.maps.find(({ minor }) => name === `dm-${minor}`);
  if (map !== undefined) return mapEntry(world, node, map, attribute);
  const of = name.startsWith("drbd") ? Number(name.slice("drbd".length)) : undefined;
  const minor = world.disks
    .map((each) => endAt(each, node.name))
    .find((end) => end?.configured === true && end.minor === of)?.minor;
  return minor === undefined ? undefined : minorEntry(node, minor, attribute);
}

function deviceNames(world: World, node: NodeModel): string[] {
  return [
    ...node.disks.map(({ name }) => name),
    ...node.maps.map(({ minor }) => `dm-${minor}`),
    ...minorsAt(world, node).map(({ minor }) => `drbd${minor}`),
  ];
}

function diskEntry(node: NodeModel, disk: BlockDiskModel, attribute: string): Entry {
  const [part = "", of] = attribute.split("/");
  if (disk.partitions.includes(part)) return partitionEntry(node, disk, part, of);
  return DISK_ENTRIES[attribute]?.(disk, node);
}

/** Each made only when it is read: this is read thousands of times in a simulated minute. */
const DISK_ENTRIES: Readonly<Record<string, (disk: BlockDiskModel, node: NodeModel) => Entry>> = {
  "": ({ partitions }) => ["dev", "size", "holders", "device", "queue", ...partitions],
  size: ({ sizeBytes }) => `${sizeBytes / 512}\n`,
  dev: ({ dev }) => `${dev}\n`,
  holders: ({ dev }, node) => holdersOf(node, dev),
  removable: () => "0\n",
  "queue/rotational": () => "1\n",
  device: ({ scsiAddress }) => ({ link: `../../../${scsiAddress}` }),
  "device/state": ({ state }) => `${state}\n`,
  "device/wwid": ({ wwid }) => `${wwid}\n`,
  "device/vpd_pg80": ({ serial }) => `\0\u0080\0${String.fromCharCode(serial.length)}${serial}`,
  "device/model": ({ model }) => `${model}\n`,
  "device/ioerr_cnt": ({ ioErrors }) => `0x${ioErrors.toString(16)}\n`,
  "device/iodone_cnt": () => "0x10\n",
};

function partitionEntry(node: NodeModel, disk: BlockDiskModel, part: string, of: string | undefined): Entry {
  const [major = "", minor = ""] = disk.dev.split(":");
  const dev = `${major}:${Number(minor) + Number(part.slice(disk.name.length))}`;
  if (of === "dev") return `${dev}\n`;
  return of === "holders" ? holdersOf(node, dev) : undefined;
}

function mapEntry(world: World, node: NodeModel, map: MapModel, attribute: string): Entry {
  switch (attribute) {
    case "":
      return ["dev", "size", "holders", "dm"];
    case "size":
      return `${map.sectors}\n`;
    case "dev":
      return `${DM_MAJOR}:${map.minor}\n`;
    case "holders": {
      const holder = usesVolume(world, node, map.name);
      return holder === undefined ? [] : [`drbd${holder.minor}`];
    }
    case "dm/name":
      return `${map.name}\n`;
    case "dm/uuid":
      return `${map.uuid}\n`;
    default:
      return undefined;
  }
}

function minorEntry(node: NodeModel, minor: number, attribute: string): Entry {
  const dev = `${DRBD_MAJOR}:${minor}`;
  const entries: Readonly<Record<string, Entry>> = {
    "": ["dev", "size", "holders"],
    size: "131072\n",
    dev: `${dev}\n`,
    holders: holdersOf(node, dev),
  };
  return entries[attribute];
}

function holdersOf(node: NodeModel, dev: string): string[] {
  return node.maps.filter(({ on }) => on === dev).map(({ minor }) => `dm-${minor}`);
}

/** The disk that has this name now; what is asked of it later is asked of that one, or fails once it is gone (I14). */
export function openDevice(
  world: World,
  node: NodeModel,
  name: string,
): Awaited<ReturnType<Host["openDevice"]>> {
  const disk = node.disks.find((each) => each.name === name);
  if (disk === undefined) throw errno("ENOENT", `${BLOCK}/${name}`);
  const entry = (attribute: string): Entry => {
    if (!node.disks.includes(disk)) throw errno("ENODEV", attribute);
    return diskEntry(node, disk, attribute);
  };
  const of = <T extends Entry>(attribute: string, is: (found: Entry) => found is T): T => {
    const found = entry(attribute);
    if (!is(found)) throw errno("ENOENT", attribute);
    return found;
  };
  return {
    read: async (attribute) => of(attribute, isText),
    readLink: async (attribute) => of(attribute, isLink).link,
    list: async (attribute) => [...of(attribute, isFolder)],
    write: async (attribute, line) => {
      const text = line.trim();
      entry(attribute);
      noteRun(world, node, ["echo", text, ">", `${BLOCK}/${name}/device/${attribute}`]);
      const trouble = world.trouble(node, ["echo", text]);
      if (trouble === "hangs") await new Promise(() => undefined);
      if (trouble === "fails") throw errno("EIO", attribute);
      if (attribute === "state") disk.state = "offline";
      else node.disks.splice(node.disks.indexOf(disk), 1);
      if (attribute === "delete") forget(node, disk);
    },
    close: async () => undefined,
  };
}

/** LVM never lists its volumes again; their maps stay until they are removed. */
function forget(node: NodeModel, disk: BlockDiskModel): void {
  for (const volume of node.volumes.filter((each) => each.disk === disk))
    node.volumes.splice(node.volumes.indexOf(volume), 1);
}

export function isText(entry: Entry): entry is string {
  return typeof entry === "string";
}

export function isFolder(entry: Entry): entry is readonly string[] {
  return Array.isArray(entry);
}

export function isLink(entry: Entry): entry is { readonly link: string } {
  return typeof entry === "object" && "link" in entry;
}

/** Which mirrored disks have a volume on this one. */
export function mirrorsOn(world: World, node: NodeModel, disk: BlockDiskModel) {
  return world.disks.filter((each) => {
    const { data } = volumeNames(each);
    return (
      endAt(each, node.name) !== undefined &&
      node.volumes.some((volume) => volume.disk === disk && volume.lvName === data)
    );
  });
}
