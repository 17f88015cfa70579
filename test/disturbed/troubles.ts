/** What is the matter with the cluster, and what a person does about it: a runbook, on something that needs it. */
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import { leave } from "../simulator/drbd-commands.js";
import { beginGeneration, loseDisk, startResync, type DiskModel } from "../simulator/drbd-model.js";
import { kill } from "../simulator/ganeti-jobs.js";
import type { InstanceModel } from "../simulator/ganeti-model.js";
import { gntCommand } from "../simulator/gnt-commands.js";
import { addInstance } from "../simulator/instances.js";
import { setPrimary } from "../simulator/job-moves.js";
import { mapPartitions } from "../simulator/maps.js";
import { plug } from "../simulator/node-model.js";
import { readFails } from "../simulator/sim-host.js";
import { nodeOf, powerOff, powerOn, volumeNames, type World } from "../simulator/world.js";
import { short, type Scene } from "./scene.js";

export interface Trouble {
  readonly runbook: string;
  readonly weight: number;
  /** @returns the runbook's parameters; undefined: this cluster has nothing for it */
  readonly begin: (scene: Scene) => Promise<Parameters | undefined>;
}

type Parameters = Readonly<Record<string, string>>;

export const LVM_IS_READ_MS = 32_000;
const GANETI_STATUS_IS_READ_MS = 62_000;

export const TROUBLES: readonly Trouble[] = [
  { runbook: "reset-stalled-sync", weight: 5, begin: stall },
  { runbook: "recover-stuck-migration", weight: 2, begin: stuckMigration },
  { runbook: "cleanup-migration", weight: 1, begin: killedMigration },
  { runbook: "retire-disk", weight: 3, begin: failingDisk },
  { runbook: "adopt-disk", weight: 1, begin: newDisk },
  { runbook: "rebuild-redundancy", weight: 2, begin: lostCopies },
  { runbook: "release-held-device", weight: 1, begin: heldDevice },
  { runbook: "resolve-split-brain", weight: 2, begin: splitBrain },
  { runbook: "relocate-secondaries", weight: 3, begin: nodeToEmpty },
  { runbook: "disable-dead-node", weight: 3, begin: deadNode },
  { runbook: "reinstate-node", weight: 2, begin: nodeThatWasAway },
];

/** Until everybody has read how it is; nothing is at work, so time leaps. */
async function quietly({ clock, faults }: Scene, ms: number): Promise<void> {
  faults.idle.is = true;
  await clock.sleep(ms);
  faults.idle.is = false;
}

async function stall({ world, random, clock }: Scene): Promise<Parameters | undefined> {
  const disk = someActive(random.shuffled(world.disks));
  if (disk === undefined) return undefined;
  startResync(disk, random.int(8_000, 40_000));
  await clock.sleep(3_000);
  disk.blackhole = "this-connection";
  await clock.sleep(random.int(8_500, 12_000));
  return { instance: short(disk.instance) };
}

async function stuckMigration(scene: Scene): Promise<Parameters | undefined> {
  const { world, random, clock } = scene;
  const instance = someRunning(scene);
  if (instance === undefined) return undefined;
  void gntCommand(world, nodeOf(world, world.master), "gnt-instance", ["migrate", "-f", instance.name]);
  await clock.sleep(random.int(3_000, 12_000));
  const stuck = world.ganeti.jobs.at(-1);
  const all = random.chance(0.1); // what people put into the queue
  world.ganeti.frozen = (job) => job === stuck || (all && job.reasons.length === 0);
  await clock.sleep(random.int(5_000, 15_000));
  return { instance: short(instance.name), migrate: random.chance(0.5) ? "yes" : "no" };
}

async function killedMigration(scene: Scene): Promise<Parameters | undefined> {
  const { world, random, clock } = scene;
  const instance = someRunning(scene);
  if (instance === undefined) return undefined;
  void gntCommand(world, nodeOf(world, world.master), "gnt-instance", ["migrate", "-f", instance.name]);
  await clock.sleep(random.int(2_000, 9_000));
  const job = world.ganeti.jobs.at(-1);
  if (job !== undefined) kill(job);
  await clock.sleep(15_000);
  return { instance: short(instance.name) };
}

async function failingDisk({ world, random, clock }: Scene): Promise<Parameters> {
  const node = random.pick([...world.nodes.values()]);
  const disk = random.pick(node.disks);
  readFails(node, disk.name);
  world.guestsWriteEveryMs = 8_000;
  await clock.sleep(random.int(5_000, 20_000));
  return { node: short(node.name), disk: disk.name, ...(random.chance(0.2) ? { migrate: "no" } : {}) };
}

async function newDisk(scene: Scene): Promise<Parameters> {
  const { world, random } = scene;
  const node = random.pick([...world.nodes.values()]);
  plug(node, "sdx");
  await quietly(scene, LVM_IS_READ_MS);
  return { node: short(node.name), disk: "sdx", ...(random.chance(0.5) ? { partition: "yes" } : {}) };
}

async function lostCopies(scene: Scene): Promise<Parameters> {
  const { world, random } = scene;
  for (const disk of random.shuffled(world.disks).slice(0, random.int(1, 2))) {
    const end = random.chance(0.7) ? disk.ends[1] : disk.ends[0];
    if (end.configured && random.chance(0.7)) loseDisk(disk, end);
    else if (end.role === Role.SECONDARY && end.configured) {
      leave({ disk, end });
      end.configured = false;
      if (random.chance(0.6)) notUnderstood(scene, disk, end.node);
    }
  }
  await quietly(scene, LVM_IS_READ_MS);
  return random.chance(0.3) ? { at_once: "2" } : {};
}

/** From before the plan: its volume is there, and its line in LVM's listing is odd. */
function notUnderstood({ faults, healers, exposure, tell }: Scene, disk: DiskModel, node: string): void {
  const name = volumeNames(disk).data;
  tell(`${short(node)}: the volume ${name} is not understood`);
  exposure.count("copies whose volume is not understood when it is planned");
  faults.of(node).oddRow = { what: "volume", name };
  healers.add(() => (faults.of(node).oddRow = undefined));
}

async function heldDevice(scene: Scene): Promise<Parameters | undefined> {
  const { world, random, clock } = scene;
  const instance = someRunning(scene);
  const disk = instance?.disks[0];
  if (instance === undefined || disk === undefined) return undefined;
  const [own, peer] = disk.ends[0].node === instance.primary ? disk.ends : [disk.ends[1], disk.ends[0]];
  const node = nodeOf(world, own.node);
  instance.adminState = "down";
  instance.serial += 1;
  node.guests.delete(instance.name);
  for (const each of instance.disks)
    for (const end of each.ends)
      if (end !== own && end.configured) {
        leave({ disk: each, end });
        end.configured = false;
      }
  peer.role = Role.SECONDARY;
  mapPartitions(node, own.minor);
  if (random.chance(0.5)) {
    node.processes.push({ pid: 1300, command: "sleep 600", opens: `/dev/drbd${own.minor}` });
    void clock.sleep(GANETI_STATUS_IS_READ_MS + 20_000).then(() => (node.processes.length = 0));
  }
  await quietly(scene, GANETI_STATUS_IS_READ_MS);
  return { node: short(own.node), minor: String(own.minor) };
}

async function splitBrain({ world, random, clock }: Scene): Promise<Parameters | undefined> {
  const disk = someActive(random.shuffled(world.disks));
  if (disk === undefined) return undefined;
  const [a, b] = disk.ends;
  world.partitions.add(`${a.node} ${b.node}`);
  await clock.sleep(14_000);
  for (const end of disk.ends) beginGeneration(disk, end);
  world.partitions.delete(`${a.node} ${b.node}`);
  const split = (): boolean => disk.ends.some(({ connection }) => connection === ConnectionState.STAND_ALONE);
  for (let waited = 0; waited < 20 && !split(); waited += 1) await clock.sleep(1_000);
  await clock.sleep(random.int(12_000, 20_000));
  const victim = disk.ends.find(({ role }) => role === Role.SECONDARY)?.node ?? b.node;
  return { instance: short(disk.instance), victim: short(victim) };
}

async function nodeToEmpty({ world, random }: Scene): Promise<Parameters> {
  const nodes = random.shuffled([...world.nodes.keys()]);
  const node = nodes.find((name) => world.disks.some(({ ends }) => ends[1].node === name)) ?? nodes[0] ?? "";
  const to = random.chance(0.3) ? nodes.find((name) => name !== node) : undefined;
  return { node: short(node), ...(to === undefined ? {} : { to: short(to) }) };
}

/** Dead for good, or only cut off from all others: its agent, its kernel and its guests go on there. */
async function deadNode(scene: Scene): Promise<Parameters | undefined> {
  const { cluster, world, random, tell } = scene;
  const node = random.pick([...world.nodes.keys()].filter((name) => name !== world.master));
  const peer = (
    world.disks.find(({ ends }) => ends[0].node === node) ?? // of a guest that is to be started elsewhere
    world.disks.find(({ ends }) => ends[1].node === node)
  )?.ends.find((end) => end.node !== node);
  if (peer !== undefined && random.chance(0.4)) {
    tell(`${short(node)} and ${short(peer.node)} have not seen each other for long by then`);
    world.partitions.add(`${node} ${peer.node}`);
    await quietly(scene, random.int(50_000, 90_000));
  }
  const isolated = random.chance(0.5);
  tell(`${short(node)} is ${isolated ? "cut off" : "dead"}`);
  if (isolated) isolate(world, node);
  else {
    powerOff(world, node);
    cluster.killAgent(node);
  }
  await quietly(scene, random.int(40_000, 50_000));
  return { node: short(node) };
}

async function nodeThatWasAway(scene: Scene): Promise<Parameters | undefined> {
  const { cluster, world, random } = scene;
  const name = random.pick([...world.nodes.keys()].filter((each) => each !== world.master));
  if (random.chance(0.7)) crowd(scene, name);
  powerOff(world, name);
  cluster.killAgent(name);
  await quietly(scene, 15_000);
  nodeOf(world, name).offline = true;
  nodeOf(world, name).serial += 1;
  for (const instance of world.ganeti.instances.filter(({ primary }) => primary === name))
    failedOver(world, instance);
  powerOn(world, name);
  cluster.startAgent(name);
  await quietly(scene, 40_000);
  return { node: short(name) };
}

const CROWD = 5; // so that hbal has something to move

/** More instances on another node, whose second copies this one has. */
function crowd({ world, random, tell }: Scene, secondary: string): void {
  const { group } = nodeOf(world, secondary);
  const others = [...world.nodes.values()].filter((node) => node.name !== secondary && node.group === group);
  if (others.length === 0) return;
  const primary = random.pick(others).name;
  for (let n = 0; n < CROWD; n += 1) {
    const name = `web${world.ganeti.disksMade + 1}.sim.example`;
    addInstance(world, { name, template: "drbd", primary, secondary, sizesKib: [16_384], up: true });
    tell(`${short(name)} is on ${short(primary)} and ${short(secondary)}, too`);
  }
  world.ganeti.configSerial += 1;
}

function failedOver(world: World, instance: InstanceModel): void {
  const to = instance.disks[0]?.ends.find(({ node }) => node !== instance.primary)?.node;
  if (to === undefined) return;
  for (const disk of instance.disks)
    for (const end of disk.ends) {
      end.role = end.node === to && instance.adminState === "up" ? Role.PRIMARY : Role.SECONDARY;
      if (end.node === to) beginGeneration(disk, end);
    }
  setPrimary(world, instance, to);
  if (instance.adminState === "up") nodeOf(world, to).guests.add(instance.name);
}

export function isolate(world: World, node: string): () => void {
  const pairs = [...world.nodes.keys()].filter((other) => other !== node).map((other) => `${node} ${other}`);
  for (const pair of pairs) world.partitions.add(pair);
  return () => {
    for (const pair of pairs) world.partitions.delete(pair);
  };
}

function someActive(disks: readonly DiskModel[]): DiskModel | undefined {
  return disks.find(({ ends }) =>
    ends.every(
      ({ configured, disk, connection }) =>
        configured && disk === DiskState.UP_TO_DATE && connection === ConnectionState.CONNECTED,
    ),
  );
}

export function someRunning({ world, random }: Scene): InstanceModel | undefined {
  return random
    .shuffled(world.ganeti.instances)
    .find(({ name, primary, disks }) => disks.length > 0 && world.nodes.get(primary)?.guests.has(name));
}

/** The end of its secondary node. */
export function secondaryOf({ primary, disks }: InstanceModel): string | undefined {
  const [first] = disks;
  return first === undefined ? undefined : first.ends.find(({ node }) => node !== primary)?.node;
}
