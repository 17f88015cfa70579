/** What happens while the run works: people, crashes, networks, clocks. Each comes at a random moment. */
import { gntCommand } from "../simulator/gnt-commands.js";
import { nodeOf } from "../simulator/world.js";
import type { Person } from "./person.js";
import { short, type Scene } from "./scene.js";

export interface Disturbance {
  readonly name: string;
  readonly weight: number;
  /** @param runId the run that is disturbed; empty: there is none */
  readonly happen: (scene: Scene, person: Person, runId: string) => Promise<void>;
}

export const DISTURBANCES: readonly Disturbance[] = [
  { name: "vigie stop", weight: 3, happen: async (_scene, person) => person.stop() },
  {
    name: "a person migrates a guest",
    weight: 3,
    happen: async ({ world, random, tell }) => {
      const { name } = random.pick(world.ganeti.instances);
      tell(`a person migrates ${short(name)}`);
      await gntCommand(world, nodeOf(world, world.master), "gnt-instance", ["migrate", "-f", name]);
    },
  },
  {
    name: "an agent is killed",
    weight: 3,
    happen: async ({ cluster, world, random, clock, tell }) => {
      const node = random.pick([...world.nodes.values()].filter(({ up }) => up)).name;
      tell(`the agent of ${short(node)} is killed`);
      cluster.killAgent(node);
      await clock.sleep(random.int(100, 8_000));
      if (nodeOf(world, node).up) cluster.startAgent(node);
    },
  },
];
