/**
 * /var/lib/ganeti/config.data: which minors, port and volumes each instance's disks have. LUXI has no field for
 * them. From 2.12 on disks have a table of their own; before, they stand in their instance. Up to 2.8 nodes are
 * named where later they have a UUID. The shared secret (the sixth part of a DRBD disk's logical_id) is never read.
 */
import { VigieError, type Damaged, type GanetiDisk } from "@vigie/proto";
import {
  asArray,
  asCount,
  asObject,
  asString,
  asStrings,
  isObject,
  parseJson,
  type JsonObject,
} from "./json.js";

const MAX_MINOR = 2 ** 20 - 1;
const MAX_PORT = 65_535;
const TYPES: ReadonlyMap<string, string> = new Map([
  ["drbd8", "drbd"], // 2.8 and before
  ["lvm", "plain"],
]);

export interface GanetiConfig {
  readonly serial: number;
  readonly clusterTags: string[];
  readonly vgName: string; // of the volume group that every node should have; empty: LVM is not used
  readonly disksOf: ReadonlyMap<string, GanetiDisk[]>; // by instance name
  readonly damaged: Damaged[]; // under the instance's name: its disks are unknown
}

interface Tables {
  readonly nodeNames: ReadonlyMap<string, string>; // by UUID and by name
  readonly disks: JsonObject;
}

/** @throws VigieError PARSE_FAILED where the file as a whole is not a configuration */
export function parseConfigData(text: string): GanetiConfig {
  const config = asObject(parseJson(text, "config.data"), "config.data");
  const cluster = asObject(config["cluster"], "cluster");
  const tables = { nodeNames: nodeNamesOf(config), disks: asObject(config["disks"] ?? {}, "disks") };
  const disksOf = new Map<string, GanetiDisk[]>();
  const damaged: Damaged[] = [];
  for (const [key, value] of Object.entries(asObject(config["instances"], "instances"))) {
    const name = isObject(value) && typeof value["name"] === "string" ? value["name"] : key;
    try {
      disksOf.set(name, instanceDisks(asObject(value, "the instance"), tables));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: 0, reason: `its disks: ${error.message}`, minor: undefined, object: name });
    }
  }
  return {
    serial: asCount(config["serial_no"], "serial_no"),
    clusterTags: asStrings(cluster["tags"] ?? [], "tags"),
    vgName: asString(cluster["volume_group_name"] ?? "", "volume_group_name"),
    disksOf,
    damaged,
  };
}

function nodeNamesOf(config: JsonObject): Map<string, string> {
  const names = new Map<string, string>();
  for (const [key, value] of Object.entries(asObject(config["nodes"], "nodes"))) {
    if (!isObject(value) || typeof value["name"] !== "string") continue; // who needs it will say so
    names.set(key, value["name"]).set(value["name"], value["name"]);
  }
  return names;
}

function instanceDisks(instance: JsonObject, tables: Tables): GanetiDisk[] {
  return asArray(instance["disks"], "disks").map((disk, index) => {
    const inline = typeof disk === "string" ? tables.disks[disk] : disk;
    return diskOf(asObject(inline, `disk/${index}`), index, tables);
  });
}

function diskOf(disk: JsonObject, index: number, tables: Tables): GanetiDisk {
  const printed = asString(disk["dev_type"], "dev_type");
  const type = TYPES.get(printed) ?? printed;
  return {
    uuid: asString(disk["uuid"] ?? "", "uuid"),
    index,
    type,
    sizeMib: asCount(disk["size"], "size"),
    ...(type === "drbd" ? drbdOf(disk, tables) : { ...NO_DRBD, dataLv: type === "plain" ? lvOf(disk) : "" }),
  };
}

const NO_DRBD = { nodeA: "", nodeB: "", minorA: 0, minorB: 0, port: 0, dataLv: "", metaLv: "" };

/** logical_id: [node A, node B, port, minor A, minor B, secret]. children: the data volume, the metadata volume. */
function drbdOf(disk: JsonObject, tables: Tables): typeof NO_DRBD {
  const [nodeA, nodeB, port, minorA, minorB] = asArray(disk["logical_id"], "logical_id").slice(0, 5);
  const children = asArray(disk["children"], "children").map((child) => asObject(child, "a child"));
  const [data, meta] = children;
  if (data === undefined || meta === undefined || children.length > 2) {
    throw new VigieError("PARSE_FAILED", "a drbd disk has not two children");
  }
  return {
    nodeA: nodeName(nodeA, tables),
    nodeB: nodeName(nodeB, tables),
    minorA: asCount(minorA, "minor A", MAX_MINOR),
    minorB: asCount(minorB, "minor B", MAX_MINOR),
    port: asCount(port, "port", MAX_PORT),
    dataLv: lvOf(data),
    metaLv: lvOf(meta),
  };
}

function nodeName(key: unknown, { nodeNames }: Tables): string {
  const name = typeof key === "string" ? nodeNames.get(key) : undefined;
  if (name !== undefined) return name;
  throw new VigieError("PARSE_FAILED", "a disk is on a node that the configuration does not have");
}

/** logical_id of a volume: [VG, LV]. */
function lvOf(disk: JsonObject): string {
  const [vg, lv] = asArray(disk["logical_id"], "logical_id");
  return `${asString(vg, "VG")}/${asString(lv, "LV")}`;
}
