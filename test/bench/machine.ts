/** What was measured on: a figure without it means nothing. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

export function machineText(): string {
  const model = cpus()[0]?.model.trim() || "unknown CPU";
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(" ");
  return [
    `${availableParallelism()} cores (${model}), ${memoryGib} GiB`,
    `Linux ${kernelRelease()}`,
    `Node.js ${process.version}`,
    `load ${load}`,
  ].join("; ");
}

function kernelRelease(): string {
  return readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
}
