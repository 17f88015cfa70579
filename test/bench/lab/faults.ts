/** Faults that must be told within seconds, each made by one command whose moment the node itself notes. */
import { connectionName } from "../../lab/cluster/drbd.js";
import { troubleNamed, type DiskSide } from "../../lab/index.js";
import { calm, incidentSince, masterTime, type Stage } from "./stage.js";

interface Fault {
  readonly kind: string; // of the incident; the lab's trouble of the same name takes it back
  readonly at: "primary" | "secondary";
  readonly command: (stage: Stage, side: DiskSide) => string;
}

const FAULTS: readonly Fault[] = [
  {
    kind: "standalone",
    at: "primary",
    command: ({ disk }, side) => `drbdsetup disconnect ${connectionName(disk, side)}`,
  },
  { kind: "diskless", at: "secondary", command: (_stage, side) => `drbdsetup detach ${side.minor}` },
  { kind: "disk-offline", at: "secondary", command: () => "echo offline > /sys/block/sda/device/state" },
];

/** @returns the seconds that the slowest of them took to be told, from right before its command */
export async function slowestFault(stage: Stage, note: (text: string) => void): Promise<number> {
  const tookS: number[] = [];
  for (const fault of FAULTS) {
    const seconds = await flaggedAfter(stage, fault);
    note(`${fault.kind} flagged after ${seconds.toFixed(1)} s`);
    tookS.push(seconds);
  }
  return Math.max(...tookS);
}

async function flaggedAfter(stage: Stage, { kind, at, command }: Fault): Promise<number> {
  const side = stage.disk[at];
  const node = stage.lab.node(side.node);
  const toMaster = await masterTime(stage, node);
  try {
    const { stdout } = await node.run(`date +%s%3N; ${command(stage, side)}`);
    const begunUnixMs = toMaster(Number(stdout.split("\n", 1)[0]));
    const incident = await incidentSince(stage, kind, begunUnixMs - 100, 30);
    return (incident.opened_unix_ms - begunUnixMs) / 1000;
  } finally {
    await troubleNamed(kind).mend(stage.lab, {});
    await calm(stage);
  }
}
