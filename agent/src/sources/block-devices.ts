/**
 * /sys/block. An offline disk must be seen within seconds on a node that has hundreds of devices, so the states and
 * error counts of disks are read every second, and everything else of a device (identity, size, holders, counters
 * of what went well) when it appears and then every half minute.
 */
import { explain, Source, type Damaged } from "@vigie/proto";
import type { Host } from "../host.js";
import { isDeviceName } from "./block-device-attributes.js";
import { isGone, isVirtual, readAgain, readWhole, type Seen } from "./block-device.js";
import { quote } from "./cursor.js";
import { same } from "../same.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const WHOLE_EVERY_MS = 30_000;
const MEMORY = /^z?ram\d+$/;
const LOOP = /^loop\d+$/;

export function blockDevices(): SourceDefinition {
  let known: ReadonlyMap<string, Seen> = new Map();
  let last: { readonly seen: readonly (Seen | Damaged)[]; readonly reading: Reading } | undefined;
  let wholeAtMs = Number.NEGATIVE_INFINITY;
  return {
    source: Source.BLOCK_DEVICES,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: (host) => readOrAbsent(() => read(host), "there is no /sys/block"),
  };

  async function read(host: Host): Promise<Reading> {
    const names = (await host.listFolder("/sys/block")).filter((name) => !MEMORY.test(name)).sort();
    const whole = host.monotonicMs() - wholeAtMs >= WHOLE_EVERY_MS;
    if (whole) wholeAtMs = host.monotonicMs();
    const seen = await look(host, names, known, whole);
    if (last !== undefined && sameItems(last.seen, seen)) return last.reading;
    known = new Map(seen.filter(isSeen).map((each) => [each.device.name, each]));
    last = { seen, reading: readingOf(seen) };
    return last.reading;
  }
}

/**
 * What was seen before of virtual devices stands: only disks, and what is new, are read. One after the other: of four
 * hundred at once, all that is read on the way would have to be held.
 *
 * @param whole read virtual devices, too, and every attribute
 * @returns the value that is known where what was read is the same
 */
async function look(
  host: Host,
  names: readonly string[],
  known: ReadonlyMap<string, Seen>,
  whole: boolean,
): Promise<(Seen | Damaged)[]> {
  const results: (Seen | Damaged)[] = [];
  for (const name of names) {
    const before = known.get(name);
    const again = whole ? undefined : before;
    const result = isVirtual(again) ? again : await readOne(host, name, again);
    if (result !== undefined) results.push(before !== undefined && same(before, result) ? before : result);
  }
  return results;
}

function readingOf(seen: readonly (Seen | Damaged)[]): Reading {
  const devices = seen.filter(isSeen).map(({ device }) => device);
  const damaged = seen.flatMap((result) => (isSeen(result) ? result.damaged : [result]));
  const value = { devices: devices.filter((device) => !isUnusedLoop(device)) };
  return { state: "ok", facts: { $case: "blockDevices", value }, damaged };
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** @returns undefined where the device went away between the listing and the reading: then there is none */
async function readOne(
  host: Host,
  name: string,
  before: Seen | undefined,
): Promise<Seen | Damaged | undefined> {
  if (!isDeviceName(name)) return damage(name, `not a device name: ${quote(name)}`);
  try {
    const again = before === undefined ? undefined : await readAgain(host, before);
    return again ?? (await readWhole(host, name));
  } catch (error) {
    return isGone(error) ? undefined : damage(name, explain(error));
  }
}

function damage(object: string, reason: string): Damaged {
  return { line: 0, reason, minor: undefined, object };
}

function isSeen(result: Seen | Damaged): result is Seen {
  return "device" in result;
}

function isUnusedLoop(device: { readonly name: string; readonly sizeBytes: number }): boolean {
  return LOOP.test(device.name) && device.sizeBytes === 0;
}
