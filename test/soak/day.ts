/** What happens in a day of a cluster of four nodes: most of it is nobody's business, and some of it is. */
import { createService } from "@vigie/orchestrator";
import { IncidentVerb } from "@vigie/proto";
import type { SimCluster } from "../simulator/cluster.js";
import { nodeName, type ClusterSpec } from "../simulator/cluster-spec.js";
import { handshake, startResync, startVerify, type DiskModel } from "../simulator/drbd-model.js";
import { diskOfInstance, instanceNamed } from "../simulator/ganeti-model.js";
import { gntCommand } from "../simulator/gnt-commands.js";
import { comeBack, goDown, watcherRuns } from "../simulator/reboot.js";
import { readFails } from "../simulator/sim-host.js";
import { nodeOf } from "../simulator/world.js";

const [H1, H2, H3, H4] = [1, 2, 3, 4].map(nodeName) as [string, string, string, string];
const DISK_KIB = 65_536;

const on = (n: number, primary: string, secondary: string) => ({
  name: `web${n}.sim.example`,
  template: "drbd" as const,
  primary,
  secondary,
  sizesKib: [DISK_KIB],
  up: true,
});

export const CLUSTER: ClusterSpec = {
  nodes: [H1, H2, H3, H4].map((name) => ({ name, group: "default", disks: 1 })),
  instances: [on(1, H1, H2), on(2, H1, H2), on(3, H2, H1), on(4, H2, H3), on(5, H3, H4), on(6, H4, H1)],
};

export interface Day {
  readonly cluster: SimCluster;
  /** What was done, in the log beside what was told of it. */
  readonly note: (text: string) => void;
  readonly pass: (seconds: number) => Promise<void>;
}

export interface Hour {
  readonly at: string; // UTC
  readonly what: (day: Day) => Promise<void> | void;
}

export const DAY: readonly Hour[] = [
  { at: "00:20", what: (day) => blinks(day, H1, H2, 3) },
  { at: "01:00", what: nightlyVerify },
  { at: "02:30", what: connectedAnew },
  { at: "03:00", what: (day) => stalls(day, ["web4"]) },
  { at: "04:00", what: plannedReboot },
  { at: "06:00", what: movesThereAndBack },
  { at: "07:00", what: powerFails },
  { at: "09:00", what: (day) => blinks(day, H2, H3, 10) },
  { at: "10:30", what: (day) => stalls(day, ["web1", "web2", "web3"]) },
  { at: "12:00", what: readsFail },
  { at: "12:30", what: somebodyLooksAtIt },
  { at: "13:00", what: restarts },
  { at: "14:00", what: replacesDisks },
  { at: "15:00", what: ({ cluster: { world } }) => void (nodeOf(world, H4).roomBytes = 150e6) },
  { at: "15:40", what: ({ cluster: { world } }) => void (nodeOf(world, H4).roomBytes = 12e9) },
  { at: "16:00", what: watcherIsPaused },
  { at: "22:00", what: watcherGoesOn },
];

const diskOf = ({ cluster: { world } }: Day, name: string): DiskModel =>
  diskOfInstance(instanceNamed(world.ganeti, `${name}.sim.example`));

/** The switch loses a link for twelve seconds: long enough for DRBD to notice. */
async function blinks(day: Day, a: string, b: string, times: number): Promise<void> {
  day.note(`the link between ${short(a)} and ${short(b)} is lost for 12 s, ${times} times`);
  for (let time = 0; time < times; time += 1) {
    day.cluster.world.partitions.add(`${a} ${b}`);
    await day.pass(12);
    day.cluster.world.partitions.delete(`${a} ${b}`);
    await day.pass(90);
  }
}

/** As cron does it, one disk after the other. */
async function nightlyVerify(day: Day): Promise<void> {
  day.note("cron: an online verify of every disk; of web6's, 64 KiB differ");
  for (const disk of day.cluster.world.disks) {
    startVerify(disk, disk.instance.startsWith("web6") ? 64 : 0);
    while (disk.verify !== undefined) await day.pass(5);
  }
}

function connectedAnew(day: Day): void {
  day.note("anna: drbdsetup disconnect, gnt-instance activate-disks web6");
  handshake(diskOf(day, "web6"));
}

/** All in the same moment: a resync after a blink, whose data packets are lost. */
async function stalls(day: Day, names: readonly string[]): Promise<void> {
  day.note(`resyncs of ${names.join(", ")} begin, and their data packets are lost`);
  for (const name of names) startResync(diskOf(day, name), 30_000);
  await day.pass(4);
  for (const name of names) diskOf(day, name).blackhole = "this-connection";
}

async function plannedReboot(day: Day): Promise<void> {
  const { cluster, note, pass } = day;
  note("anna: vigie maintenance begin h3 --for 60min");
  const service = createService(cluster.orchestrator());
  const begun = service.beginMaintenance({ node: "h3", forMs: 3_600_000, reason: "firmware" }, "anna");
  await pass(4);
  await begun;
  goDown(cluster, H3);
  await pass(240);
  comeBack(cluster, H3);
  await pass(150);
  watcherRuns(cluster, H3);
  await pass(300);
  note("anna: vigie maintenance end h3");
  const ended = service.endMaintenance({ node: "h3", reason: "" }, "anna");
  await pass(4);
  await ended;
}

/** Ganeti's own work, as a person orders it. */
async function movesThereAndBack(day: Day): Promise<void> {
  day.note("anna: gnt-instance migrate web5, and back");
  await gnt(day, "gnt-instance", "migrate", "-f", "web5.sim.example");
  await day.pass(120);
  await gnt(day, "gnt-instance", "migrate", "-f", "web5.sim.example");
}

async function powerFails(day: Day): Promise<void> {
  const { cluster, note, pass } = day;
  note("h4 loses power; it is back after five minutes, and Ganeti's watcher starts its guest");
  goDown(cluster, H4);
  await pass(300);
  comeBack(cluster, H4);
  await pass(120);
  watcherRuns(cluster, H4);
}

function readsFail(day: Day): void {
  day.note("one read of h2's disk fails");
  readFails(nodeOf(day.cluster.world, H2), "sda");
}

async function somebodyLooksAtIt(day: Day): Promise<void> {
  day.note("anna: vigie incident ack, a new disk is ordered");
  const service = createService(day.cluster.orchestrator());
  for (const { id } of day.cluster.orchestrator().desk.open())
    await control(day, service.controlIncident(acknowledge(id), "anna"));
}

const acknowledge = (id: string) => ({
  id,
  verb: IncidentVerb.ACKNOWLEDGE,
  forMs: 0,
  reason: "a new disk is ordered",
});

async function control(day: Day, answer: Promise<unknown>): Promise<void> {
  await day.pass(2);
  await answer;
}

/** A new version of the package is installed. */
async function restarts(day: Day): Promise<void> {
  const { cluster, note, pass } = day;
  note("agents and orchestrator are restarted, one after the other");
  for (const node of cluster.world.nodes.keys()) {
    cluster.killAgent(node);
    await pass(1);
    cluster.startAgent(node);
    await pass(10);
  }
  cluster.killOrchestrator();
  await pass(1);
  await cluster.startOrchestrator();
}

async function replacesDisks(day: Day): Promise<void> {
  day.note("anna: gnt-instance replace-disks -n h3 web6, whose copy on h1 is made anew on h3");
  await gnt(day, "gnt-instance", "replace-disks", "-n", H3, "web6.sim.example");
}

function watcherIsPaused(day: Day): void {
  const { world } = day.cluster;
  day.note("anna: gnt-cluster watcher pause 8h, and forgets it");
  world.ganeti.watcherPausedUntilUnixS = world.clock.wallUnixMs() / 1000 + 8 * 3600;
}

function watcherGoesOn(day: Day): void {
  day.note("anna: gnt-cluster watcher continue");
  day.cluster.world.ganeti.watcherPausedUntilUnixS = 0;
}

async function gnt({ cluster: { world }, pass }: Day, tool: string, ...args: string[]): Promise<void> {
  void gntCommand(world, nodeOf(world, world.master), tool, args);
  await pass(1);
}

function short(node: string): string {
  return node.split(".")[0] ?? node;
}
