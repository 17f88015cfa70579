/** One device of /sys/block: read as a whole, or only what may change from one second to the next. */
import { explain, VigieError, type BlockDevice, type Damaged } from "@vigie/proto";
import type { Host } from "../host.js";
import {
  parseDev,
  parseFlag,
  parseHexCount,
  parseLabel,
  parseScsiAddress,
  parseSize,
  parseState,
  parseVpdSerial,
  partitionsIn,
} from "./block-device-attributes.js";
import { errorCode } from "./reading.js";

/** A device, what of it could not be read, and what tells whether it is still the same one. */
export interface Seen {
  readonly device: BlockDevice;
  readonly link: string; // of `device`; "" for a virtual device
  readonly mark: Mark; // empty for a virtual device
  readonly damaged: readonly Damaged[];
}

// The attribute, or the device with it, is not there. EINVAL: this disk has no such page.
const NOT_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENODEV", "ENXIO", "EINVAL"]);

/**
 * @returns undefined where the device went away meanwhile
 * @throws VigieError where its size, number or state cannot be read or understood: it is unknown then
 */
export async function readWhole(host: Host, name: string): Promise<Seen | undefined> {
  const folder = `/sys/block/${name}`;
  const size = await attribute(host, `${folder}/size`, parseSize);
  const dev = await attribute(host, `${folder}/dev`, parseDev);
  if (size === undefined || dev === undefined) return undefined;
  const link = await host.readLink(`${folder}/device`).catch(absent);
  const mark = link === "" ? [] : await markOf(host, folder); // first: a disk that comes meanwhile has another
  const entries = await host.listFolder(folder);
  const damaged: Damaged[] = [];
  const label = <T>(path: string, parse: (text: string) => T): Promise<T | undefined> =>
    attribute(host, `${folder}/${path}`, parse).catch((error: unknown) => {
      damaged.push({ line: 0, reason: `${path}: ${explain(error)}`, minor: undefined, object: name });
      return undefined;
    });
  const device: BlockDevice = {
    name,
    dev,
    sizeBytes: size,
    ...NO_HARDWARE,
    holders: (await host.listFolder(`${folder}/holders`).catch(nothing)).sort(),
    partitions: partitionsIn(name, entries),
  };
  if (link === "") return { device, link, mark, damaged };
  device.rotational = (await label("queue/rotational", parseFlag)) ?? false;
  device.removable = (await label("removable", parseFlag)) ?? false;
  device.state = (await attribute(host, `${folder}/device/state`, parseState)) ?? "";
  device.wwid = (await label("device/wwid", parseLabel)) ?? (await label("wwid", parseLabel)) ?? "";
  device.serial =
    (await label("device/vpd_pg80", parseVpdSerial)) ?? (await label("device/serial", parseLabel)) ?? "";
  device.model = (await label("device/model", parseLabel)) ?? "";
  device.scsiAddress = parseScsiAddress(link);
  device.ioErrors = await label("device/ioerr_cnt", parseHexCount);
  device.ioDone = await label("device/iodone_cnt", parseHexCount);
  return { device, link, mark, damaged };
}

/** It has no state and no error count, so there is nothing of it that changes from one second to the next. */
export function isVirtual(seen: Seen | undefined): boolean {
  return seen?.link === "";
}

/**
 * The state and the error count of a disk that was seen before.
 * @returns `seen` itself where nothing changed, undefined where another device has its name now, or none
 */
export async function readAgain(host: Host, seen: Seen): Promise<Seen | undefined> {
  const folder = `/sys/block/${seen.device.name}`;
  const link = await host.readLink(`${folder}/device`).catch(absent);
  if (link !== seen.link || !(await hasMark(host, folder, seen.mark))) return undefined;
  const state = seen.device.state === "" ? "" : await attribute(host, `${folder}/device/state`, parseState);
  if (state === undefined) return undefined;
  const ioErrors =
    seen.device.ioErrors === undefined
      ? undefined
      : await attribute(host, `${folder}/device/ioerr_cnt`, parseHexCount);
  if (state === seen.device.state && ioErrors === seen.device.ioErrors) return seen;
  return { ...seen, device: { ...seen.device, state, ioErrors } };
}

/**
 * One disk that was swapped for another may have its name and its place. But the kernel counts its disks (diskseq, since
 * 5.15), and a volume of a storage network that is another one after a rescan has another wwid or size.
 */
const MARKS = ["diskseq", "device/wwid", "wwid", "size"];

/** The text of each of these files that can be read. */
type Mark = readonly (readonly [file: string, text: string])[];

async function markOf(host: Host, folder: string): Promise<Mark> {
  const texts = MARKS.map(async (file) => [file, await textOrNone(host, `${folder}/${file}`)] as const);
  return (await Promise.all(texts)).flatMap(([file, text]) => (text === undefined ? [] : [[file, text]]));
}

/** What cannot be read any more is another mark: the device is read as a whole then, and that tells why. */
async function hasMark(host: Host, folder: string, mark: Mark): Promise<boolean> {
  for (const [file, text] of mark) if ((await textOrNone(host, `${folder}/${file}`)) !== text) return false;
  return true;
}

function textOrNone(host: Host, path: string): Promise<string | undefined> {
  return host.readFile(path).catch(() => undefined);
}

const NO_HARDWARE = {
  state: "",
  wwid: "",
  serial: "",
  model: "",
  scsiAddress: "",
  rotational: false,
  removable: false,
  ioErrors: undefined,
  ioDone: undefined,
};

/** @returns undefined where there is no such file */
async function attribute<T>(host: Host, path: string, parse: (text: string) => T): Promise<T | undefined> {
  let text: string;
  try {
    text = await host.readFile(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw new VigieError("SOURCE_FAILED", `${path} could not be read`, { cause: error });
  }
  return parse(text);
}

/** The attribute is not there, or its device is not any more. */
export function isGone(error: unknown): boolean {
  return NOT_THERE.has(errorCode(error));
}

function absent(error: unknown): string {
  if (isGone(error)) return "";
  throw new VigieError("SOURCE_FAILED", "a link of sysfs could not be read", { cause: error });
}

function nothing(error: unknown): string[] {
  if (isGone(error)) return [];
  throw new VigieError("SOURCE_FAILED", "a folder of sysfs could not be read", { cause: error });
}
