/** A cluster of a thousand nodes as its agents would tell it: every mirrored disk has its two minors on two nodes. */
import { GanetiFacts, GanetiInstance, SsconfFacts, type GanetiDisk, type GanetiNode } from "@vigie/proto";
import { MASTER } from "./real-orchestrator.js";

export const NODES = 1_000;
export const MINORS_PER_NODE = 16;

/** Half of a node's minors are of disks that have their primary there, the others mirror the nodes before it. */
const DISKS_PER_NODE = MINORS_PER_NODE / 2;

export const NODE_NAMES: readonly string[] = Array.from({ length: NODES }, (_, i) =>
  i === 0 ? MASTER : `h${i}.bench.example`,
);

/** The n-th disk of node i: minor n there, and minor DISKS_PER_NODE + n on its peer. */
export function inventory(): GanetiFacts {
  const instances = NODE_NAMES.flatMap((node, i) =>
    Array.from({ length: DISKS_PER_NODE }, (_, n) => instanceOf(node, i, n)),
  );
  return GanetiFacts.create({
    nodes: NODE_NAMES.map(ganetiNode),
    instances,
    via: "luxi",
    configSerial: 1,
  });
}

/** The same on every node. */
export const SSCONF = SsconfFacts.create({
  clusterName: "cluster.bench.example",
  masterNode: MASTER,
  nodeList: [...NODE_NAMES],
  masterCandidates: NODE_NAMES.slice(0, 10),
  addresses: NODE_NAMES.map((node, i) => ({ node, primaryIp: addressOf(i), secondaryIp: addressOf(i) })),
  releaseVersion: "3.0.2",
});

export function addressOf(index: number): string {
  return `10.77.${index >> 8}.${index & 255}`;
}

/** The node that holds the second copy of the n-th disk of node i: not always the same one. */
export function peerOf(index: number, n: number): number {
  return (index + n + 1) % NODES;
}

function instanceOf(node: string, i: number, n: number): GanetiInstance {
  const peer = NODE_NAMES[peerOf(i, n)] ?? "";
  const number = i * DISKS_PER_NODE + n;
  const uuid = `${number.toString(16).padStart(8, "0")}-08f1-4a3d-b7dc-c5b81f07454f`;
  const disk: GanetiDisk = {
    uuid,
    index: 0,
    type: "drbd",
    sizeMib: 20_480,
    nodeA: node,
    nodeB: peer,
    minorA: n,
    minorB: DISKS_PER_NODE + n,
    port: 11_000 + (number % 20_000),
    dataLv: `kvmvg/${uuid}.disk0_data`,
    metaLv: `kvmvg/${uuid}.disk0_meta`,
  };
  return GanetiInstance.create({
    name: `web${number}.bench.example`,
    uuid: `${number.toString(16).padStart(8, "0")}-aaaa-4a3d-b7dc-c5b81f07454f`,
    primaryNode: node,
    secondaryNodes: [peer],
    adminState: "up",
    diskTemplate: "drbd",
    disks: [disk],
    serial: 1,
  });
}

function ganetiNode(name: string, index: number): GanetiNode {
  return {
    name,
    uuid: `${index.toString(16).padStart(8, "0")}-bbbb-4a3d-b7dc-c5b81f07454f`,
    role: index === 0 ? "M" : "C",
    offline: false,
    drained: false,
    primaryIp: addressOf(index),
    secondaryIp: addressOf(index),
    group: "default",
    tags: [],
    serial: 1,
  };
}
