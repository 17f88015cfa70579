/** `drbdsetup get-gi MINOR`: which generation of the data this end has. Two ends that differ have two histories. */
import { Source, type DrbdGenerations } from "@vigie/proto";
import type { Command, Host } from "../host.js";
import { quote, refuse } from "./cursor.js";
import { readOrAbsent, runForOutput } from "./reading.js";
import { NOTHING_ASKED, type Reading, type SourceDefinition } from "./source.js";

const TIMEOUT_MS = 3_000;
const UUID = /^[0-9A-F]{16}$/;
const FLAG = /^[01]$/;
const UUIDS = 4; // current, bitmap, and two of the history

export const drbdGenerations: SourceDefinition = {
  source: Source.DRBD_GENERATIONS,
  periodMs: undefined,
  about: "minor",
  deadlineMs: 5_000,
  read: (host, { minor } = NOTHING_ASKED) =>
    readOrAbsent(() => read(host, minor), "the drbd module is not loaded"),
};

/**
 * "CC8CB4269847333F:98D206154372FB11:98D106154372FB11:98D006154372FB11:1:1:1:1:0:1:0", as 8.4 prints it.
 * @throws VigieError PARSE_FAILED for anything else
 */
export function parseGenerations(text: string, minor: number): DrbdGenerations {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const words = (lines[0] ?? "").trim().split(":");
  const uuids = words.slice(0, UUIDS);
  const flags = words.slice(UUIDS);
  const [currentUuid = "", bitmapUuid = "", ...historyUuids] = uuids;
  const known = lines.length === 1 && uuids.length === UUIDS && uuids.every((uuid) => UUID.test(uuid));
  if (!known || flags.length === 0 || !flags.every((flag) => FLAG.test(flag)))
    return refuse(`the generations are not understood: ${quote(text)}`);
  return { minor, currentUuid, bitmapUuid, historyUuids, flags: flags.join(":") };
}

function getGi(minor: number): Command {
  return { file: "/usr/sbin/drbdsetup", args: ["get-gi", String(minor)], timeoutMs: TIMEOUT_MS };
}

async function read(host: Host, minor: number): Promise<Reading> {
  await host.readFile("/proc/drbd"); // missing: drbdsetup would load the module, and a reading changes nothing
  const value = parseGenerations(await runForOutput(host, getGi(minor)), minor);
  return { state: "ok", facts: { $case: "drbdGenerations", value }, damaged: [] };
}
