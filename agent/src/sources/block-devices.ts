/**
 * /sys/block. An offline disk must be seen within seconds on a node that has hundreds of devices, so the states and
 * error counts of disks are read every second, and everything else of a device (identity, size, holders, counters
 * of what went well) when it appears and then every half minute.
 */
import { explain, Source, type Damaged } from "@vigie/proto";
import type { Host } from "../host.js";
import { isDeviceName } from "./block-device-attributes.js";
import { isGone, readAgain, readWhole, type Seen } from "./block-device.js";
import { quote } from "./cursor.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const WHOLE_EVERY_MS = 30_000;
const MEMORY = /^z?ram\d+$/;
const LOOP = /^loop\d+$/;

export function blockDevices(): SourceDefinition {
  let known: ReadonlyMap<string, Seen> = new Map();
  let wholeAtMs = Number.NEGATIVE_INFINITY;
  return {
    source: Source.BLOCK_DEVICES,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: (host) => readOrAbsent(() => read(host), "there is no /sys/block"),
  };

  async function read(host: Host): Promise<Reading> {
    const names = (await host.listFolder("/sys/block")).filter((name) => !MEMORY.test(name)).sort();
    if (host.monotonicMs() - wholeAtMs >= WHOLE_EVERY_MS) {
      known = new Map();
      wholeAtMs = host.monotonicMs();
    }
    const before = known;
    const results = await Promise.all(names.map((name) => readOne(host, name, before.get(name))));
    const seen = results.filter((result) => result !== undefined);
    known = new Map(seen.filter(isSeen).map((each) => [each.device.name, each]));
    const devices = [...known.values()].map(({ device }) => device).filter((device) => !isUnusedLoop(device));
    const damaged = seen.flatMap((result) => (isSeen(result) ? result.damaged : [result]));
    return { state: "ok", facts: { $case: "blockDevices", value: { devices } }, damaged };
  }
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
