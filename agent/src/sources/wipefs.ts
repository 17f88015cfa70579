/** `wipefs --no-act --json`: what is found on a disk. It writes nothing. */
import type { Command } from "../host.js";
import { asArray, asObject, parseJson } from "./json.js";

const TIMEOUT_MS = 15_000;

export function wipefs(device: string): Command {
  return { file: "/usr/sbin/wipefs", args: ["--no-act", "--json", device], timeoutMs: TIMEOUT_MS };
}

/**
 * @returns "ext4 at 0x438" for each; nothing where wipefs finds none, for which older ones print nothing at all
 * @throws VigieError PARSE_FAILED
 */
export function parseWipefs(text: string): string[] {
  if (text.trim() === "") return [];
  const report = asObject(parseJson(text, "wipefs' report"), "the report");
  return asArray(report["signatures"], "signatures").map((each) => {
    const { type, offset } = asObject(each, "a signature");
    return `${String(type)} at ${String(offset)}`;
  });
}
