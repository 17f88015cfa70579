/** One Ganeti job, whatever became of it, with its log: over LUXI, when asked for. */
import {
  Source,
  type Damaged,
  type GanetiJobFacts,
  type GanetiJobLogLine,
  type GanetiOpcode,
} from "@vigie/proto";
import type { Host } from "../host.js";
import { normal } from "./ganeti-inventory.js";
import { listOf, reasonOf } from "./ganeti-jobs.js";
import { asArray, asCount, asString, asStrings, isObject } from "./json.js";
import { createLuxi, rowsOf, type Row } from "./luxi.js";
import { readOrAbsent } from "./reading.js";
import { NOTHING_ASKED, type Reading, type SourceDefinition } from "./source.js";
import { readMasterNode } from "./ssconf.js";

export const JOB_DETAIL_FIELDS = ["id", "status", "summary", "opstatus", "opresult", "oplog", "ops"];

const FOLDER = "/var/lib/ganeti";
const MAX_LOG_LINES = 200;
const MAX_ERROR_LENGTH = 1000;
const TIMEOUT_MS = 4_000;

/** @param nodeName this node's, as Ganeti knows it: the source is absent unless the master has this name */
export function ganetiJob(nodeName: string): SourceDefinition {
  return {
    source: Source.GANETI_JOB,
    periodMs: undefined,
    about: "jobId",
    deadlineMs: 5_000,
    read: (host, asked = NOTHING_ASKED) =>
      readOrAbsent(() => read(host, nodeName, asked.jobId), "this node is in no Ganeti cluster"),
  };
}

/**
 * @param result LUXI's answer to a Query of one job
 * @throws VigieError PARSE_FAILED where it is not one
 */
export function parseJob(result: unknown, id: number): GanetiJobFacts {
  const row = rowsOf(result, JOB_DETAIL_FIELDS).find((each) => each["id"]?.value === id);
  if (row === undefined) return { id, status: "lost", opcodes: [], log: [], reason: "" };
  const ops = asArray(normal(row, "ops"), "ops").filter(isObject);
  return {
    id,
    status: asString(normal(row, "status"), "status"),
    opcodes: opcodesOf(row),
    log: logOf(asArray(normal(row, "oplog"), "oplog")),
    reason: reasonOf(ops),
  };
}

function opcodesOf(row: Row): GanetiOpcode[] {
  const summaries = asStrings(normal(row, "summary"), "summary");
  const results = asArray(normal(row, "opresult"), "opresult");
  return asStrings(normal(row, "opstatus"), "opstatus").map((status, index) => ({
    status,
    summary: summaries[index] ?? "",
    error: status === "error" ? errorText(results[index]) : "",
    childJobIds: childrenIn(results[index]),
  }));
}

/** An error is encoded as [class, [arguments]]: "OpPrereqError", ["the text", "wrong_state"]. */
function errorText(result: unknown): string {
  const [name, args] = listOf(result);
  const said = listOf(args).filter((arg) => typeof arg === "string");
  const text = said.length > 0 ? `${String(name)}: ${said.join(", ")}` : JSON.stringify(result ?? null);
  return text.slice(0, MAX_ERROR_LENGTH);
}

/** {"jobs": [[true, 18], [false, "why it was not submitted"]]} */
function childrenIn(result: unknown): number[] {
  const jobs = isObject(result) ? listOf(result["jobs"]) : [];
  return jobs
    .map((job) => listOf(job))
    .filter(([submitted]) => submitted === true)
    .map(([, id]) => asCount(typeof id === "string" ? Number(id) : id, "a child's id"));
}

/** A list for each opcode, of [serial, [seconds, microseconds], type, message]. */
function logOf(logs: readonly unknown[]): GanetiJobLogLine[] {
  const lines = logs.flatMap((log) => asArray(log, "a log").map(logLine));
  return lines.sort((a, b) => a.serial - b.serial).slice(-MAX_LOG_LINES);
}

function logLine(entry: unknown): GanetiJobLogLine {
  const [serial, time, , message] = asArray(entry, "a log line");
  const [seconds, microseconds] = asArray(time, "a log line's time");
  return {
    serial: asCount(serial, "a log line's serial"),
    unixMs: asCount(seconds, "seconds") * 1000 + Math.trunc(asCount(microseconds, "microseconds") / 1000),
    text: typeof message === "string" ? message : JSON.stringify(message ?? null),
  };
}

async function read(host: Host, nodeName: string, jobId: number): Promise<Reading> {
  await host.readFile(`${FOLDER}/ssconf_master_node`); // missing: no node of a cluster
  const master = await readMasterNode(host);
  if (master !== nodeName) return { state: "absent", reason: `the master is ${master}` };
  const release = await host.readFile(`${FOLDER}/ssconf_release_version`).catch(() => "3.0.0");
  const luxi = createLuxi(host, release);
  const answer = await luxi.call("Query", ["job", JOB_DETAIL_FIELDS, ["=", "id", jobId]], TIMEOUT_MS);
  const damaged: Damaged[] = [];
  return { state: "ok", facts: { $case: "ganetiJob", value: parseJob(answer, jobId) }, damaged };
}
