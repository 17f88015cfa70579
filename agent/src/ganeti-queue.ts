/**
 * Ganeti's job queue as the actions see it: asked over LUXI each time, and nothing that is not understood is passed
 * over, for "there is no such job" is what lets one be submitted (I11, I30).
 */
import { VigieError } from "@vigie/proto";
import type { Host } from "./host.js";
import { normal } from "./sources/ganeti-inventory.js";
import { OPEN_JOBS, reasonTexts, timeOf } from "./sources/ganeti-jobs.js";
import { asArray, asCount, asString, asStrings, isObject } from "./sources/json.js";
import { createLuxi, rowsOf, type Luxi, type Row } from "./sources/luxi.js";

const FIELDS = ["id", "status", "summary", "received_ts", "ops"];
const TIMEOUT_MS = 5_000;
const BATCH_JOBS = 200; // a job that creates fifty instances is 50 KB
const JOBS_MAX = 10_000; // Ganeti archives what ended six hours ago

export interface QueuedJob {
  readonly id: number;
  readonly status: string; // "queued", "waiting", "canceling", "running", "canceled", "success", "error"
  readonly summary: string; // as GanetiJob.summary
  readonly reasons: readonly string[]; // every text of its opcodes' reason trails
  readonly receivedUnixMs: number; // by the master's clock
}

/**
 * Every job that is not archived, some at a time: all of them in one answer could be more than the agent may hold.
 * @throws VigieError SOURCE_FAILED, also where there are more than can be looked through; PARSE_FAILED
 */
export async function allJobs(host: Host): Promise<QueuedJob[]> {
  const luxi = await openLuxi(host);
  const answer = await luxi.call("Query", ["job", ["id"], null], TIMEOUT_MS);
  const ids = rowsOf(answer, ["id"]).map((row) => asCount(normal(row, "id"), "id"));
  if (ids.length > JOBS_MAX)
    throw new VigieError(
      "SOURCE_FAILED",
      `Ganeti's queue holds ${ids.length} jobs, and no more than ${JOBS_MAX} are looked through; archive those that ended: gnt-job autoarchive 21600`,
    );
  const jobs: QueuedJob[] = [];
  for (let at = 0; at < ids.length; at += BATCH_JOBS) {
    const batch = ids.slice(at, at + BATCH_JOBS).map((id) => ["=", "id", id]);
    jobs.push(...jobsIn(await query(luxi, ["|", ...batch])));
  }
  return jobs;
}

/**
 * Those that wait or are at work.
 * @throws VigieError SOURCE_FAILED, PARSE_FAILED
 */
export async function openJobs(host: Host): Promise<QueuedJob[]> {
  return jobsIn(await query(await openLuxi(host), OPEN_JOBS));
}

export interface Place {
  readonly primaryNode: string;
  readonly secondaryNodes: readonly string[];
}

const PLACE_FIELDS = ["name", "pnode", "snodes"];

/**
 * Where Ganeti's configuration has an instance now; undefined: it has none of this name.
 * @throws VigieError SOURCE_FAILED, PARSE_FAILED
 */
export async function placeOf(host: Host, instance: string): Promise<Place | undefined> {
  const filter = ["=", "name", instance];
  const luxi = await openLuxi(host);
  const answer = await luxi.call("Query", ["instance", PLACE_FIELDS, filter], TIMEOUT_MS);
  const row = rowsOf(answer, PLACE_FIELDS).find((each) => normal(each, "name") === instance);
  if (row === undefined) return undefined;
  return {
    primaryNode: asString(normal(row, "pnode"), "pnode"),
    secondaryNodes: asStrings(normal(row, "snodes"), "snodes"),
  };
}

/**
 * @returns undefined where Ganeti knows no such job
 * @throws VigieError SOURCE_FAILED, PARSE_FAILED
 */
export async function jobWithId(host: Host, id: number): Promise<QueuedJob | undefined> {
  return jobsIn(await query(await openLuxi(host), ["=", "id", id])).find((job) => job.id === id);
}

/** @throws VigieError SOURCE_FAILED, PARSE_FAILED */
export async function queueIsDrained(host: Host): Promise<boolean> {
  const luxi = await openLuxi(host);
  const [drained] = asArray(
    await luxi.call("QueryConfigValues", [["drain_flag"]], TIMEOUT_MS),
    "the configuration values",
  );
  if (typeof drained === "boolean" || drained === null) return drained === true;
  throw new VigieError("PARSE_FAILED", "drain_flag is neither true nor false");
}

/** It will not change any more. */
export function isOver({ status }: QueuedJob): boolean {
  return status === "success" || status === "error" || status === "canceled";
}

export async function openLuxi(host: Host): Promise<Luxi> {
  const release = await host.readFile("/var/lib/ganeti/ssconf_release_version").catch(() => "3.0.0");
  return createLuxi(host, release); // of another version: the server says its own
}

function query(luxi: Luxi, filter: unknown): Promise<unknown> {
  return luxi.call("Query", ["job", FIELDS, filter], TIMEOUT_MS);
}

function jobsIn(answer: unknown): QueuedJob[] {
  return rowsOf(answer, FIELDS).map(jobOf);
}

function jobOf(row: Row): QueuedJob {
  return {
    id: asCount(normal(row, "id"), "id"),
    status: asString(normal(row, "status"), "status"),
    summary: asStrings(normal(row, "summary"), "summary").join(", "),
    reasons: reasonTexts(asArray(normal(row, "ops"), "ops").filter(isObject)),
    receivedUnixMs: timeOf(row, "received_ts"),
  };
}
