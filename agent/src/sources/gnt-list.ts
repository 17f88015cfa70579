/**
 * `gnt-node list`, `gnt-instance list`, `gnt-job list`: the inventory where LUXI's socket does not answer. Each
 * starts Python and takes seconds. "?", "-", "*" and "??" stand for what is not known.
 */
import { VigieError, type Damaged, type GanetiInstance, type GanetiJob, type GanetiNode } from "@vigie/proto";
import type { Command } from "../host.js";
import { quote, refuse } from "./cursor.js";
import type { Parsed } from "./ganeti-inventory.js";
import { OPEN_STATUSES } from "./ganeti-jobs.js";

const SEPARATOR = "|"; // in no host name, address or tag
const TIMEOUT_MS = 4_500;
const PLACEHOLDERS: ReadonlySet<string> = new Set(["?", "-", "*", "??", ""]);

export const LIST_NODES = list("gnt-node", "name,uuid,role,offline,drained,pip,sip,group,serial_no,tags");
export const LIST_INSTANCES = list(
  "gnt-instance",
  "name,uuid,pnode,admin_state,disk_template,serial_no,snodes,tags",
);
export const LIST_JOBS = list("gnt-job", "id,status,received_ts,start_ts,summary");

function list(program: string, fields: string): Command {
  const args = ["list", "--no-headers", `--separator=${SEPARATOR}`, "-o", fields];
  return { file: `/usr/sbin/${program}`, args, timeoutMs: TIMEOUT_MS };
}

export function parseNodeList(text: string): Parsed<GanetiNode> {
  return parseLines(text, 10, ([name, uuid, role, offline, drained, pip, sip, group, serial, tags]) => ({
    name: known(name, "name"),
    uuid: known(uuid, "uuid"),
    role: /^[MCRDO]$/.test(role ?? "") ? known(role, "role") : refuse(`unknown role ${quote(role ?? "")}`),
    offline: yesOrNo(offline, "offline"),
    drained: yesOrNo(drained, "drained"),
    primaryIp: known(pip, "pip"),
    secondaryIp: known(sip, "sip"),
    group: known(group, "group"),
    tags: listOf(tags),
    serial: wholeNumber(serial, "serial_no"),
  }));
}

export function parseInstanceList(text: string): Parsed<GanetiInstance> {
  return parseLines(text, 8, ([name, uuid, pnode, adminState, template, serial, snodes, tags]) => ({
    name: known(name, "name"),
    uuid: known(uuid, "uuid"),
    primaryNode: known(pnode, "pnode"),
    secondaryNodes: listOf(snodes),
    adminState: known(adminState, "admin_state"),
    status: "",
    diskTemplate: known(template, "disk_template"),
    disks: [],
    tags: listOf(tags),
    serial: wholeNumber(serial, "serial_no"),
  }));
}

/** Only jobs that are not finished. Their opcodes are not listed: the instance is read out of the summary. */
export function parseJobList(text: string): Parsed<GanetiJob> {
  const { items, damaged } = parseLines(text, 5, ([id, status, received, started, summary]) => ({
    id: wholeNumber(id, "id"),
    status: known(status, "status"),
    summary: known(summary, "summary"),
    instances: [...(summary ?? "").matchAll(/\bINSTANCE_[A-Z_]+\(([\w.-]+)\)/g)].map(
      ([, name]) => name ?? "",
    ),
    receivedUnixMs: timeOf(received),
    startedUnixMs: timeOf(started),
    reason: "",
  }));
  return { items: items.filter(({ status }) => OPEN_STATUSES.includes(status)), damaged };
}

function parseLines<T>(text: string, fields: number, parse: (values: readonly string[]) => T): Parsed<T> {
  const items: T[] = [];
  const damaged: Damaged[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const values = line.split(SEPARATOR);
    try {
      if (values.length < fields) refuse(`${values.length} fields, not ${fields}`);
      items.push(parse([...values.slice(0, fields - 1), values.slice(fields - 1).join(SEPARATOR)]));
    } catch (error) {
      if (!(error instanceof VigieError)) throw error;
      damaged.push({ line: index + 1, reason: error.message, minor: undefined, object: values[0] ?? "" });
    }
  }
  return { items, damaged };
}

function known(value: string | undefined, what: string): string {
  return value === undefined || PLACEHOLDERS.has(value) ? refuse(`${what} is not known`) : value;
}

function listOf(value: string | undefined): string[] {
  return value === undefined || PLACEHOLDERS.has(value) ? [] : value.split(",");
}

function yesOrNo(value: string | undefined, what: string): boolean {
  if (value === "Y" || value === "N") return value === "Y";
  return refuse(`${what} is neither Y nor N`);
}

function wholeNumber(value: string | undefined, what: string): number {
  return /^\d{1,15}$/.test(value ?? "") ? Number(value) : refuse(`${what} is not a number`);
}

/** "2026-11-22 17:17:43.087320", in the node's own time zone; "-" for a job that has not started. */
function timeOf(value: string | undefined): number {
  const milliseconds = Date.parse((value ?? "").replace(" ", "T"));
  return Number.isSafeInteger(milliseconds) && milliseconds > 0 ? milliseconds : 0;
}
