/** `dmsetup info` and `dmsetup table`: what stands on which device, who holds it open, and kpartx's partition maps. */
import { Source, VigieError, type Damaged, type DeviceMapperDevice } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { quote, refuse } from "./cursor.js";
import { absentTool, parsedOnce, runForOutput } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const SEPARATOR = "|"; // dmsetup prints one within a name as \x7c
const FIELDS = "name,uuid,major,minor,open,suspended";
const INFO = dmsetup("info", "-c", "--noheadings", "--separator", SEPARATOR, "-o", FIELDS);
const TABLE = dmsetup("table");
const NONE = "No devices found";

const TABLE_LINE = /^(?<name>.+?): \d+ \d+ (?<target>[\w-]+)(?: (?<args>.*))?$/;
const NO_TABLE_LINE = /^.+?:\s*$/; // created, not loaded yet
const KPARTX = /^part\d+-(?:devnode_(?<dev>\d+:\d+)_)?/;
const INT32_MAX = 2 ** 31 - 1;

function dmsetup(...args: string[]): Command {
  return { file: "/usr/sbin/dmsetup", args, timeoutMs: 3_000 };
}

export function deviceMapper(): SourceDefinition {
  const parse = parsedOnce(parseDmsetup);
  return {
    source: Source.DEVICE_MAPPER,
    periodMs: 10_000,
    deadlineMs: 8_000,
    read: (host) => absentTool(() => read(host, parse), "dmsetup is not installed"),
  };
}

interface Table {
  readonly targets: string[];
  readonly dependsOn: string[];
}

/** @returns a device whose line is not understood, in either text, is damaged under its name */
export function parseDmsetup(
  info: string,
  table: string,
): { devices: DeviceMapperDevice[]; damaged: Damaged[] } {
  const damaged: Damaged[] = [];
  const tables = parseTables(table, damaged);
  const unknown = new Set(damaged.map(({ object }) => object));
  const devices: DeviceMapperDevice[] = [];
  for (const [index, line] of linesOf(info)) {
    const values = line.split(SEPARATOR);
    try {
      const device = deviceOf(values, tables);
      if (!unknown.has(device.name)) devices.push(device);
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: index + 1, reason: error.message, minor: undefined, object: values[0] ?? "" });
    }
  }
  return { devices, damaged };
}

function deviceOf(values: readonly string[], tables: ReadonlyMap<string, Table>): DeviceMapperDevice {
  const [name = "", uuid = "", major, minor, open, suspended] = values;
  if (values.length !== 6 || name === "") refuse(`${values.length} fields, not 6`);
  const { targets, dependsOn } = tables.get(name) ?? { targets: [], dependsOn: [] };
  const partition = KPARTX.exec(uuid);
  return {
    name,
    uuid,
    major: wholeNumber(major, "major"),
    minor: wholeNumber(minor, "minor"),
    openCount: open === "-1" ? -1 : wholeNumber(open, "open"),
    suspended: isSuspended(suspended),
    dependsOn,
    targets,
    // A map over a multipath device names that one, and not its number: the table has it.
    kpartxOf: partition === null ? "" : (partition.groups?.["dev"] ?? dependsOn[0] ?? ""),
  };
}

/** "name: 0 131072 linear 8:0 2048", a line for each target. */
function parseTables(text: string, damaged: Damaged[]): Map<string, Table> {
  const tables = new Map<string, Table>();
  for (const [index, line] of linesOf(text)) {
    if (NO_TABLE_LINE.test(line)) continue;
    const { name, target, args } = TABLE_LINE.exec(line)?.groups ?? {};
    if (name === undefined || target === undefined) {
      const object = line.slice(0, Math.max(0, line.indexOf(":")));
      damaged.push({
        line: index + 1,
        reason: `the table is not understood: ${quote(line)}`,
        minor: undefined,
        object,
      });
      continue;
    }
    const table = tables.get(name) ?? { targets: [], dependsOn: [] };
    table.targets.push(target);
    table.dependsOn.push(...devicesIn(args).filter((device) => !table.dependsOn.includes(device)));
    tables.set(name, table);
  }
  return tables;
}

/** Devices stand among a target's arguments as "8:0". */
function devicesIn(args: string | undefined): string[] {
  return [...new Set((args ?? "").split(" ").filter((word) => /^\d+:\d+$/.test(word)))];
}

function linesOf(text: string): [number, string][] {
  const lines = [...text.split("\n").entries()];
  return lines.filter(([, line]) => line !== "" && line.trim() !== NONE);
}

function wholeNumber(text: string | undefined, what: string): number {
  const value = /^\d{1,10}$/.test(text ?? "") ? Number(text) : Number.NaN;
  return value <= INT32_MAX ? value : refuse(`${what} is not a number: ${quote(text ?? "")}`);
}

function isSuspended(text: string | undefined): boolean {
  if (text === "Active" || text === "Suspended") return text === "Suspended";
  return refuse(`neither active nor suspended: ${quote(text ?? "")}`);
}

/** @throws VigieError as runForOutput */
export async function readDmsetup(
  host: Host,
  parse = parseDmsetup,
): Promise<ReturnType<typeof parseDmsetup>> {
  return parse(await runForOutput(host, INFO), await runForOutput(host, TABLE));
}

async function read(host: Host, parse: typeof parseDmsetup): Promise<Reading> {
  const { devices, damaged } = await readDmsetup(host, parse);
  return { state: "ok", facts: { $case: "deviceMapper", value: { devices } }, damaged };
}
