/** The jobs that Ganeti has not finished, out of LUXI's Query answer. */
import type { GanetiJob } from "@vigie/proto";
import { parseRows, normal, type Parsed } from "./ganeti-inventory.js";
import { asArray, asCount, asString, asStrings, isObject, type JsonObject } from "./json.js";
import { rowsOf, type Row } from "./luxi.js";

export const JOB_FIELDS = ["id", "status", "summary", "received_ts", "start_ts", "ops"];

/** Finished ones stay in the queue for hours; nothing is decided by them. */
export const OPEN_STATUSES: readonly string[] = ["queued", "waiting", "canceling", "running"];
export const OPEN_JOBS = ["|", ...OPEN_STATUSES.map((status) => ["=", "status", status])];

const UNAVAILABLE = 3;
const MAX_REASON_LENGTH = 500;

export function parseJobs(result: unknown): Parsed<GanetiJob> {
  return parseRows(rowsOf(result, JOB_FIELDS), (row) => {
    const ops = asArray(normal(row, "ops"), "ops").filter(isObject);
    return {
      id: asCount(normal(row, "id"), "id"),
      status: asString(normal(row, "status"), "status"),
      summary: asStrings(normal(row, "summary"), "summary").join(", "),
      instances: instancesOf(ops),
      receivedUnixMs: timeOf(row, "received_ts"),
      startedUnixMs: timeOf(row, "start_ts"),
      reason: reasonOf(ops),
    };
  });
}

/** What the opcodes name, under either of their two parameters. */
function instancesOf(ops: readonly JsonObject[]): string[] {
  const names = ops.flatMap((op) => [op["instance_name"], ...listOf(op["instances"])]);
  return [...new Set(names.filter((name): name is string => typeof name === "string"))];
}

/** Each text of the trails once, "; " between them. */
export function reasonOf(ops: readonly JsonObject[]): string {
  return [...new Set(reasonTexts(ops))].join("; ").slice(0, MAX_REASON_LENGTH);
}

/** Each trail is a list of [source, text, time]; what a person or Vigie said comes with --reason. */
export function reasonTexts(ops: readonly JsonObject[]): string[] {
  const texts = ops.flatMap((op) => listOf(op["reason"]).map((entry) => listOf(entry)[1]));
  return texts.filter((text): text is string => typeof text === "string" && text !== "");
}

/** [seconds, microseconds] of the master's clock; a job that has not started has none. */
export function timeOf(row: Row, field: string): number {
  if (row[field]?.status === UNAVAILABLE) return 0;
  const [seconds, microseconds] = asArray(normal(row, field), field);
  return asCount(seconds, field) * 1000 + Math.trunc(asCount(microseconds, field) / 1000);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
