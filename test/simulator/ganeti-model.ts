/** What Ganeti keeps and answers in the simulated cluster: ssconf files, config.data, and LUXI. */
import type { World } from "./world.js";

const FOLDER = "/var/lib/ganeti";

export function ganetiFiles(world: World): Record<string, string> {
  const nodes = [...world.nodes.values()];
  const names = nodes.map(({ name }) => name).join("\n");
  const addresses = nodes.map(({ name, address }) => `${name} ${address}`).join("\n");
  const ssconf: Record<string, string> = {
    cluster_name: "sim.example",
    cluster_tags: "",
    master_candidates: names,
    master_node: world.master,
    node_list: names,
    node_primary_ips: addresses,
    node_secondary_ips: addresses,
    offline_nodes: "",
    release_version: "3.0.2",
  };
  const files = Object.entries(ssconf).map(
    ([key, text]) => [`${FOLDER}/ssconf_${key}`, `${text}\n`] as const,
  );
  return { ...Object.fromEntries(files), [`${FOLDER}/config.data`]: JSON.stringify(configData(world)) };
}

function configData(world: World): object {
  const nodes = Object.fromEntries(
    [...world.nodes.values()].map(({ name }) => [nodeUuid(name), { name, uuid: nodeUuid(name) }]),
  );
  const disks = Object.fromEntries(
    world.disks.map((disk) => {
      const [a, b] = disk.ends;
      const volume = (kind: string) => ({
        dev_type: "plain",
        logical_id: ["kvmvg", `${disk.uuid}.disk0_${kind}`],
        size: 64,
      });
      const logical_id = [nodeUuid(a.node), nodeUuid(b.node), disk.port, a.minor, b.minor, "simulated"];
      return [
        disk.uuid,
        {
          uuid: disk.uuid,
          dev_type: "drbd",
          logical_id,
          size: 64,
          children: [volume("data"), volume("meta")],
        },
      ];
    }),
  );
  const instances = Object.fromEntries(
    world.disks.map((disk) => [
      disk.instance,
      {
        name: disk.instance,
        uuid: `inst-${disk.uuid}`,
        disks: [disk.uuid],
        primary_node: nodeUuid(disk.ends[0].node),
        disk_template: "drbd",
      },
    ]),
  );
  return { version: 3_000_000, serial_no: 1, cluster: { tags: [] }, nodes, disks, instances };
}

function nodeUuid(name: string): string {
  return `node-${name.split(".")[0]}`;
}

export function luxiReply(world: World, request: string): string {
  const { method, args } = JSON.parse(request) as { method: string; args: [string, string[]] };
  return JSON.stringify({
    success: true,
    version: 3_000_000,
    result: method === "Query" ? answer(world, args[0], args[1]) : [false, null],
  });
}

function answer(world: World, what: string, fields: readonly string[]): object {
  const rows = what === "node" ? nodeRows(world) : what === "instance" ? instanceRows(world) : [];
  return {
    fields: fields.map((name) => ({ name, title: name, kind: "text", doc: name })),
    data: rows.map((row) => fields.map((field) => [0, row[field] ?? null])),
  };
}

function nodeRows(world: World): Record<string, unknown>[] {
  return [...world.nodes.values()].map(({ name, address }) => ({
    name,
    uuid: nodeUuid(name),
    role: name === world.master ? "M" : "C",
    offline: false,
    drained: false,
    pip: address,
    sip: address,
    group: "default",
    tags: [],
    serial_no: 1,
  }));
}

function instanceRows(world: World): Record<string, unknown>[] {
  return world.disks.map((disk) => ({
    name: disk.instance,
    uuid: `inst-${disk.uuid}`,
    pnode: disk.ends[0].node,
    snodes: [disk.ends[1].node],
    admin_state: "up",
    disk_template: "drbd",
    tags: [],
    serial_no: 1,
  }));
}
