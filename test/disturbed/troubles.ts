/** What is the matter with the cluster, and what a person does about it: a runbook, on something that needs it. */
import { startResync } from "../simulator/drbd-model.js";
import { readFails } from "../simulator/sim-host.js";
import { short, type Scene } from "./scene.js";

export interface Trouble {
  readonly runbook: string;
  readonly weight: number;
  /** @returns the runbook's parameters; undefined: this cluster has nothing for it */
  readonly begin: (scene: Scene) => Promise<Readonly<Record<string, string>> | undefined>;
}

const LVM_IS_READ_MS = 32_000;

export const TROUBLES: readonly Trouble[] = [
  {
    runbook: "reset-stalled-sync",
    weight: 2,
    begin: async ({ world, random, clock }) => {
      const disk = random.pick(world.disks);
      startResync(disk, random.int(8_000, 40_000));
      await clock.sleep(3_000);
      disk.blackhole = "this-connection";
      await clock.sleep(random.int(8_000, 12_000));
      return { instance: short(disk.instance) };
    },
  },
  {
    runbook: "retire-disk",
    weight: 2,
    begin: async ({ world, random, clock }) => {
      const node = random.pick([...world.nodes.values()]);
      const disk = random.pick(node.disks);
      readFails(node, disk.name);
      world.guestsWriteEveryMs = 8_000;
      await clock.sleep(random.int(5_000, 20_000));
      return { node: short(node.name), disk: disk.name };
    },
  },
  {
    runbook: "relocate-secondaries",
    weight: 2,
    begin: async ({ world, random, clock }) => {
      await clock.sleep(LVM_IS_READ_MS);
      return { node: short(random.pick([...world.nodes.keys()])) };
    },
  },
];
