/** A node that is switched off and comes back, with what Ganeti's watcher does for it then. */
import { ConnectionState, Role } from "@vigie/proto";
import type { SimCluster } from "./cluster.js";
import { endAt } from "./drbd-model.js";
import { nodeOf, powerOff, powerOn } from "./world.js";

export function goDown(cluster: SimCluster, node: string): void {
  powerOff(cluster.world, node);
  cluster.killAgent(node);
}

/** It boots; its agent starts; nothing of Ganeti's is active there yet. */
export function comeBack(cluster: SimCluster, node: string): void {
  powerOn(cluster.world, node);
  cluster.startAgent(node);
}

/** As ganeti-watcher after a boot: the disks of the guests that are wanted there are activated, and the guests started. */
export function watcherRuns({ world }: SimCluster, node: string): void {
  for (const instance of world.ganeti.instances) {
    const here = instance.primary === node;
    for (const disk of instance.disks) {
      const end = endAt(disk, node);
      if (end === undefined || end.configured) continue;
      end.configured = true;
      end.role = here ? Role.PRIMARY : Role.SECONDARY;
      end.connection = ConnectionState.WF_CONNECTION;
    }
    if (here) nodeOf(world, node).guests.add(instance.name);
  }
}
