/** `smartctl`: what each disk says of itself, once an hour. A disk that does not answer is damaged by itself. */
import { explain, Source, VigieError, type Damaged, type SmartReport } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { isDeviceName } from "./block-device-attributes.js";
import { refuse } from "./cursor.js";
import { asObject, isObject, parseJson, type JsonObject } from "./json.js";
import { isNotInstalled, readOrAbsent, restAfterHang, runToEnd } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const TIMEOUT_MS = 15_000; // a disk that sleeps is woken
const DISK = /^(?:sd[a-z]+|nvme\d+n\d+)$/;
const NOT_OPENED = 0b11; // bits 0 and 1 of the exit code: the command line, the device; the others tell of the disk
const REALLOCATED = 5;
const PENDING = 197;
const UNCORRECTABLE = 198;

export function smart(): SourceDefinition {
  return {
    source: Source.SMART,
    periodMs: 3_600_000,
    deadlineMs: 300_000,
    read: restAfterHang((host) => readOrAbsent(() => read(host), "there is no /sys/block")),
  };
}

/**
 * The JSON of one disk.
 * @returns undefined where it has no SMART
 * @throws VigieError PARSE_FAILED
 */
export function parseSmartctl(text: string, device: string): SmartReport | undefined {
  const report = asObject(parseJson(text, "smartctl's report"), "the report");
  const status = fieldOf(report, "smart_status")["passed"];
  const nvme = fieldOf(report, "nvme_smart_health_information_log");
  const attributes = attributesOf(fieldOf(report, "ata_smart_attributes")["table"]);
  if (status === undefined && attributes.size === 0 && Object.keys(nvme).length === 0) return undefined;
  return {
    device,
    passed: typeof status === "boolean" ? status : undefined,
    reallocatedSectors: attributes.get(REALLOCATED),
    pendingSectors: attributes.get(PENDING),
    uncorrectable: attributes.get(UNCORRECTABLE) ?? countOf(nvme["media_errors"]),
  };
}

/** Raw values by attribute number. */
function attributesOf(table: unknown): Map<number, number> {
  const rows = Array.isArray(table) ? (table as readonly unknown[]).filter(isObject) : [];
  const found = new Map<number, number>();
  for (const row of rows) {
    const raw = countOf(fieldOf(row, "raw")["value"]);
    if (typeof row["id"] === "number" && raw !== undefined) found.set(row["id"], raw);
  }
  return found;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function fieldOf(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isObject(value) ? value : {};
}

async function read(host: Host): Promise<Reading> {
  const names = (await host.listFolder("/sys/block")).filter((name) => DISK.test(name) && isDeviceName(name));
  const disks: SmartReport[] = [];
  const damaged: Damaged[] = [];
  for (const name of names.sort()) {
    try {
      const report = await readDisk(host, name);
      if (report !== undefined) disks.push(report);
    } catch (error) {
      if (isNotInstalled(error)) return { state: "absent", reason: "smartctl is not installed" };
      if (!(error instanceof VigieError) || error.code === "COMMAND_HUNG") throw error;
      damaged.push({ line: 0, reason: explain(error), minor: undefined, object: name });
    }
  }
  return { state: "ok", facts: { $case: "smart", value: { disks } }, damaged };
}

/** It exits non-zero to tell of a failing disk, which is an answer. */
async function readDisk(host: Host, name: string): Promise<SmartReport | undefined> {
  const { exitCode, stdout } = await runToEnd(host, smartctl(name));
  if ((exitCode & NOT_OPENED) !== 0) refuse(`smartctl could not ask it (exit ${exitCode})`);
  return parseSmartctl(stdout, name);
}

function smartctl(name: string): Command {
  return { file: "/usr/sbin/smartctl", args: ["--json", "-H", "-A", `/dev/${name}`], timeoutMs: TIMEOUT_MS };
}
