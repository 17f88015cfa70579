/**
 * The JSON that lvs, vgs and pvs print with --reportformat json: warnings may stand before and behind it, a log
 * beside it, and rows in several reports. Source: lvmreport(7). Every value is a string.
 */
import { quote, refuse } from "./cursor.js";
import { asArray, asObject, asString, isObject, parseJson, type JsonObject } from "./json.js";

export interface LvmReport {
  readonly rows: readonly JsonObject[];
  readonly warnings: readonly string[];
}

const MAX_WARNINGS = 50;
const MAX_WARNING_LENGTH = 300;

/**
 * @param kind "lv", "vg" or "pv": the key of the rows
 * @throws VigieError PARSE_FAILED where there is no whole report of that kind
 */
export function parseLvmReport(stdout: string, kind: string): LvmReport {
  const { before, json, behind } = split(stdout);
  const document = asObject(parseJson(json, `the ${kind} report`), "the report");
  const reports = asArray(document["report"], "report").map((report) => asObject(report, "a report"));
  const rows = reports.flatMap((report) => asArray(report[kind] ?? [], kind));
  if (!reports.some((report) => report[kind] !== undefined)) refuse(`there is no ${kind} in the report`);
  return {
    rows: rows.map((row) => asObject(row, `a ${kind}`)),
    warnings: [...before, ...behind, ...logMessages(document["log"])],
  };
}

/** The lines that a tool printed for people, without the blanks around them; not too many. */
export function warningLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim().slice(0, MAX_WARNING_LENGTH));
  return lines.filter((line) => line !== "").slice(0, MAX_WARNINGS);
}

/** The JSON begins at the first line that opens a brace, and ends at the last one that closes it. */
function split(stdout: string): { before: string[]; json: string; behind: string[] } {
  const begin = /^[ \t]*\{/m.exec(stdout)?.index;
  const end = stdout.lastIndexOf("}");
  if (begin === undefined || end < begin) return refuse("there is no report");
  return {
    before: warningLines(stdout.slice(0, begin)),
    json: stdout.slice(begin, end + 1),
    behind: warningLines(stdout.slice(end + 1)),
  };
}

function logMessages(log: unknown): string[] {
  if (!Array.isArray(log)) return [];
  const entries = (log as readonly unknown[]).filter(isObject);
  const loud = entries.filter((entry) => entry["log_type"] === "error" || entry["log_type"] === "warn");
  return warningLines(loud.map((entry) => String(entry["log_message"])).join("\n"));
}

/** Bytes or a count: --units b --nosuffix leaves digits only. */
export function numberIn(row: JsonObject, field: string): number {
  const text = textIn(row, field);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : refuse(`${field} is not a number: ${quote(text)}`);
}

export function textIn(row: JsonObject, field: string): string {
  return asString(row[field], field);
}

/** A field that must be of a shape. */
export function shapedIn(row: JsonObject, field: string, shape: RegExp): string {
  const text = textIn(row, field);
  return shape.test(text) ? text : refuse(`${field} is not understood: ${quote(text)}`);
}

/** "a,b"; nothing for the empty text. */
export function listIn(row: JsonObject, field: string): string[] {
  const text = textIn(row, field);
  return text === "" ? [] : text.split(",");
}
