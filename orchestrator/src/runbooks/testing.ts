/**
 * A whole cluster in values, for tests and for the bench: every node has a system disk sda and a disk sdb with the
 * volume group kvmvg, and every instance one mirrored disk on two nodes. A test changes one thing in it and looks at
 * the plan.
 */
import {
  BlockDevice,
  ConnectionState,
  type Damaged,
  DeviceMapperDevice,
  DiskState,
  DrbdConfig,
  DrbdMinor,
  GanetiDisk,
  GanetiFacts,
  GanetiInstance,
  GanetiNode,
  Guest,
  type KernelLogLine,
  LogicalVolume,
  LvmFacts,
  type Mount,
  type Plan,
  Role,
  Source,
  type SourceReport,
  SsconfFacts,
} from "@vigie/proto";
import { emptyView, joined, withNode, type ClusterView } from "../view/cluster-view.js";
import { foldReport, unseenNode, type NodeView } from "../view/node-view.js";
import { ganetiReport, NOW_MS, ok, reportOf, ssconfReport } from "../view/testing.js";
import type { Runbook, RunbookRequest } from "./runbook.js";

export const WALL_MS = 1_700_000_000_000;
export const VG_UUID = lvmUuid("vg");
export const GIB = 2 ** 30;

/** What one node's agent says, source by source. */
export interface NodeWorld {
  minors: DrbdMinor[];
  still: Record<number, number>; // minor → ms
  damaged: Damaged[];
  config: DrbdConfig[];
  lvm: LvmFacts;
  devices: BlockDevice[];
  maps: DeviceMapperDevice[];
  damagedMaps: Damaged[];
  mounts: Mount[];
  guests: Guest[];
  generations: Record<number, string>; // minor → current UUID
  kernelLog: KernelLogLine[];
  ageMs: number;
  silent: boolean; // it never reported
}

export interface World {
  readonly inventory: GanetiFacts;
  readonly nodes: Record<string, NodeWorld>;
  release: string; // of Ganeti, by the master's ssconf
}

export interface InstanceSpec {
  readonly name: string;
  readonly primary: string;
  readonly secondary: string;
  readonly stopped?: boolean;
}

/** web1 runs on h1 with its mirror on h2, web2 runs on h2 with its mirror on h3; h1 is master. */
export const SMALL: readonly InstanceSpec[] = [
  { name: "web1", primary: "h1", secondary: "h2" },
  { name: "web2", primary: "h2", secondary: "h3" },
];

export function small(change: (world: World) => void = () => {}): World {
  const world = worldOf(["h1", "h2", "h3"], SMALL);
  change(world);
  return world;
}

/**
 * For the bench, and for tests that planning it works at all: every node has as many primaries as secondaries.
 *
 * @param change what is wrong in it
 */
export function bigView(
  nodeCount = 100,
  instanceCount = 2_000,
  change: (world: World) => void = () => {},
): ClusterView {
  const nodes = Array.from({ length: nodeCount }, (_, i) => `h${i + 1}`);
  const at = (i: number): string => nodes[i % nodes.length] ?? "h1";
  const specs = Array.from({ length: instanceCount }, (_, i) => ({
    name: `web${i + 1}`,
    primary: at(i),
    secondary: at(i + 1 + (Math.floor(i / nodeCount) % (nodeCount - 1))),
  }));
  const world = worldOf(nodes, specs);
  change(world);
  return viewOf(world);
}

/** Every copy that a node holds is Diskless, as after `retire-disk`. */
export function losesItsDisk(world: World, name: string): void {
  for (const instance of world.inventory.instances) {
    const [disk] = instance.disks;
    if (disk === undefined || ![disk.nodeA, disk.nodeB].includes(name)) continue;
    const [own, peer] = [
      { node: disk.nodeA, minor: disk.minorA },
      { node: disk.nodeB, minor: disk.minorB },
    ].toSorted((a) => (a.node === name ? -1 : 1));
    if (own === undefined || peer === undefined) continue;
    minorIn(world, own.node, own.minor).disk = DiskState.DISKLESS;
    minorIn(world, peer.node, peer.minor).peerDisk = DiskState.DISKLESS;
  }
}

export function worldOf(names: readonly string[], specs: readonly InstanceSpec[]): World {
  const nodes: Record<string, NodeWorld> = {};
  for (const [i, name] of names.entries()) nodes[name] = emptyNode(name, i);
  const instances = specs.map((spec, i) => addInstance(nodes, spec, i));
  const inventory = GanetiFacts.create({
    nodes: names.map((name, i) =>
      GanetiNode.create({
        name,
        uuid: `n-${name}`,
        role: i === 0 ? "M" : "C",
        secondaryIp: ipOf(i),
        serial: i + 1,
      }),
    ),
    instances,
    vgName: "kvmvg",
    via: "luxi",
  });
  return { inventory, nodes, release: "3.0.2" };
}

function ipOf(i: number): string {
  return `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`;
}

function emptyNode(name: string, i: number): NodeWorld {
  const disk = { state: "running", model: "ST4000", ioErrors: 0 };
  return {
    minors: [],
    still: {},
    damaged: [],
    config: [],
    lvm: LvmFacts.create({
      volumeGroups: [
        {
          vgName: "kvmvg",
          uuid: VG_UUID,
          attr: "wz--n-",
          sizeBytes: 4000 * GIB,
          freeBytes: 3000 * GIB,
          pvCount: 1,
        },
      ],
      physicalVolumes: [
        {
          pvName: "/dev/sdb1",
          uuid: lvmUuid(`pv${name}`),
          vgName: "kvmvg",
          attr: "a--",
          sizeBytes: 4000 * GIB,
        },
      ],
    }),
    devices: [
      BlockDevice.create({
        ...disk,
        name: "sda",
        dev: "8:0",
        sizeBytes: 100 * GIB,
        wwid: `naa.5000000000${1000 + i}`,
        serial: `SA${i}`,
        scsiAddress: "0:0:0:0",
        partitions: ["sda1", "sda2"],
      }),
      BlockDevice.create({
        ...disk,
        name: "sdb",
        dev: "8:16",
        sizeBytes: 4000 * GIB,
        wwid: `naa.5000000000${5000 + i}`,
        serial: `SB${i}`,
        scsiAddress: "1:0:0:0",
        partitions: ["sdb1"],
      }),
    ],
    maps: [],
    damagedMaps: [],
    mounts: [
      { device: "/dev/sda1", mountPoint: "/", type: "ext4", readOnly: false },
      { device: "tmpfs", mountPoint: "/run", type: "tmpfs", readOnly: false },
    ],
    guests: [],
    generations: {},
    kernelLog: [],
    ageMs: 0,
    silent: false,
  };
}

function addInstance(nodes: Record<string, NodeWorld>, spec: InstanceSpec, i: number): GanetiInstance {
  const { name, primary, secondary, stopped = false } = spec;
  const lv = `u${i}.disk0`;
  const a = nodes[primary];
  const b = nodes[secondary];
  if (a === undefined || b === undefined) throw new Error(`no node for ${name}`);
  const minorA = nextMinor(a);
  const minorB = nextMinor(b);
  const port = 11_000 + i;
  addEnd(a, minorA, lv, port, stopped ? undefined : Role.PRIMARY);
  addEnd(b, minorB, lv, port, stopped ? undefined : Role.SECONDARY);
  if (!stopped) a.guests.push(Guest.create({ instance: name, hypervisor: "kvm", pid: 1000 + i }));
  return GanetiInstance.create({
    name,
    uuid: `i-${name}`,
    primaryNode: primary,
    secondaryNodes: [secondary],
    adminState: stopped ? "down" : "up",
    status: stopped ? "ADMIN_down" : "running",
    diskTemplate: "drbd",
    serial: i + 10,
    disks: [
      GanetiDisk.create({
        uuid: `d-${name}`,
        type: "drbd",
        sizeMib: 10_240,
        nodeA: primary,
        nodeB: secondary,
        minorA,
        minorB,
        port,
        dataLv: `kvmvg/${lv}_data`,
        metaLv: `kvmvg/${lv}_meta`,
      }),
    ],
  });
}

/** "vg" → "vg0000-0000-0000-0000-0000-0000-000000". */
export function lvmUuid(text: string): string {
  const all = text.padEnd(32, "0");
  const cuts = [0, 6, 10, 14, 18, 22, 26, 32];
  return cuts
    .slice(1)
    .map((end, i) => all.slice(cuts[i], end))
    .join("-");
}

function nextMinor(node: NodeWorld): number {
  return Math.max(-1, ...node.config.map(({ minor }) => minor)) + 1;
}

/** @param role undefined: the instance is stopped, and its minor is not there */
function addEnd(node: NodeWorld, minor: number, lv: string, port: number, role: Role | undefined): void {
  for (const [part, sizeBytes] of [
    ["data", 10 * GIB],
    ["meta", GIB / 8],
  ] as const) {
    const uuid = lvmUuid(`lv${minor}${part}`);
    node.lvm.logicalVolumes.push(
      LogicalVolume.create({
        vgName: "kvmvg",
        lvName: `${lv}_${part}`,
        uuid,
        attr: "-wi-ao----",
        sizeBytes,
        segments: [{ type: "linear", sizeBytes, devices: ["/dev/sdb1(0)"] }],
      }),
    );
    node.maps.push(
      DeviceMapperDevice.create({
        name: `kvmvg-${lv}_${part}`,
        uuid: `LVM-${VG_UUID.replaceAll("-", "")}${uuid.replaceAll("-", "")}`,
        major: 253,
        minor: node.maps.length,
        openCount: role === undefined ? 0 : 1,
        dependsOn: ["8:17"],
        targets: ["linear"],
      }),
    );
  }
  node.config.push(
    DrbdConfig.create({
      resource: `resource${minor}`,
      minor,
      backingDevice: `/dev/kvmvg/${lv}_data`,
      metaDevice: `/dev/kvmvg/${lv}_meta`,
      localPort: port,
      peerPort: port,
      pingIntervalS: 10,
      pingTimeoutDs: 5,
      timeoutDs: 60,
      koCount: 7,
    }),
  );
  if (role !== undefined) node.minors.push(healthy(minor, role));
}

export function healthy(minor: number, role: Role): DrbdMinor {
  return DrbdMinor.create({
    minor,
    connection: ConnectionState.CONNECTED,
    role,
    peerRole: role === Role.PRIMARY ? Role.SECONDARY : Role.PRIMARY,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
    outOfSyncKib: 0,
    protocol: "C",
    ioFlags: "r-----",
  });
}

export function viewOf(world: World): ClusterView {
  const names = Object.keys(world.nodes);
  const master = names[0] ?? "h1";
  let view = emptyView(master);
  for (const [name, says] of Object.entries(world.nodes)) {
    if (says.silent) continue;
    const ssconf = ssconfReport(
      SsconfFacts.create({
        clusterName: "c",
        masterNode: master,
        nodeList: names,
        releaseVersion: world.release,
      }),
    );
    const own = name === master ? [ssconf, ganetiReport(world.inventory)] : [];
    const report = reportOf({ minors: says.minors, still: says.still, damaged: says.damaged, master }, [
      ...own,
      ...sourcesOf(says),
    ]);
    const read = foldReport(unseenNode(name), report, NOW_MS - says.ageMs);
    // It was watched before: what is down has been so since this reading.
    const unlinkedSinceMs = new Map([...read.unlinkedSinceMs.keys()].map((minor) => [minor, NOW_MS]));
    const node = { ...read, unlinkedSinceMs, lastListed: wholeWhenStopped(world.inventory, name, read) };
    const generations = new Map(
      Object.entries(says.generations).map(([minor, currentUuid]) => [
        Number(minor),
        generation(Number(minor), currentUuid),
      ]),
    );
    view = withNode(view, { ...node, connected: true, bootId: `boot-${name}`, generations }, master);
  }
  return joined(view);
}

/** Each minor of a stopped instance was seen to go while its mirror was whole. */
function wholeWhenStopped({ instances }: GanetiFacts, node: string, { lastListed }: NodeView) {
  const all = new Map(lastListed);
  for (const { adminState, disks } of instances)
    for (const { nodeA, minorA, nodeB, minorB } of adminState === "up" ? [] : disks) {
      const minor = node === nodeA ? minorA : node === nodeB ? minorB : undefined;
      if (minor !== undefined && !all.has(minor))
        all.set(minor, { atMs: NOW_MS - 600_000, redundant: true, goneAtMs: NOW_MS - 599_000 });
    }
  return all;
}

function generation(minor: number, currentUuid: string) {
  const value = {
    minor,
    currentUuid,
    bitmapUuid: "0000000000000000",
    historyUuids: [],
    flags: "1:1:0:1:0:0",
  };
  return { value, readAtMs: NOW_MS };
}

function sourcesOf(says: NodeWorld): SourceReport[] {
  return [
    ok(Source.DRBD_CONFIG, { $case: "drbdConfig", value: { resources: says.config } }),
    ok(Source.LVM, { $case: "lvm", value: says.lvm }),
    ok(Source.BLOCK_DEVICES, { $case: "blockDevices", value: { devices: says.devices } }),
    ok(Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices: says.maps } }, says.damagedMaps),
    ok(Source.MOUNTS, { $case: "mounts", value: { mounts: says.mounts } }),
    ok(Source.KERNEL_LOG, {
      $case: "kernelLog",
      value: { lines: says.kernelLog, diskErrors: [], drbdReasons: [] },
    }),
    ok(Source.GUESTS, { $case: "guests", value: { guests: says.guests } }),
  ];
}

export function requestOf(view: ClusterView, parameters: Readonly<Record<string, string>>): RunbookRequest {
  return {
    parameters,
    view,
    nowMs: NOW_MS,
    wallUnixMs: WALL_MS,
    incidentId: "i-1",
    ttlS: 30,
    minStillMs: 7_000,
    ownWatcherPause: false,
  };
}

export function planIn(world: World, runbook: Runbook, parameters: Readonly<Record<string, string>>): Plan {
  return runbook.plan(requestOf(viewOf(world), parameters));
}

/** A second mirrored disk of the instance, /dev/drbd7 on its primary node and /dev/drbd8 on its secondary one. */
export function addSecondDisk(world: World, name: string, sizeMib = 2_000_000): void {
  const instance = world.inventory.instances.find((it) => it.name === name);
  if (instance === undefined) throw new Error(`no instance ${name}`);
  const [nodeA, nodeB] = [instance.primaryNode, instance.secondaryNodes[0] ?? ""];
  const place = { nodeA, nodeB, minorA: 7, minorB: 8, port: 11_900 };
  const volumes = { dataLv: "kvmvg/u9.disk1_data", metaLv: "kvmvg/u9.disk1_meta" };
  instance.disks.push(
    GanetiDisk.create({ uuid: `d-${name}-1`, index: 1, type: "drbd", sizeMib, ...place, ...volumes }),
  );
  nodeIn(world, nodeA).minors.push(healthy(7, Role.PRIMARY));
  nodeIn(world, nodeB).minors.push(healthy(8, Role.SECONDARY));
}

/** The free room of the node's volume group. */
export function freeOn(world: World, node: string, gib: number): void {
  const [group] = nodeIn(world, node).lvm.volumeGroups;
  if (group !== undefined) group.freeBytes = gib * GIB;
}

/** The way forward and back: "cut-link ← restore-link!", with ! for what cannot be taken back. */
export function stepIds(plan: Plan): string[] {
  return plan.steps.map(
    ({ id, undoStepId, irreversible, onlyAsUndo }) =>
      `${onlyAsUndo ? "(" : ""}${id}${onlyAsUndo ? ")" : ""}${irreversible ? "!" : ""}${undoStepId === "" ? "" : ` ← ${undoStepId}`}`,
  );
}

/** A node of the world, which must be there. */
export function nodeIn(world: World, name: string): NodeWorld {
  const node = world.nodes[name];
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

/** A node's minor, which must be there. */
export function minorIn(world: World, name: string, minor: number): DrbdMinor {
  const found = nodeIn(world, name).minors.find((it) => it.minor === minor);
  if (found === undefined) throw new Error(`no minor ${minor} on ${name}`);
  return found;
}
