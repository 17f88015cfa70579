import type { SimCluster } from "../simulator/cluster.js";
import type { DiskModel } from "../simulator/drbd-model.js";

/** web1's disk: Primary on h1, Secondary on h2; web2's: h2, h3; web3's: h3, h1. */
export function diskOf(cluster: SimCluster, instance: "web1" | "web2" | "web3"): DiskModel {
  const disk = cluster.world.disks.find((d) => d.instance.startsWith(`${instance}.`));
  if (disk === undefined) throw new Error(`no disk of ${instance}`);
  return disk;
}
