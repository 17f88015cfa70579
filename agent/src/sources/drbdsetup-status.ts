/**
 * `drbdsetup status --json`, where DRBD 9 keeps its minors out of /proc/drbd. Its states are given in the words
 * that its own 8.4-compatible /proc/drbd prints (drbd_conn_s_names[] in drbd_legacy_84.c).
 */
import { VigieError, type Damaged, type DrbdMinor } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { asArray, asCount, asObject, asString, parseJson, type JsonObject } from "./json.js";
import { minorOf } from "./drbdsetup-status-minor.js";
import { runForOutput } from "./reading.js";

const STATUS: Command = { file: "/usr/sbin/drbdsetup", args: ["status", "--json"], timeoutMs: 1_500 };
const MAX_MINOR = 2 ** 20 - 1;

export interface DrbdsetupStatus {
  minors: DrbdMinor[];
  damaged: Damaged[];
}

export async function readDrbdsetupStatus(host: Host): Promise<DrbdsetupStatus> {
  return parseDrbdsetupStatus(await runForOutput(host, STATUS));
}

/**
 * @returns one minor a volume. A volume with more than one peer is damaged: no pair of states says how it is.
 * @throws VigieError PARSE_FAILED where the text as a whole is no list of resources
 */
export function parseDrbdsetupStatus(text: string): DrbdsetupStatus {
  const minors: DrbdMinor[] = [];
  const damaged: Damaged[] = [];
  for (const value of asArray(parseJson(text, "the status"), "the status")) {
    let object = "";
    attempt(
      damaged,
      undefined,
      () => object,
      () => {
        const resource = asObject(value, "a resource");
        object = asString(resource["name"], "name");
        for (const device of asArray(resource["devices"], "devices")) {
          takeDevice(minors, damaged, resource, device, object);
        }
      },
    );
  }
  return withoutDoubles({ minors, damaged });
}

function takeDevice(
  minors: DrbdMinor[],
  damaged: Damaged[],
  resource: JsonObject,
  value: unknown,
  object: string,
): void {
  const device = asObject(value, "a device");
  const minor = asCount(device["minor"], "minor", MAX_MINOR);
  attempt(
    damaged,
    minor,
    () => object,
    () => minors.push(minorOf(resource, device, minor)),
  );
}

function withoutDoubles({ minors, damaged }: DrbdsetupStatus): DrbdsetupStatus {
  const count = new Map<number, number>();
  for (const { minor } of minors) count.set(minor, (count.get(minor) ?? 0) + 1);
  for (const { minor } of damaged) if (minor !== undefined) count.set(minor, 2);
  const doubles = minors.filter(({ minor }) => (count.get(minor) ?? 0) > 1);
  const reports = doubles.map(({ minor }) => ({
    line: 0,
    reason: `minor ${minor} is listed twice`,
    minor,
    object: "",
  }));
  return { minors: minors.filter((minor) => !doubles.includes(minor)), damaged: [...damaged, ...reports] };
}

function attempt(
  damaged: Damaged[],
  minor: number | undefined,
  object: () => string,
  parse: () => void,
): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof VigieError)) throw error;
    damaged.push({ line: 0, reason: error.message, minor, object: minor === undefined ? object() : "" });
  }
}
