/** A node of the simulated cluster: what its kernel, its LVM and its processes hold. */
import { createHash } from "node:crypto";
import type { NodeSpec } from "./cluster-spec.js";
import type { FakeFirewall } from "../../agent/src/fake-firewall.js";

export const MIB = 2 ** 20;
const DISK_BYTES = 24 * 1024 * MIB;

export interface NodeModel {
  readonly name: string;
  readonly address: string;
  readonly group: string; // Ganeti's node group
  readonly uuid: string;
  up: boolean;
  bootId: string;
  /** Plugged in, and known to the kernel. */
  readonly disks: BlockDiskModel[];
  plugged: number; // disks so far
  readonly volumes: VolumeModel[];
  /** device-mapper's, in the order in which they were made. */
  readonly maps: MapModel[];
  readonly guests: Set<string>;
  readonly processes: ProcessModel[];
  readonly mounts: { readonly device: string; readonly mountPoint: string }[];
  readonly kernelLog: string[];
  roomBytes: number; // in its filesystems
  /** What the kernel holds of the fence: entry → when it expires, and its comment. */
  readonly cuts: Map<string, { readonly expiresAtMs: number; readonly runId: string }>;
  firewall: FakeFirewall | undefined; // of which `cuts` is the effect; made when it is first asked for
  damagedMinor: number | undefined; // its connection state is printed as a word that nobody knows
  readonly removedFiles: Set<string>;
  readonly extraFiles: Map<string, string>;
  /** Whom its own ssconf still names as master; undefined: the one that is. */
  ssconfMaster: string | undefined;
  // What Ganeti's configuration says of it.
  offline: boolean;
  drained: boolean;
  serial: number;
}

export interface BlockDiskModel {
  readonly name: string;
  readonly dev: string;
  readonly wwid: string;
  readonly serial: string;
  readonly model: string;
  readonly scsiAddress: string;
  readonly sizeBytes: number;
  state: "running" | "offline";
  ioErrors: number;
  readonly partitions: string[];
  tableId: string; // of its partition table; empty: none
  pv: PvModel | undefined;
}

export interface PvModel {
  readonly path: string; // "/dev/sda", "/dev/sdb1"
  readonly uuid: string;
  vgName: string; // empty: in none
  vgUuid: string;
  allocatable: boolean;
}

export interface VolumeModel {
  readonly vgName: string;
  readonly lvName: string;
  readonly uuid: string;
  readonly bytes: number;
  readonly disk: BlockDiskModel;
  readonly origin: string; // of a snapshot; else empty
}

export interface MapModel {
  readonly name: string;
  readonly uuid: string;
  readonly minor: number; // of device-mapper's major
  readonly on: string; // "8:0", "147:0": what its table names
  readonly sectors: number;
}

export interface ProcessModel {
  readonly pid: number;
  readonly command: string;
  readonly opens: string; // "/dev/drbd0"
}

export function createNode({ name, group, disks }: NodeSpec, index: number): NodeModel {
  const node: NodeModel = {
    name,
    address: `10.77.0.${11 + index}`,
    group,
    uuid: `node-${name.split(".")[0]}`,
    up: true,
    bootId: `boot-${index}`,
    disks: [],
    plugged: 0,
    volumes: [],
    maps: [],
    guests: new Set(),
    processes: [],
    mounts: [],
    roomBytes: 12e9,
    kernelLog: [],
    cuts: new Map(),
    firewall: undefined,
    damagedMinor: undefined,
    removedFiles: new Set(),
    extraFiles: new Map(),
    ssconfMaster: undefined,
    offline: false,
    drained: false,
    serial: 1,
  };
  for (let n = 0; n < disks; n += 1) {
    const disk = plug(node, `sd${String.fromCharCode("a".charCodeAt(0) + n)}`);
    disk.pv = {
      path: `/dev/${disk.name}`,
      uuid: lvmUuid(n === 0 ? `${name} pv` : `${name} pv ${n}`),
      vgName: "kvmvg",
      vgUuid: lvmUuid(`${name} kvmvg`),
      allocatable: true,
    };
  }
  return node;
}

/** A disk is plugged in: blank, and no other disk says the same of itself. */
export function plug(node: NodeModel, name: string): BlockDiskModel {
  const at = name.charCodeAt(2) - "a".charCodeAt(0);
  node.plugged += 1;
  const identity = `${node.name} disk ${node.plugged}`;
  const disk: BlockDiskModel = {
    name,
    dev: `8:${at * 16}`,
    wwid: `naa.${digest(identity).slice(0, 16)}`,
    serial: digest(`serial ${identity}`).slice(0, 8).toUpperCase(),
    model: "ST24000 sim",
    scsiAddress: `${at}:0:0:0`,
    sizeBytes: DISK_BYTES,
    state: "running",
    ioErrors: 0,
    partitions: [],
    tableId: "",
    pv: undefined,
  };
  node.disks.push(disk);
  return disk;
}

/** As LVM writes them: 32 letters and digits, with dashes. */
export function lvmUuid(of: string): string {
  const text = digest(of).slice(0, 32);
  return (/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/.exec(text) ?? []).slice(1).join("-");
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Of the kernel, at this many µs since it booted. */
export function logRecord(node: NodeModel, text: string): void {
  node.kernelLog.push(`6,${node.kernelLog.length + 1},${(node.kernelLog.length + 1) * 1_000_000},-;${text}`);
}

export function diskNamed(node: NodeModel, name: string): BlockDiskModel {
  const disk = node.disks.find((each) => each.name === name);
  if (disk === undefined) throw new Error(`${node.name} has no disk ${name}`);
  return disk;
}
