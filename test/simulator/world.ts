/**
 * The simulated cluster: nodes that are up or not, links between them, disks that resync, and the fences that cut.
 * It is stepped by the clock, and read and changed by the hosts.
 */
import { ConnectionState, type Clock } from "@vigie/proto";
import { createDisk, step, type DiskModel } from "./drbd-model.js";

const STEP_MS = 100;

export interface NodeModel {
  readonly name: string;
  readonly address: string;
  up: boolean;
  bootId: string;
  diskState: "running" | "offline"; // of sda
  /** What the kernel holds of the fence: entry → when it expires, and its comment. */
  readonly cuts: Map<string, { readonly expiresAtMs: number; readonly runId: string }>;
  damagedMinor: number | undefined; // its connection state is printed as a word that nobody knows
  readonly removedFiles: Set<string>;
  readonly extraFiles: Map<string, string>;
}

export interface World {
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, NodeModel>;
  readonly disks: readonly DiskModel[];
  master: string;
  /** Pairs "h1 h2" that do not see each other. */
  readonly partitions: Set<string>;
  readonly stop: () => void;
}

export const NODE_NAMES = ["h1.sim.example", "h2.sim.example", "h3.sim.example"];

export function createWorld(clock: Clock, instances: number): World {
  const nodes = new Map(NODE_NAMES.map((name, i) => [name, createNode(name, i)]));
  const disks = Array.from({ length: instances }, (_, i) =>
    createDisk(`web${i + 1}.sim.example`, i, NODE_NAMES[i % 3] ?? "", NODE_NAMES[(i + 1) % 3] ?? ""),
  );
  const ended = new AbortController();
  const world: World = {
    clock,
    nodes,
    disks,
    master: NODE_NAMES[0] ?? "",
    partitions: new Set(),
    stop: () => ended.abort(),
  };
  void live(world, ended.signal);
  return world;
}

function createNode(name: string, index: number): NodeModel {
  return {
    name,
    address: `10.77.0.${11 + index}`,
    up: true,
    bootId: `boot-${index}`,
    diskState: "running",
    cuts: new Map(),
    damagedMinor: undefined,
    removedFiles: new Set(),
    extraFiles: new Map(),
  };
}

async function live(world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await world.clock.sleep(STEP_MS, signal);
    expireCuts(world);
    for (const disk of world.disks) stepDisk(world, disk);
  }
}

function stepDisk(world: World, disk: DiskModel): void {
  const [a, b] = disk.ends;
  const cutAt = disk.ends.find((end, i) =>
    cuts(world, end.node, disk.ends[1 - i]?.node ?? "", disk.port),
  )?.node;
  step(disk, STEP_MS, world.clock.monotonicMs(), cutAt, reaches(world, a.node, b.node));
}

function cuts(world: World, node: string, peer: string, port: number): boolean {
  const entry = `${world.nodes.get(peer)?.address},tcp:${port}`;
  return world.nodes.get(node)?.cuts.has(entry) ?? false;
}

function expireCuts(world: World): void {
  for (const { cuts: entries } of world.nodes.values()) {
    for (const [entry, { expiresAtMs }] of entries)
      if (world.clock.monotonicMs() >= expiresAtMs) entries.delete(entry);
  }
}

/** Both up, and nothing between them is cut. */
export function reaches(world: World, a: string, b: string): boolean {
  const up = world.nodes.get(a)?.up === true && world.nodes.get(b)?.up === true;
  return up && !world.partitions.has(`${a} ${b}`) && !world.partitions.has(`${b} ${a}`);
}

export function standAlone(disk: DiskModel): void {
  const [a, b] = disk.ends;
  a.connection = ConnectionState.STAND_ALONE;
  b.connection = ConnectionState.WF_CONNECTION;
}
