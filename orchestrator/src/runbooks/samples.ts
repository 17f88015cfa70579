/**
 * A plan of each runbook that acts, in the small cluster, each with something that it mends. For tests that hold all
 * plans against something: that they can be sent, that what is shown is what the agents run.
 */
import {
  BlockDevice,
  ConnectionState,
  DeviceMapperDevice,
  DiskState,
  GanetiJob,
  Role,
  type Plan,
} from "@vigie/proto";
import { runbookByName } from "./index.js";
import { GIB, healthy, minorIn, nodeIn, planIn, small, type World } from "./testing.js";

const { SYNC_SOURCE, SYNC_TARGET, WF_CONNECTION, STAND_ALONE } = ConnectionState;

interface Sample {
  readonly runbook: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly trouble: (world: World) => void;
}

const SAMPLES: readonly Sample[] = [
  { runbook: "reset-stalled-sync", parameters: { instance: "web1" }, trouble: stalls },
  { runbook: "recover-stuck-migration", parameters: { instance: "web1", migrate: "yes" }, trouble: hangs },
  { runbook: "retire-disk", parameters: { node: "h2", disk: "sdb" }, trouble: () => {} },
  { runbook: "adopt-disk", parameters: { node: "h2", disk: "sdc", partition: "yes" }, trouble: plugged },
  { runbook: "adopt-disk", parameters: { node: "h2", disk: "sdc" }, trouble: plugged },
  { runbook: "rebuild-redundancy", parameters: {}, trouble: diskless },
  { runbook: "release-held-device", parameters: { node: "h1", minor: "0" }, trouble: held },
  { runbook: "resolve-split-brain", parameters: { instance: "web1", victim: "h2" }, trouble: split },
  { runbook: "cleanup-migration", parameters: { instance: "web1" }, trouble: () => {} },
  { runbook: "relocate-secondaries", parameters: { node: "h2" }, trouble: () => {} },
  { runbook: "relocate-secondaries", parameters: { node: "h2", to: "h3" }, trouble: () => {} },
  { runbook: "disable-dead-node", parameters: { node: "h2" }, trouble: dead },
  { runbook: "reinstate-node", parameters: { node: "h3" }, trouble: away },
];

export function samplePlans(): Plan[] {
  return SAMPLES.map(({ runbook, parameters, trouble }) => {
    const found = runbookByName(runbook);
    if (found === undefined) throw new Error(`no runbook ${runbook}`);
    return planIn(small(trouble), found, parameters);
  });
}

/** web1's resync from h1 to h2 stands. */
function stalls(world: World): void {
  Object.assign(minorIn(world, "h1", 0), { connection: SYNC_SOURCE, peerDisk: DiskState.INCONSISTENT });
  Object.assign(minorIn(world, "h2", 0), { connection: SYNC_TARGET, disk: DiskState.INCONSISTENT });
  nodeIn(world, "h1").still = { 0: 8_000 };
  nodeIn(world, "h2").still = { 0: 8_000 };
}

function hangs(world: World): void {
  stalls(world);
  const job = { id: 77, status: "running", summary: "INSTANCE_MIGRATE(web1)", instances: ["web1"] };
  world.inventory.jobs.push(GanetiJob.create(job));
}

/** h2 has a new disk. */
function plugged(world: World): void {
  const disk = {
    dev: "8:32",
    sizeBytes: 1000 * GIB,
    state: "running",
    wwid: "naa.new",
    scsiAddress: "2:0:0:0",
  };
  nodeIn(world, "h2").devices.push(BlockDevice.create({ name: "sdc", ...disk }));
}

/** web1 has lost its copy on h2, and web2's link is down. */
function diskless(world: World): void {
  minorIn(world, "h2", 0).disk = DiskState.DISKLESS;
  minorIn(world, "h1", 0).peerDisk = DiskState.DISKLESS;
  minorIn(world, "h2", 1).connection = WF_CONNECTION;
  minorIn(world, "h3", 0).connection = WF_CONNECTION;
}

/** web1 is stopped, and a partition map of its disk is left on h1. */
function held(world: World): void {
  Object.assign(world.inventory.instances[0] ?? {}, { adminState: "down", status: "ADMIN_down" });
  const node = nodeIn(world, "h1");
  node.guests = [];
  node.minors = [healthy(0, Role.PRIMARY)];
  node.maps.push(DeviceMapperDevice.create({ name: "drbd0p1", minor: 30, kpartxOf: "147:0" }));
}

function split(world: World): void {
  minorIn(world, "h1", 0).connection = WF_CONNECTION;
  minorIn(world, "h2", 0).connection = STAND_ALONE;
  nodeIn(world, "h1").generations = { 0: "1A2B3C4D5E6F7081" };
  nodeIn(world, "h2").generations = { 0: "9F8E7D6C5B4A3920" };
}

/** h2 is silent, and its peers wait for it. */
function dead(world: World): void {
  nodeIn(world, "h2").silent = true;
  minorIn(world, "h1", 0).connection = WF_CONNECTION;
  minorIn(world, "h3", 0).connection = WF_CONNECTION;
}

/** h3 was offline, and is up again. */
function away(world: World): void {
  Object.assign(world.inventory.nodes[2] ?? {}, { offline: true });
  nodeIn(world, "h3").minors = [];
}
