/**
 * /proc/drbd: the state of every minor on this node. It is read every second, since it answers even while DRBD
 * hangs (drbdsetup may then sit in the kernel for ever). The kernel prints the whole file in one go (single_open),
 * so one read is one moment.
 */
import { Source } from "@vigie/proto";
import type { Host } from "../host.js";
import { readDrbdsetupStatus } from "./drbdsetup-status.js";
import { rememberingMinors } from "./proc-drbd-again.js";
import { beginProgress, finishProgress, takeCutLine, takeLine, type ProcDrbd } from "./proc-drbd-lines.js";
import { readOrAbsent } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

export type { ProcDrbd };

export function procDrbd(): SourceDefinition {
  const parse = rememberingMinors(parseProcDrbd);
  return {
    source: Source.PROC_DRBD,
    periodMs: 1_000,
    deadlineMs: 2_000,
    read: (host) => readOrAbsent(() => read(host, parse), "the drbd module is not loaded"),
  };
}

/**
 * Parse /proc/drbd as 8.0 to 8.4 print it (drbd_seq_show() in drbd_proc.c), and 9 for resources that were made by
 * 8.4's tools (drbd_legacy_84.c).
 *
 * @param text the whole file, read in one go
 * @returns the minors in file order. A minor whose lines are not as documented is in `damaged` only, with the line
 *   and the reason, and its neighbours still parse. So is a minor that is listed twice, and one that is cut short:
 *   the last line must have its line end.
 */
export function parseProcDrbd(text: string): ProcDrbd {
  const progress = beginProgress();
  let line = 0;
  for (let start = 0; start < text.length;) {
    const lineEnd = text.indexOf("\n", start);
    const end = lineEnd < 0 ? text.length : lineEnd;
    line++;
    if (lineEnd < 0) takeCutLine(progress, line, text.slice(start));
    else takeLine(progress, line, text, start, end);
    start = end + 1;
  }
  return finishProgress(progress);
}

async function read(host: Host, parse: (text: string) => ProcDrbd): Promise<Reading> {
  const { damaged, ...drbd } = parse(await host.readFile("/proc/drbd"));
  if (!drbd.minorsElsewhere) return { state: "ok", facts: { $case: "drbd", value: drbd }, damaged };
  const status = await readDrbdsetupStatus(host);
  const value = { ...drbd, minors: status.minors };
  return { state: "ok", facts: { $case: "drbd", value }, damaged: [...damaged, ...status.damaged] };
}
