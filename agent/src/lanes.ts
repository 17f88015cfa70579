/** Which place is read in which lane. A new one takes a thread: see UV_THREADPOOL_SIZE in the agent's unit. */
import type { Clock } from "@vigie/proto";
import { createLane, type Lane } from "./read-lanes.js";

/** Threads of each lane. What is read every second, and what cuts and opens links, shares with nobody. */
export const LANE_THREADS = {
  drbd: 1,
  kernelLog: 1,
  firewall: 1,
  mounts: 1, // an umount that hangs holds the namespace
  processes: 1, // one whose memory is locked keeps who reads its command line
  kernel: 1, // what else the kernel prints
  files: 1, // of Ganeti, and of this host
  devices: 2, // opened, claimed, written to
} as const;

export type LaneName = keyof typeof LANE_THREADS;

export function createLanes(clock: Pick<Clock, "monotonicMs" | "sleep">): Readonly<Record<LaneName, Lane>> {
  const lane = (name: LaneName): Lane => createLane(clock, LANE_THREADS[name]);
  return {
    drbd: lane("drbd"),
    kernelLog: lane("kernelLog"),
    firewall: lane("firewall"),
    mounts: lane("mounts"),
    processes: lane("processes"),
    kernel: lane("kernel"),
    files: lane("files"),
    devices: lane("devices"),
  };
}

export function laneOf(path: string): LaneName {
  if (path === "/proc/drbd") return "drbd";
  if (path.startsWith("/proc/net/")) return "firewall";
  if (/^\/proc\/(?:\w+\/)?mount/.test(path)) return "mounts";
  if (/^\/proc\/(?:\d+|self)\//.test(path)) return "processes";
  if (/^\/(?:proc|sys)\b/.test(path)) return "kernel";
  return "files";
}
