/** `smartctl`: what each disk says of itself, once an hour. A disk that does not answer is damaged by itself. */
import { explain, Source, VigieError, type Damaged, type SmartReport } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { isDeviceName } from "./block-device-attributes.js";
import { refuse } from "./cursor.js";
import { asObject, isObject, parseJson, type JsonObject } from "./json.js";
import { isNotInstalled, readOrAbsent, runToEnd } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const TIMEOUT_MS = 15_000; // a disk that sleeps is woken
const DISK = /^(?:sd[a-z]+|nvme\d+n\d+)$/;
const NOT_OPENED = 0b11; // bits 0 and 1 of the exit code: the command line, the device; the others tell of the disk
/** By smartctl's own names for them: some drives use these numbers for something else. */
const REALLOCATED = { id: 5, name: /^Reallocated_Sector/ };
const PENDING = { id: 197, name: /Pending_Sector/ };
const UNCORRECTABLE = { id: 198, name: /Uncorrect|UNC_Sect/ };

/** What smartctl says of a volume that only stands for disks, or of a bridge in front of one: it has no SMART, for good. */
const NONE_BEHIND = /please try adding '-d |Unknown USB bridge/;

export function smart(): SourceDefinition {
  return {
    source: Source.SMART,
    periodMs: 3_600_000,
    deadlineMs: 300_000,
    read: (host) => readOrAbsent(() => read(host), "there is no /sys/block"),
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
  const scsiErrors = uncorrectedOf(fieldOf(report, "scsi_error_counter_log"));
  const grownDefects = countOf(report["scsi_grown_defect_list"]);
  const isScsi = scsiErrors !== undefined || grownDefects !== undefined;
  if (status === undefined && attributes.length === 0 && Object.keys(nvme).length === 0 && !isScsi)
    return undefined;
  return {
    device,
    passed: typeof status === "boolean" ? status : undefined,
    reallocatedSectors: rawOf(attributes, REALLOCATED),
    pendingSectors: rawOf(attributes, PENDING),
    uncorrectable: rawOf(attributes, UNCORRECTABLE) ?? countOf(nvme["media_errors"]) ?? scsiErrors,
    grownDefects,
  };
}

function attributesOf(table: unknown): readonly JsonObject[] {
  return Array.isArray(table) ? (table as readonly unknown[]).filter(isObject) : [];
}

function rawOf(
  attributes: readonly JsonObject[],
  { id, name }: { readonly id: number; readonly name: RegExp },
): number | undefined {
  const row = attributes.find((each) => each["id"] === id);
  return row !== undefined && typeof row["name"] === "string" && name.test(row["name"])
    ? countOf(fieldOf(row, "raw")["value"])
    : undefined;
}

/** @returns undefined where no kind of access is counted */
function uncorrectedOf(log: JsonObject): number | undefined {
  const counts = ["read", "write", "verify"]
    .map((access) => countOf(fieldOf(log, access)["total_uncorrected_errors"]))
    .filter((count) => count !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
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
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: 0, reason: explain(error), minor: undefined, object: name });
    }
  }
  return { state: "ok", facts: { $case: "smart", value: { disks } }, damaged };
}

/** It exits non-zero to tell of a failing disk, which is an answer. */
async function readDisk(host: Host, name: string): Promise<SmartReport | undefined> {
  const { exitCode, stdout } = await runToEnd(host, smartctl(name));
  if ((exitCode & NOT_OPENED) !== 0) {
    if (NONE_BEHIND.test(messagesOf(stdout))) return undefined;
    refuse(`smartctl could not ask it (exit ${exitCode})`);
  }
  return parseSmartctl(stdout, name);
}

/** What it says in words; empty where it said nothing that can be read. */
function messagesOf(text: string): string {
  try {
    const messages = fieldOf(asObject(parseJson(text, "smartctl's report"), "the report"), "smartctl")[
      "messages"
    ];
    const said = Array.isArray(messages) ? (messages as readonly unknown[]).filter(isObject) : [];
    return said.map((message) => String(message["string"])).join("; ");
  } catch {
    return "";
  }
}

function smartctl(name: string): Command {
  return { file: "/usr/sbin/smartctl", args: ["--json", "-H", "-A", `/dev/${name}`], timeoutMs: TIMEOUT_MS };
}
