/** Logical volumes, volume groups and physical volumes, out of the rows of their reports. */
import {
  VigieError,
  type Damaged,
  type LogicalVolume,
  type LvSegment,
  type PhysicalVolume,
  type VolumeGroup,
} from "@vigie/proto";
import { refuse } from "./cursor.js";
import type { JsonObject } from "./json.js";
import { listIn, numberIn, shapedIn, textIn } from "./lvm-report.js";

export const LV_FIELDS = "vg_name,lv_name,lv_uuid,lv_attr,lv_size,lv_tags,origin,segtype,seg_size,devices";
export const VG_FIELDS = "vg_name,vg_uuid,vg_attr,vg_size,vg_free,pv_count,vg_missing_pv_count";
export const PV_FIELDS = "pv_name,pv_uuid,vg_name,pv_attr,pv_size,pv_free";

const NAME = /^[A-Za-z0-9_.+][A-Za-z0-9_.+-]{0,126}$/; // lvm(8), valid names
const UUID = /^[A-Za-z0-9]{6}(?:-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}$/;
const LV_ATTR = /^[A-Za-z-]{6,10}$/; // 6 in 2.02.50, 10 today
const VG_ATTR = /^[A-Za-z-]{6}$/;
const PV_ATTR = /^[A-Za-z-]{2,3}$/;
const MISSING = /^(?:\[unknown\]|unknown device)$/; // new and old spelling

export interface Volumes<T> {
  readonly items: T[];
  readonly damaged: Damaged[];
}

/** lvs prints a row for each segment: rows of one UUID are one volume. */
export function logicalVolumes(rows: readonly JsonObject[]): Volumes<LogicalVolume> {
  const { items, damaged } = each(rows, "lv_name", logicalVolume);
  const byUuid = new Map<string, LogicalVolume>();
  for (const volume of items) {
    const known = byUuid.get(volume.uuid);
    if (known === undefined) byUuid.set(volume.uuid, volume);
    else known.segments.push(...volume.segments);
  }
  return withoutDoubles([...byUuid.values()], damaged, ({ vgName, lvName }) => `${vgName}/${lvName}`);
}

export function volumeGroups(rows: readonly JsonObject[]): Volumes<VolumeGroup> {
  const { items, damaged } = each(rows, "vg_name", (row) => ({
    vgName: shapedIn(row, "vg_name", NAME),
    uuid: shapedIn(row, "vg_uuid", UUID),
    attr: shapedIn(row, "vg_attr", VG_ATTR),
    sizeBytes: numberIn(row, "vg_size"),
    freeBytes: numberIn(row, "vg_free"),
    pvCount: numberIn(row, "pv_count"),
    missingPvCount: numberIn(row, "vg_missing_pv_count"),
  }));
  return withoutDoubles(items, damaged, ({ vgName }) => vgName);
}

/** A missing volume may have lost its sizes; its name is no device, so several may share it. */
export function physicalVolumes(rows: readonly JsonObject[]): Volumes<PhysicalVolume> {
  const { items, damaged } = each(rows, "pv_name", (row) => {
    const name = textIn(row, "pv_name");
    const missing = MISSING.test(name);
    if (!missing && !name.startsWith("/dev/")) refuse("the name is no device");
    return {
      pvName: missing ? "[unknown]" : name,
      uuid: shapedIn(row, "pv_uuid", missing ? /^/ : UUID),
      vgName: textIn(row, "vg_name"),
      attr: shapedIn(row, "pv_attr", PV_ATTR),
      sizeBytes: missing && textIn(row, "pv_size") === "" ? 0 : numberIn(row, "pv_size"),
      freeBytes: missing && textIn(row, "pv_free") === "" ? 0 : numberIn(row, "pv_free"),
    };
  });
  const missing = items.filter(({ pvName }) => pvName === "[unknown]");
  const present = items.filter(({ pvName }) => pvName !== "[unknown]");
  const unique = withoutDoubles(present, damaged, ({ pvName }) => pvName);
  return { items: [...unique.items, ...missing], damaged: [...unique.damaged, ...sameUuid(present)] };
}

function logicalVolume(row: JsonObject): LogicalVolume {
  return {
    vgName: shapedIn(row, "vg_name", NAME),
    lvName: nameIn(row, "lv_name"),
    uuid: shapedIn(row, "lv_uuid", UUID),
    attr: shapedIn(row, "lv_attr", LV_ATTR),
    sizeBytes: numberIn(row, "lv_size"),
    tags: listIn(row, "lv_tags"),
    origin: (row["origin"] ?? "") === "" ? "" : nameIn(row, "origin"),
    segments: [segment(row)],
  };
}

/** lvs -a puts hidden volumes in brackets: the legs of a mirror, the data of a pool. */
function nameIn(row: JsonObject, field: "lv_name" | "origin"): string {
  const name = textIn(row, field).replace(/^\[(.*)\]$/, "$1");
  return NAME.test(name) ? name : refuse("the name is not one of a volume");
}

function segment(row: JsonObject): LvSegment {
  const devices = listIn(row, "devices").map((device) => device.replace(/^unknown device\b/, "[unknown]"));
  return { type: textIn(row, "segtype"), sizeBytes: numberIn(row, "seg_size"), devices };
}

function each<T>(rows: readonly JsonObject[], nameField: string, parse: (row: JsonObject) => T): Volumes<T> {
  const items: T[] = [];
  const damaged: Damaged[] = [];
  for (const row of rows) {
    try {
      items.push(parse(row));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push(damage(objectOf(row, nameField), error.message));
    }
  }
  return { items, damaged };
}

/** Two of one name (two groups of the same name, or a guest's seen through a wrong filter): neither is meant. */
function withoutDoubles<T>(
  items: readonly T[],
  damaged: readonly Damaged[],
  keyOf: (item: T) => string,
): Volumes<T> {
  const count = new Map<string, number>();
  for (const item of items) count.set(keyOf(item), (count.get(keyOf(item)) ?? 0) + 1);
  const broken = new Set(damaged.map(({ object }) => object));
  const isDouble = (item: T): boolean => (count.get(keyOf(item)) ?? 0) > 1 || broken.has(keyOf(item));
  const doubles = [...count]
    .filter(([, times]) => times > 1)
    .map(([key]) => damage(key, "there are two of that name"));
  return { items: items.filter((item) => !isDouble(item)), damaged: [...damaged, ...doubles] };
}

/** The same UUID on two devices: a clone, or two paths to one disk. Both stay visible, and both are damaged. */
function sameUuid(volumes: readonly PhysicalVolume[]): Damaged[] {
  const doubles = volumes.filter(({ uuid }) => volumes.filter((other) => other.uuid === uuid).length > 1);
  return doubles.map(({ pvName }) => damage(pvName, "another device has the same UUID"));
}

function objectOf(row: JsonObject, nameField: string): string {
  const name = row[nameField];
  const vg = row["vg_name"];
  if (typeof name !== "string") return "";
  return nameField === "lv_name" && typeof vg === "string"
    ? `${vg}/${name.replace(/^\[(.*)\]$/, "$1")}`
    : name;
}

function damage(object: string, reason: string): Damaged {
  return { line: 0, reason, minor: undefined, object };
}
