/** What Ganeti keeps in files: ssconf on every node, the configuration, and a file for each guest of the fake hypervisor. */
import type { PlainDiskModel } from "./lvm-model.js";
import type { NodeModel } from "./node-model.js";
import { nodeOf, volumeNames, type World } from "./world.js";

const FOLDER = "/var/lib/ganeti";
const RUN = /^\/var\/run\/ganeti\/(?<name>ganeti-\w+)\.pid$/;
const PIDS: Readonly<Record<string, number>> = {
  "ganeti-noded": 826,
  "ganeti-luxid": 1037,
  "ganeti-wconfd": 1005,
};

/** Its daemons run wherever they belong. @returns undefined where the path is none of theirs */
export function daemonFile(path: string): string | undefined {
  const name = RUN.exec(path)?.groups?.["name"] ?? "";
  const asFile = PIDS[name];
  if (asFile !== undefined) return `${asFile}\n`;
  const [running] = Object.entries(PIDS).find(([, pid]) => path === `/proc/${pid}/cmdline`) ?? [];
  return running === undefined ? undefined : `/usr/sbin/${running}\0`;
}

/** @returns undefined where it has no such file */
export function ganetiFile(world: World, node: NodeModel, path: string): string | undefined {
  if (!path.startsWith(`${FOLDER}/`)) return undefined;
  const name = path.slice(FOLDER.length + 1);
  return name === "config.data" ? JSON.stringify(configData(world)) : ssconf(world, node, name);
}

function ssconf(world: World, node: NodeModel, name: string): string | undefined {
  const text = SSCONF[name]?.(world, node);
  return text === undefined ? undefined : `${text}\n`;
}

const names = ({ nodes }: World): string => [...nodes.keys()].join("\n");
const addresses = ({ nodes }: World): string =>
  [...nodes.values()].map((node) => `${node.name} ${node.address}`).join("\n");

const SSCONF: Readonly<Record<string, (world: World, node: NodeModel) => string>> = {
  ssconf_cluster_name: () => "sim.example",
  ssconf_cluster_tags: () => "",
  ssconf_master_candidates: names,
  ssconf_master_node: ({ master }, { ssconfMaster = master }) => ssconfMaster,
  ssconf_node_list: names,
  ssconf_node_primary_ips: addresses,
  ssconf_node_secondary_ips: addresses,
  ssconf_offline_nodes: ({ nodes }) =>
    [...nodes.values()]
      .filter(({ offline }) => offline)
      .map(({ name }) => name)
      .join("\n"),
  ssconf_release_version: ({ ganeti }) => ganeti.release,
};

function configData(world: World): object {
  const { ganeti } = world;
  const nodes = Object.fromEntries(
    [...world.nodes.values()].map(({ name, uuid, address }) => [
      uuid,
      { name, uuid, primary_ip: address, secondary_ip: address, serial_no: 1 },
    ]),
  );
  const disks = Object.fromEntries([
    ...world.disks.map((disk) => [disk.uuid, diskEntry(world, disk)]),
    ...ganeti.instances.flatMap(({ plain }) => plain.map((disk) => [disk.uuid, plainEntry(disk)])),
  ]);
  const instances = Object.fromEntries(
    ganeti.instances.map(({ name, uuid, disks: mirrored, plain, primary }) => [
      name,
      {
        name,
        uuid,
        disks: [...mirrored, ...plain].map((disk) => disk.uuid),
        primary_node: nodeOf(world, primary).uuid,
        disk_template: plain.length > 0 ? "plain" : "drbd",
      },
    ]),
  );
  const cluster = { tags: [], volume_group_name: "kvmvg" };
  return { version: 3_000_000, serial_no: ganeti.configSerial, cluster, nodes, disks, instances };
}

function diskEntry(world: World, disk: World["disks"][number]): object {
  const [a, b] = disk.ends;
  const { data, meta } = volumeNames(disk);
  const volume = (lvName: string) => ({ dev_type: "plain", logical_id: ["kvmvg", lvName], size: 64 });
  const nodes = [nodeOf(world, a.node).uuid, nodeOf(world, b.node).uuid];
  return {
    uuid: disk.uuid,
    dev_type: "drbd",
    logical_id: [...nodes, disk.port, a.minor, b.minor, "simulated"],
    size: disk.sizeKib / 1024,
    children: [volume(data), volume(meta)],
  };
}

function plainEntry({ uuid, lvName, sizeKib }: PlainDiskModel): object {
  return { uuid, dev_type: "plain", logical_id: ["kvmvg", lvName], size: sizeKib / 1024, children: [] };
}

export function guestFiles({ guests }: NodeModel): string[] {
  return [...guests];
}
