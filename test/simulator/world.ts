/**
 * The simulated cluster: nodes that are up or not, links between them, disks that resync, and the fences that cut.
 * It is stepped by the clock, and read and changed by the hosts.
 */
import { ConnectionState, DiskState, type Clock } from "@vigie/proto";
import { mapName } from "./maps.js";
import { threeNodes, type ClusterSpec } from "./cluster-spec.js";
import { endAt, loseDisk, minorOf, part, step, type DiskModel, type DrbdEndModel } from "./drbd-model.js";
import { createGaneti, type GanetiModel, type JobModel } from "./ganeti-model.js";
import { addInstance } from "./instances.js";
import { makeVolume, META_BYTES } from "./lvm-model.js";
import { createNode, logRecord, type NodeModel } from "./node-model.js";

const STEP_MS = 100;

export interface World {
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, NodeModel>;
  /** Mirrored ones, of all instances. */
  readonly disks: DiskModel[];
  readonly ganeti: GanetiModel;
  master: string;
  /** Pairs "h1 h2" that do not see each other. */
  readonly partitions: Set<string>;
  /** "h1 h2": what h1 sends does not arrive at h2; the other way is open. */
  readonly oneWay: Set<string>;
  /** Guests write at least as often, so that a disk that fails is met; undefined: they are idle. */
  guestsWriteEveryMs: number | undefined;
  /** What was run that may change something, in order. */
  readonly ran: Ran[];
  /** Before each of them has its effect. */
  runs: (ran: Ran) => void;
  /** A job gives this copy up. @param reasons the job's; empty: a person's */
  drops: (disk: DiskModel, end: DrbdEndModel, reasons: readonly string[]) => void;
  /** A job starts this guest here, or brings it here. @param reasons the job's; empty: a person's */
  places: (instance: string, node: string, reasons: readonly string[]) => void;
  /** Ganeti's word of this node changes now. @param reasons the job's; empty: a person's, or gnt-node add --readd */
  flags: (node: NodeModel, offline: boolean, reasons: readonly string[]) => void;
  /** It is in the queue from now on. */
  queues: (job: JobModel) => void;
  /** Each hbal that works now, by its reasons. */
  readonly balancing: Set<readonly string[]>;
  /** ms that pass before this command has its effect. */
  takesMs: (node: NodeModel, argv: readonly string[]) => number;
  /** What goes wrong with a command, instead of what it does. */
  trouble: (node: NodeModel, argv: readonly string[]) => Trouble | undefined;
  readonly stop: () => void;
}

export interface Ran {
  readonly atMs: number;
  readonly node: string;
  readonly argv: readonly string[];
  /** When it was begun: what changed since then nobody could look at before. */
  readonly begunMs: number;
}

/** Kept, and told, before it has its effect. */
export function noteRun(
  world: World,
  node: NodeModel,
  argv: readonly string[],
  begunMs = world.clock.monotonicMs(),
): void {
  const ran = { atMs: world.clock.monotonicMs(), node: node.name, argv, begunMs };
  world.ran.push(ran);
  world.runs(ran);
}

/** It fails; it hangs in the kernel; it does its work and is not heard of; it says nothing of it. */
export type Trouble = "fails" | "hangs" | "killed" | "silent";

/** @param of its nodes and instances; or how many instances the usual three nodes have */
export function createWorld(clock: Clock, of: ClusterSpec | number): World {
  const spec = typeof of === "number" ? threeNodes(of) : of;
  const nodes = new Map(spec.nodes.map((node, i) => [node.name, createNode(node, i)] as const));
  const ended = new AbortController();
  const world: World = {
    clock,
    nodes,
    disks: [],
    ganeti: createGaneti(),
    master: spec.nodes[0]?.name ?? "",
    partitions: new Set(),
    oneWay: new Set(),
    guestsWriteEveryMs: undefined,
    ran: [],
    runs: () => undefined,
    drops: () => undefined,
    places: () => undefined,
    flags: () => undefined,
    queues: () => undefined,
    balancing: new Set(),
    takesMs: () => 0,
    trouble: () => undefined,
    stop: () => ended.abort(),
  };
  for (const instance of spec.instances) addInstance(world, instance, world.disks.length);
  void live(world, ended.signal);
  return world;
}

/** @returns why they were not made */
export function makeVolumes(node: NodeModel | undefined, disk: DiskModel): string | undefined {
  if (node === undefined) return "there is no such node";
  const { data, meta } = volumeNames(disk);
  return makeVolume(node, "kvmvg", data, disk.sizeKib * 1024) ?? makeVolume(node, "kvmvg", meta, META_BYTES);
}

interface VolumeNames {
  readonly data: string;
  readonly meta: string;
  /** device-mapper's names of both. */
  readonly maps: readonly string[];
}

/** A disk keeps its names; they are asked for thousands of times in a simulated minute. */
const namesOf = new WeakMap<DiskModel, VolumeNames>();

/** In the volume group kvmvg. */
export function volumeNames(disk: DiskModel): VolumeNames {
  const known = namesOf.get(disk);
  if (known !== undefined) return known;
  const [data, meta] = [`${disk.uuid}.disk${disk.index}_data`, `${disk.uuid}.disk${disk.index}_meta`];
  const names = { data, meta, maps: [mapName("kvmvg", data), mapName("kvmvg", meta)] };
  namesOf.set(disk, names);
  return names;
}

/** The minor that has the volume of this map for its disk. */
export function usesVolume(world: World, node: NodeModel, map: string): DrbdEndModel | undefined {
  const disk = world.disks.find((each) => volumeNames(each).maps.includes(map));
  const end = disk && endAt(disk, node.name);
  return end?.configured === true && end.disk !== DiskState.DISKLESS ? end : undefined;
}

export function nodeOf(world: World, name: string): NodeModel {
  const node = world.nodes.get(name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

/** As /proc/drbd lists them. */
export function minorsAt(world: World, node: NodeModel) {
  return world.disks
    .map((disk) => ({ disk, end: endAt(disk, node.name) }))
    .flatMap(({ disk, end }) => (end === undefined ? [] : [minorOf(disk, end)]))
    .filter((minor) => minor !== undefined)
    .toSorted((a, b) => a.minor - b.minor);
}

async function live(world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const beganMs = world.clock.monotonicMs();
    await world.clock.sleep(STEP_MS, signal);
    expireCuts(world);
    const tookMs = world.clock.monotonicMs() - beganMs; // more than a step where time leaps
    for (const disk of world.disks) stepDisk(world, disk, tookMs);
    meetDeadDisks(world);
  }
}

function stepDisk(world: World, disk: DiskModel, tookMs: number): void {
  const [a, b] = disk.ends;
  const before = [a.connection, b.connection];
  const cutAt = cuts(world, a.node, b.node, disk.port)
    ? a.node
    : cuts(world, b.node, a.node, disk.port)
      ? b.node
      : undefined;
  step(disk, tookMs, world.clock.monotonicMs(), cutAt, reaches(world, a.node, b.node));
  const split = disk.ends.some(
    (end, i) => end.connection === ConnectionState.STAND_ALONE && before[i] === ConnectionState.WF_CONNECTION,
  );
  for (const end of split ? disk.ends : [])
    logRecord(
      nodeOf(world, end.node),
      `block drbd${end.minor}: Split-Brain detected but unresolved, dropping connection!`,
    );
}

function cuts(world: World, node: string, peer: string, port: number): boolean {
  const entries = world.nodes.get(node)?.cuts;
  if (entries === undefined || entries.size === 0) return false; // as nearly always
  return entries.has(`${world.nodes.get(peer)?.address},tcp:${port}`);
}

function expireCuts(world: World): void {
  for (const { cuts: entries } of world.nodes.values()) {
    for (const [entry, { expiresAtMs }] of entries)
      if (world.clock.monotonicMs() >= expiresAtMs) entries.delete(entry);
  }
}

/** A write that a dead disk refuses: DRBD lets go of it. Only of minors that are written to. */
function meetDeadDisks(world: World): void {
  const every = world.guestsWriteEveryMs;
  if (every === undefined || world.clock.monotonicMs() % every >= STEP_MS) return;
  for (const disk of world.disks) {
    const written = disk.ends.some((end) => world.nodes.get(end.node)?.guests.has(disk.instance));
    for (const end of written ? disk.ends : [])
      if (end.configured && isDead(world, disk, end)) loseDisk(disk, end);
  }
}

function isDead(world: World, disk: DiskModel, { node }: DrbdEndModel): boolean {
  const { data } = volumeNames(disk);
  const volume = world.nodes.get(node)?.volumes.find(({ lvName }) => lvName === data);
  return volume?.disk.state === "offline";
}

/** Both up, and nothing between them is cut, in either direction: as a connection needs it. */
export function reaches(world: World, a: string, b: string): boolean {
  return arrives(world, a, b) && arrives(world, b, a);
}

/** What one node sends comes to the other. */
export function arrives(world: World, from: string, to: string): boolean {
  const { nodes, partitions, oneWay } = world;
  if (nodes.get(from)?.up !== true || nodes.get(to)?.up !== true) return false;
  if (partitions.size === 0 && oneWay.size === 0) return true; // as mostly
  const way = `${from} ${to}`;
  return !partitions.has(way) && !partitions.has(`${to} ${from}`) && !oneWay.has(way);
}

export function standAlone(disk: DiskModel): void {
  const [a, b] = disk.ends;
  part(disk, a, ConnectionState.STAND_ALONE);
  part(disk, b, ConnectionState.WF_CONNECTION);
}

/** Its power is off: what its kernel held is forgotten, what was on its disks stays. */
export function powerOff(world: World, name: string): void {
  const node = nodeOf(world, name);
  node.up = false;
  node.guests.clear();
  node.processes.length = 0;
  node.cuts.clear();
  node.firewall?.forget();
  for (const disk of world.disks) {
    const end = endAt(disk, name);
    if (end === undefined) continue;
    end.configured = false;
    end.connection = ConnectionState.STAND_ALONE;
  }
}

/** It starts again, as another boot: nothing is activated by itself. */
export function powerOn(world: World, name: string): void {
  const node = nodeOf(world, name);
  node.up = true;
  node.bootId = `${node.bootId}-again`;
}
