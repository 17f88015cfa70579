/** What a process costs, as its kernel counts it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const USER_TIME = 11; // fields of /proc/PID/stat, counted behind the name
const SYSTEM_TIME = 12;
const CHILDREN_USER_TIME = 13;
const CHILDREN_SYSTEM_TIME = 14;

export interface CpuTime {
  readonly ownS: number;
  readonly childrenS: number; // of those that ended
  readonly atS: number; // monotonic, when it was read
}

export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (...columns: number[]): number =>
    columns.reduce((sum, column) => sum + Number(fields[column]), 0) / TICKS_PER_SECOND;
  return {
    ownS: seconds(USER_TIME, SYSTEM_TIME),
    childrenS: seconds(CHILDREN_USER_TIME, CHILDREN_SYSTEM_TIME),
    atS: performance.now() / 1000,
  };
}

/** Percent of one core between two readings. */
export function corePercent(from: CpuTime, to: CpuTime, whose: "ownS" | "childrenS" = "ownS"): number {
  return (100 * (to[whose] - from[whose])) / (to.atS - from.atS);
}

export interface Memory {
  readonly rssMib: number;
  readonly anonymousMib: number;
}

export function memory(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(rollup)?.[1]) / 1024;
  return { rssMib: mib("Rss"), anonymousMib: mib("Anonymous") };
}

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
