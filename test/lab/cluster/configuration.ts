/** What Ganeti's configuration says of an instance's disk: minors, port, addresses. Read on the master. */
import type { Lab, LabNode } from "../lab.js";
import { isNodeName, type NodeName } from "../nodes.js";

/** One node's side of a DRBD disk. */
export interface DiskSide {
  readonly node: NodeName;
  readonly minor: number;
  readonly ip: string; // the address that DRBD binds
  readonly device: string; // /dev/drbdN
  readonly resource: string; // Ganeti names it after the minor
}

export interface InstanceDisk {
  readonly instance: string;
  readonly primary: DiskSide;
  readonly secondary: DiskSide;
  readonly port: number; // the same on both nodes
  readonly sizeMib: number;
  readonly dataVolume: string; // /dev/VG/LV, the same name on both nodes
  readonly metaVolume: string;
}

interface ConfigDisk {
  readonly dev_type: string;
  readonly size: number;
  readonly logical_id: readonly unknown[];
  readonly children: readonly { readonly logical_id: readonly [string, string] }[];
}

interface ConfigData {
  readonly nodes: Record<string, { readonly name: string; readonly secondary_ip: string }>;
  readonly instances: Record<
    string,
    { readonly name: string; readonly primary_node: string; readonly disks: string[] }
  >;
  readonly disks: Record<string, ConfigDisk>;
}

/** The node that /var/lib/ganeti/ssconf_master_node of the first node with power names. */
export async function masterNode(lab: Lab): Promise<LabNode> {
  const witness = lab.nodes.find((node) => node.isPowered());
  if (witness === undefined) throw new Error("no node has power");
  const { stdout } = await witness.run("cat /var/lib/ganeti/ssconf_master_node");
  const name = stdout.trim().split(".")[0] ?? "";
  if (!isNodeName(name)) throw new Error(`the master is ${stdout.trim()}, which is no node of the lab`);
  return lab.node(name);
}

/** @returns the instance's disk of that index; rejects when there is none, or when it is not DRBD */
export async function instanceDisk(lab: Lab, instance: string, index = 0): Promise<InstanceDisk> {
  const config = await readConfig(lab);
  const found = Object.values(config.instances).find((candidate) => candidate.name === instance);
  const disk = config.disks[found?.disks[index] ?? ""];
  if (found === undefined || disk === undefined)
    throw new Error(`no disk ${String(index)} of instance ${instance}`);
  if (disk.dev_type !== "drbd")
    throw new Error(`disk ${String(index)} of ${instance} is ${disk.dev_type}, not drbd`);

  const [nodeA, nodeB, port, minorA, minorB] = disk.logical_id as [string, string, number, number, number];
  const sides = [diskSide(config, nodeA, minorA), diskSide(config, nodeB, minorB)] as const;
  const [primary, secondary] = found.primary_node === nodeA ? sides : [sides[1], sides[0]];
  const [data, meta] = disk.children.map((child) => `/dev/${child.logical_id.join("/")}`);
  return {
    instance,
    primary,
    secondary,
    port,
    sizeMib: disk.size,
    dataVolume: data ?? "",
    metaVolume: meta ?? "",
  };
}

/** The names of all instances, in the configuration's order. */
export async function instanceNames(lab: Lab): Promise<string[]> {
  return Object.values((await readConfig(lab)).instances).map((instance) => instance.name);
}

/** DRBD's shared secret of a disk. It goes to `drbdsetup connect` and nowhere else. */
export async function diskSecret(lab: Lab, disk: InstanceDisk): Promise<string> {
  const { disks } = await readConfig(lab);
  const found = Object.values(disks).find((candidate) => candidate.logical_id[2] === disk.port);
  return String(found?.logical_id[5]);
}

async function readConfig(lab: Lab): Promise<ConfigData> {
  const master = await masterNode(lab);
  return JSON.parse((await master.run("cat /var/lib/ganeti/config.data")).stdout) as ConfigData;
}

function diskSide(config: ConfigData, uuid: string, minor: number): DiskSide {
  const node = config.nodes[uuid];
  const name = node?.name.split(".")[0] ?? "";
  if (node === undefined || !isNodeName(name)) throw new Error(`disk on unknown node ${uuid}`);
  const digits = String(minor);
  return {
    node: name,
    minor,
    ip: node.secondary_ip,
    device: `/dev/drbd${digits}`,
    resource: `resource${digits}`,
  };
}
