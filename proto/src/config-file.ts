/**
 * Configuration files: TOML, checked against a schema, and refused with one line that says where and what. A
 * mistyped key that is silently ignored is a safety setting that is silently not set, so unknown keys are errors.
 *
 * Schemas may be of `zod` or of `zod/mini` (the agent's: less memory); both are zod's core, which is used here.
 */
import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { safeParse, type $ZodType, type output } from "zod/v4/core";
import { findingsOf, unknownKeys, type Finding } from "./config-issue.js";
import { VigieError } from "./errors.js";
import { locateKeys, type KeyLines, type KeyPath } from "./toml-lines.js";

/** @throws BAD_CONFIG when it cannot be read, or as loadConfig does */
export function readConfigFile<S extends $ZodType>(path: string, schema: S): output<S> {
  return loadConfig(readText(path), path, schema);
}

/**
 * @param text the TOML document
 * @param file its name, for the message only
 * @throws BAD_CONFIG whose message is one line, `FILE:LINE: KEY: expected …, got …`; LINE is the key's, or its
 *   table's where the key is missing
 */
export function loadConfig<S extends $ZodType>(text: string, file: string, schema: S): output<S> {
  const document = parseToml(text, file);
  const parsed = safeParse(schema, document);
  const issues = parsed.success ? [] : parsed.error.issues;
  const findings = [...unknownKeys(schema, document), ...issues.flatMap((it) => findingsOf(it, document))];
  const lines = locateKeys(text);
  const [worst] = findings.sort((a, b) => urgency(a, lines) - urgency(b, lines));
  if (worst !== undefined) throw badConfig(file, lineFor(worst.path, lines), worst);
  if (!parsed.success)
    throw new VigieError("BAD_CONFIG", `${file}:1: document: expected another value, got this one`);
  return parsed.data;
}

/**
 * A value that its schema allows and the world does not: a file that is not there, another node's certificate.
 *
 * @returns BAD_CONFIG with the same one line as loadConfig's; the file is read again to find the key
 */
export function configError(file: string, key: KeyPath, expected: string, got: string): VigieError {
  return badConfig(file, lineFor(key, locateKeys(readText(file))), { path: key, expected, got });
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "no such file; write it, or name another file",
  EACCES: "permission denied; run as a user that may read it",
  EISDIR: "it is a directory; name a file in it",
  ENOTDIR: "a part of the path is not a directory; name another file",
};

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    const why = READ_FAILURES[code] ?? code;
    throw new VigieError("BAD_CONFIG", `${path}: cannot be read: ${why}`, { details: { file: path } });
  }
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const reason = cause.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "something else";
    const finding = { path: ["TOML"], expected: "a well-formed document", got: reason };
    throw badConfig(file, cause.line, finding);
  }
}

/** A mistyped key is also a missing one: say what was typed before what is missed, then go by line. */
function urgency(finding: Finding, lines: KeyLines): number {
  return lineFor(finding.path, lines) + (finding.kind === "unknown" ? 0 : 1e9);
}

function lineFor(path: KeyPath, lines: KeyLines): number {
  return lines.lineOf(path) ?? (path.length === 0 ? 1 : lineFor(path.slice(0, -1), lines));
}

function badConfig(file: string, line: number, finding: Omit<Finding, "kind">): VigieError {
  const key = keyText(finding.path) || "document";
  const message = `${file}:${line}: ${key}: expected ${finding.expected}, got ${finding.got}`;
  return new VigieError("BAD_CONFIG", message.replaceAll(/\s*[\r\n]+\s*/g, " "), {
    details: { file, line, key },
  });
}

/** As one would type it: `guards."cut ttl"`, `nodes[0].name` (items count from 0). */
function keyText(path: KeyPath): string {
  return path
    .map((it) => (typeof it === "number" ? `[${it}]` : `.${/^[\w-]+$/.test(it) ? it : JSON.stringify(it)}`))
    .join("")
    .replace(/^\./, "");
}
