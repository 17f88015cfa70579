/** A random cluster: 2 to 12 nodes in one group or two, instances with one disk or several, mirrored or plain, up or not. */
import { nodeName, type ClusterSpec, type InstanceSpec, type NodeSpec } from "../simulator/cluster-spec.js";
import type { Random } from "./random.js";

/** Small clusters are most, and cheapest; each size comes. */
const SIZES: readonly { readonly weight: number; readonly nodes: readonly [number, number] }[] = [
  { weight: 14, nodes: [2, 2] },
  { weight: 58, nodes: [3, 3] },
  { weight: 22, nodes: [4, 5] },
  { weight: 4, nodes: [6, 8] },
  { weight: 2, nodes: [9, 12] },
];

const INSTANCES_MAX = 8;
const MIB = 1_024; // in KiB

export function drawCluster(random: Random): ClusterSpec {
  const count = random.int(...random.weighted(SIZES).nodes);
  const groups = count >= 4 && random.chance(0.4) ? ["default", "rack2"] : ["default"];
  const nodes = Array.from({ length: count }, (_, i) => ({
    name: nodeName(i + 1),
    group: groups[i % groups.length] ?? "default",
    disks: random.chance(0.25) ? 2 : 1,
  }));
  const instances = Math.min(INSTANCES_MAX, random.int(Math.max(2, count - 1), count + 2));
  return {
    nodes,
    instances: Array.from({ length: instances }, (_, i) => drawInstance(random, nodes, i + 1)),
  };
}

export function drawInstance(random: Random, nodes: readonly NodeSpec[], n: number): InstanceSpec {
  const primary = random.pick(nodes);
  const peers = nodes.filter(({ name, group }) => name !== primary.name && group === primary.group);
  const template = peers.length === 0 || random.chance(0.1) ? "plain" : "drbd";
  const disks = random.chance(0.6) ? 1 : random.int(2, 3);
  return {
    name: `web${n}.sim.example`,
    template,
    primary: primary.name,
    secondary: template === "drbd" ? random.pick(peers).name : "",
    sizesKib: Array.from({ length: disks }, () => random.int(8, 32) * 4 * MIB),
    up: random.chance(0.88),
  };
}
