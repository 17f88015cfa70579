/** /proc/mounts: what is mounted where. A guest's disk must not be, and a disk that holds the system is not retired. */
import { Source, type Damaged, type Mount } from "@vigie/proto";
import type { Host } from "../host.js";
import { quote } from "./cursor.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const FIELDS = 6; // device, mount point, type, options, and two zeros

export const mounts: SourceDefinition = {
  source: Source.MOUNTS,
  periodMs: 10_000,
  deadlineMs: 2_000,
  read: (host) => readOrAbsent(() => read(host), "there is no /proc/mounts"),
};

/** @returns mounts in the order in which they were made; the last line must have its end */
export function parseMounts(text: string): { mounts: Mount[]; damaged: Damaged[] } {
  const mounts: Mount[] = [];
  const damaged: Damaged[] = [];
  const lines = text.split("\n");
  const cut = lines.pop(); // what stands behind the last line end
  for (const [index, line] of lines.entries()) {
    const mount = parseLine(line);
    if (mount !== undefined) mounts.push(mount);
    else damaged.push(damage(index + 1, `not understood: ${quote(line)}`));
  }
  if (cut !== "") damaged.push(damage(lines.length + 1, `the last line is cut: ${quote(cut ?? "")}`));
  return { mounts, damaged };
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(" ");
  const [device, mountPoint, type, options] = fields;
  if (fields.length !== FIELDS || device === undefined || mountPoint === undefined) return undefined;
  if (type === undefined || options === undefined || !/^\d+ \d+$/.test(fields.slice(4).join(" ")))
    return undefined;
  return {
    device: unescape(device),
    mountPoint: unescape(mountPoint),
    type: unescape(type),
    readOnly: options.split(",").includes("ro"),
  };
}

/** The kernel writes blanks, tabs, line ends, backslashes and "#" as \040 and so on (mangle_path). */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function damage(line: number, reason: string): Damaged {
  return { line, reason, minor: undefined, object: "" };
}

async function read(host: Host): Promise<Reading> {
  const { mounts, damaged } = parseMounts(await host.readFile("/proc/mounts"));
  return { state: "ok", facts: { $case: "mounts", value: { mounts } }, damaged };
}
