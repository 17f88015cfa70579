/**
 * For each runbook, what the simulated cluster must come to before it is of use, what a person does while it runs,
 * and what must hold when it is over. Adding a runbook adds a line here, or a test fails.
 */
import { ConnectionState, DiskState, Role } from "@vigie/proto";
import type { SimCluster } from "./cluster.js";
import { leave } from "./drbd-commands.js";
import {
  beginGeneration,
  endAt,
  loseDisk,
  startResync,
  type DiskModel,
  type DrbdEndModel,
} from "./drbd-model.js";
import { kill } from "./ganeti-jobs.js";
import { diskOfInstance, instanceNamed, type InstanceModel, type JobModel } from "./ganeti-model.js";
import { gntCommand } from "./gnt-commands.js";
import { isWhole } from "./job-moves.js";
import { hasVolume } from "./lvm-model.js";
import { mapPartitions, partitionMapsOf } from "./maps.js";
import { plug } from "./node-model.js";
import { readFails } from "./sim-host.js";
import { nodeOf, powerOff, powerOn, volumeNames, type World } from "./world.js";

export const [H1, H2, H3] = ["h1.sim.example", "h2.sim.example", "h3.sim.example"] as const;

/** The cluster, and how time passes in it. */
export interface Theatre {
  readonly cluster: SimCluster;
  readonly pass: (seconds: number) => Promise<void>;
  readonly until: (what: string, holds: () => boolean, seconds: number) => Promise<void>;
}

export interface Stage {
  readonly runbook: string;
  readonly title: string; // of what is the matter
  readonly parameters: Readonly<Record<string, string>>;
  readonly prepare: (theatre: Theatre) => Promise<void>;
  /** What a person, or another program, does while the step waits; asked each tenth of a second. */
  readonly meanwhile?: (world: World, waitingStep: string) => void;
  /** What nothing in the world tells the run of: it is looked at only where nothing disturbed it. */
  readonly undisturbed?: (world: World) => string[];
  /** What is not as it must be at the end; empty: all is well. */
  readonly faults: (world: World) => string[];
}

export const STAGES: readonly Stage[] = [
  {
    runbook: "reset-stalled-sync",
    title: "web1's resync stands",
    parameters: { instance: "web1" },
    prepare: async ({ cluster, pass }) => {
      const disk = diskOf(cluster.world, "web1");
      startResync(disk, 20_000);
      await pass(3);
      disk.blackhole = "this-connection";
      await pass(9);
    },
    faults: (world) => faults([moves(diskOf(world, "web1")), "web1's resync does not move"]),
  },
  {
    runbook: "recover-stuck-migration",
    title: "web1's migration has moved the guest, and waits for a resync that stands",
    parameters: { instance: "web1", migrate: "yes" },
    prepare: async (theatre) => {
      const disk = diskOf(theatre.cluster.world, "web1");
      const job = await migrationBegun(theatre);
      const last = (): boolean => job.log.some(({ text }) => text.includes("single-master"));
      await theatre.until("the ends' last parting", last, 60);
      disk.outOfSyncKib = 8_000; // what the guest wrote meanwhile
      await theatre.pass(5);
      disk.blackhole = "this-connection";
      await theatre.pass(9);
    },
    faults: (world) =>
      faults(...runsOn(world, "web1", H2), [isWhole(diskOf(world, "web1")), "web1 is not whole"]),
  },
  {
    runbook: "recover-stuck-migration",
    title: "web1's migration goes on no more though its disk is whole",
    parameters: { instance: "web1", migrate: "yes" },
    prepare: migrationGoesOnNoMore,
    faults: (world) =>
      faults(...runsOn(world, "web1", H2), [isWhole(diskOf(world, "web1")), "web1 is not whole"]),
  },
  {
    runbook: "recover-stuck-migration",
    title: "web1's migration goes on no more in a Ganeti that cannot kill a job",
    parameters: { instance: "web1", migrate: "yes" },
    prepare: async (theatre) => {
      theatre.cluster.world.ganeti.release = "2.11.6";
      await theatre.pass(6); // ssconf is read every 5 s
      await migrationGoesOnNoMore(theatre);
    },
    faults: (world) =>
      faults(...runsOn(world, "web1", H2), [isWhole(diskOf(world, "web1")), "web1 is not whole"]),
  },
  {
    runbook: "retire-disk",
    title: "h2's disk fails: a guest runs on it, and another's second copy lies there",
    parameters: { node: "h2", disk: "sda" },
    prepare: async ({ cluster: { world }, pass }) => {
      readFails(nodeOf(world, H2), "sda");
      world.guestsWriteEveryMs = 8_000;
      await pass(20);
    },
    faults: (world) =>
      faults(
        ...runsOn(world, "web2", H3),
        ...runsOn(world, "web1", H1),
        [nodeOf(world, H2).disks.length === 0, "h2 still has its disk"],
        [nodeOf(world, H2).maps.length === 0, "h2 still has maps of it"],
        [world.ganeti.watcherPausedUntilUnixS === 0, "the watcher is still paused"],
      ),
  },
  {
    runbook: "adopt-disk",
    title: "h2 has a new disk beside the old one",
    parameters: { node: "h2", disk: "sdb" },
    prepare: async ({ cluster: { world }, pass }) => {
      plug(nodeOf(world, H2), "sdb");
      await pass(35);
    },
    faults: (world) => faults([inGroup(world, "/dev/sdb"), "sdb is in no volume group"]),
  },
  {
    runbook: "adopt-disk",
    title: "h2 has a new disk, which gets a partition first",
    parameters: { node: "h2", disk: "sdb", partition: "yes" },
    prepare: async ({ cluster: { world }, pass }) => {
      plug(nodeOf(world, H2), "sdb");
      await pass(35);
    },
    faults: (world) => faults([inGroup(world, "/dev/sdb1"), "sdb1 is in no volume group"]),
  },
  {
    runbook: "rebuild-redundancy",
    title: "web1 and web2 have lost their copy on h2, and web3's minor on h1 is gone",
    parameters: {},
    prepare: async ({ cluster: { world }, pass }) => {
      for (const name of ["web1", "web2"]) {
        const disk = diskOf(world, name);
        disk.rateKibPerS = 8_192;
        const end = endAt(disk, H2);
        if (end !== undefined) loseDisk(disk, end);
      }
      const link = diskOf(world, "web3");
      const end = endAt(link, H1);
      if (end !== undefined) takenDown(link, end);
      await pass(5);
    },
    faults: (world) => faults(...allWhole(world)),
  },
  {
    runbook: "release-held-device",
    title: "web1 is stopped, its minor on h1 is held by partition maps and a process",
    parameters: { node: "h1", minor: "0" },
    prepare: async ({ cluster: { world }, pass }) => {
      stopped(world, "web1");
      const node = nodeOf(world, H1);
      mapPartitions(node, 0);
      node.processes.push({ pid: 1300, command: "sleep 600", opens: "/dev/drbd0" });
      await pass(75); // Ganeti's live status is asked once a minute
    },
    meanwhile: (world, step) => {
      if (step === "await-not-held") nodeOf(world, H1).processes.length = 0;
    },
    faults: (world) =>
      faults(
        [endAt(diskOf(world, "web1"), H1)?.configured === false, "minor 0 of h1 is still there"],
        [partitionMapsOf(nodeOf(world, H1), 0).length === 0, "its maps are still there"],
      ),
  },
  {
    runbook: "resolve-split-brain",
    title: "web1 was written on both nodes",
    parameters: { instance: "web1", victim: "h2" },
    prepare: async ({ cluster: { world }, pass, until }) => {
      const disk = diskOf(world, "web1");
      disk.rateKibPerS = 8_192;
      world.partitions.add(`${H1} ${H2}`);
      await pass(14);
      beginGeneration(disk, disk.ends[1]);
      world.partitions.clear();
      const split = (): boolean => disk.ends[1].connection === ConnectionState.STAND_ALONE;
      await until("the split brain", split, 20);
      await pass(15);
    },
    faults: (world) =>
      faults(
        ...runsOn(world, "web1", H1),
        [isWhole(diskOf(world, "web1")), "web1 is not whole"],
        [nodeOf(world, H2).volumes.some(({ origin }) => origin !== ""), "no snapshot was kept"],
        [world.ganeti.watcherPausedUntilUnixS === 0, "the watcher is still paused"],
      ),
  },
  {
    runbook: "cleanup-migration",
    title: "web1's migration was killed half-way",
    parameters: { instance: "web1" },
    prepare: async (theatre) => {
      const job = await migrationBegun(theatre);
      await bothPrimary(theatre);
      kill(job);
      await theatre.pass(15);
    },
    faults: (world) =>
      faults(
        ...runsOn(world, "web1", H1),
        [isWhole(diskOf(world, "web1")), "web1 is not whole"],
        [endAt(diskOf(world, "web1"), H2)?.role === Role.SECONDARY, "h2 is still Primary"],
      ),
  },
  {
    runbook: "relocate-secondaries",
    title: "h2 is to be emptied of second copies",
    parameters: { node: "h2" },
    prepare: async ({ cluster: { world } }) => {
      diskOf(world, "web1").rateKibPerS = 8_192;
    },
    faults: (world) =>
      faults([endAt(diskOf(world, "web1"), H3) !== undefined, "web1 has no copy on h3"], ...allWhole(world)),
  },
  {
    runbook: "disable-dead-node",
    title: "h3 is dead",
    parameters: { node: "h3" },
    prepare: async ({ cluster, pass }) => {
      for (const disk of cluster.world.disks) disk.rateKibPerS = 8_192;
      die(cluster, H3);
      await pass(45);
    },
    faults: (world) =>
      faults(
        ...runsOn(world, "web3", H1),
        [nodeOf(world, H3).offline, "h3 is not offline"],
        [world.disks.every((disk) => endAt(disk, H3) === undefined), "a copy is still on h3"],
        ...allWhole(world),
      ),
  },
  {
    runbook: "reinstate-node",
    title: "h3 was offline, web3 runs on h1 since, and h3 is up again",
    parameters: { node: "h3" },
    prepare: async ({ cluster, pass }) => {
      const { world } = cluster;
      die(cluster, H3);
      await pass(15);
      nodeOf(world, H3).offline = true;
      failedOver(world, "web3", H1);
      powerOn(world, H3);
      cluster.startAgent(H3);
      await pass(40);
    },
    faults: (world) => faults([!nodeOf(world, H3).offline, "h3 is still offline"], ...allWhole(world)),
    undisturbed: (world) => faults(...runsOn(world, "web3", H3)), // that hbal did its work is not seen by the run
  },
];

type Must = readonly [boolean, string];

function faults(...musts: readonly Must[]): string[] {
  return musts.filter(([holds]) => !holds).map(([, why]) => why);
}

function runsOn(world: World, name: string, node: string): Must[] {
  const instance = instanceOf(world, name);
  return [
    [nodeOf(world, node).guests.has(instance.name), `${name} does not run on ${node}`],
    [instance.primary === node, `Ganeti's primary node of ${name} is ${instance.primary}`],
  ];
}

function allWhole(world: World): Must[] {
  return world.disks.map((disk) => [isWhole(disk), `${disk.instance} is not whole`]);
}

function moves(disk: DiskModel): boolean {
  return (
    disk.outOfSyncKib === 0 || (disk.blackhole === "none" && disk.ends[1].disk === DiskState.INCONSISTENT)
  );
}

function inGroup(world: World, path: string): boolean {
  return nodeOf(world, H2).disks.some(({ pv }) => pv?.path === path && pv.vgName === "kvmvg");
}

export function instanceOf(world: World, name: string): InstanceModel {
  return instanceNamed(world.ganeti, `${name}.sim.example`);
}

export function diskOf(world: World, name: string): DiskModel {
  return diskOfInstance(instanceOf(world, name));
}

/** A person migrates web1, and its ends are apart for a moment. */
async function migrationGoesOnNoMore(theatre: Theatre): Promise<void> {
  await migrationBegun(theatre);
  await bothPrimary(theatre);
  theatre.cluster.world.ganeti.frozen = ({ reasons }) => reasons.length === 0; // a person's, not one of ours
  await theatre.pass(5);
}

async function migrationBegun({ cluster: { world }, until }: Theatre): Promise<JobModel> {
  void gntCommand(world, nodeOf(world, H1), "gnt-instance", ["migrate", "-f", "web1.sim.example"]);
  const { ends } = diskOf(world, "web1");
  const apart = (): boolean => ends.every(({ connection }) => connection === ConnectionState.WF_CONNECTION);
  await until("both ends apart", apart, 30);
  const job = world.ganeti.jobs.at(-1);
  if (job === undefined) throw new Error("no job");
  return job;
}

async function bothPrimary({ cluster: { world }, until }: Theatre): Promise<void> {
  const { ends } = diskOf(world, "web1");
  await until("both ends Primary", () => ends.every(({ role }) => role === Role.PRIMARY), 30);
}

/** Ganeti stopped it: h2 let go of the disk, and h1 could not. */
function stopped(world: World, name: string): void {
  const instance = instanceOf(world, name);
  const secondary = endAt(diskOfInstance(instance), H2);
  instance.adminState = "down";
  nodeOf(world, H1).guests.delete(instance.name);
  if (secondary !== undefined) takenDown(diskOfInstance(instance), secondary);
}

function takenDown(disk: DiskModel, end: DrbdEndModel): void {
  leave({ disk, end });
  end.configured = false;
}

export function die(cluster: SimCluster, node: string): void {
  powerOff(cluster.world, node);
  cluster.killAgent(node);
}

function failedOver(world: World, name: string, to: string): void {
  const instance = instanceOf(world, name);
  const disk = diskOfInstance(instance);
  const end = endAt(disk, to);
  if (end === undefined || !hasVolume(nodeOf(world, to), "kvmvg", volumeNames(disk).data))
    throw new Error(`${name} has no copy on ${to}`);
  instance.primary = to;
  end.role = Role.PRIMARY;
  beginGeneration(disk, end);
  nodeOf(world, to).guests.add(instance.name);
  for (const other of disk.ends) if (other !== end) other.role = Role.SECONDARY;
}
