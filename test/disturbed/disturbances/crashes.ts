/** Processes that die or stand still, nodes that lose their power, a master that moves. */
import { kill } from "../../simulator/ganeti-jobs.js";
import { nodeOf, powerOff, powerOn } from "../../simulator/world.js";
import { short, type Scene } from "../scene.js";
import type { Disturbance } from "./disturbance.js";

export const CRASHES: readonly Disturbance[] = [
  {
    name: "an agent is killed",
    weight: 4,
    happen: async ({ cluster, world, random, clock, tell }) => {
      const node = upNode({ world, random });
      tell(`the agent of ${short(node)} is killed`);
      cluster.killAgent(node);
      await clock.sleep(random.int(100, 15_000));
      if (nodeOf(world, node).up) cluster.startAgent(node);
    },
  },
  {
    name: "the orchestrator is killed",
    weight: 4,
    happen: async ({ cluster, world, random, clock }) => {
      const node = world.master;
      cluster.killOrchestrator(node);
      await clock.sleep(random.chance(0.8) ? random.int(500, 20_000) : random.int(60_000, 240_000));
      if (world.master === node && nodeOf(world, node).up) await cluster.startOrchestrator();
    },
  },
  { name: "an agent is frozen", weight: 5, happen: (scene) => freeze(scene, "agent", upNode(scene)) },
  {
    name: "the orchestrator is frozen",
    weight: 3,
    happen: (scene) => freeze(scene, "orchestrator", scene.world.master),
  },
  {
    name: "a node loses its power, and comes back",
    weight: 2,
    happen: async ({ cluster, world, random, clock, tell }) => {
      const names = [...world.nodes.values()].filter(({ up, name }) => up && name !== world.master);
      if (names.length === 0) return;
      const { name } = random.pick(names);
      tell(`${short(name)} loses its power`);
      powerOff(world, name);
      cluster.killAgent(name);
      await clock.sleep(random.int(5_000, 60_000));
      if (nodeOf(world, name).up) return;
      tell(`${short(name)} is up again`);
      powerOn(world, name);
      cluster.startAgent(name);
    },
  },
  { name: "a node that was away comes back", weight: 4, happen: comesBack },
  { name: "a dead node lives for a while", weight: 1, happen: livesForAWhile },
  { name: "the master moves", weight: 3, happen: masterMoves },
];

/** Long enough to be heard, and to write; then it is dead again. */
async function livesForAWhile({ cluster, world, random, clock, tell }: Scene): Promise<void> {
  const dead = [...world.nodes.values()].find(({ up }) => !up);
  if (dead === undefined) return;
  tell(`${short(dead.name)} is up again`);
  powerOn(world, dead.name);
  cluster.startAgent(dead.name);
  await clock.sleep(random.int(27_000, 45_000));
  if (!dead.up) return;
  tell(`${short(dead.name)} is dead again`);
  powerOff(world, dead.name);
  cluster.killAgent(dead.name);
}

async function comesBack({ cluster, world, tell }: Scene): Promise<void> {
  for (const { name, up } of world.nodes.values()) {
    for (const pair of world.partitions) if (pair.split(" ").includes(name)) world.partitions.delete(pair);
    if (up) continue;
    tell(`${short(name)} is up again`);
    powerOn(world, name);
    cluster.startAgent(name);
  }
}

/** Each node learns it at a time of its own; the old one's orchestrator goes on until somebody ends it. */
async function masterMoves({ cluster, world, random, clock, tell, healers }: Scene): Promise<void> {
  const old = world.master;
  const others = [...world.nodes.values()].filter(({ up, name, offline }) => up && !offline && name !== old);
  if (others.length === 0) return;
  const { name } = random.pick(others);
  tell(`the master moves from ${short(old)} to ${short(name)}`);
  for (const node of world.nodes.values()) {
    node.ssconfMaster ??= old;
    void clock
      .sleep(random.int(0, node.name === name ? 500 : 12_000))
      .then(() => (node.ssconfMaster = undefined));
  }
  for (const job of world.ganeti.jobs) if (job.status === "running") kill(job); // with the old one's daemons
  world.ganeti.watcherPausedUntilUnixS = 0; // a file of the old one's
  world.master = name;
  await clock.sleep(random.int(200, 5_000));
  if (world.master === name && nodeOf(world, name).up) await cluster.startOrchestrator();
  const end = (): void => {
    if (world.master !== old) cluster.killOrchestrator(old); // it may be the master again
  };
  healers.add(end);
  if (random.chance(0.5)) return;
  await clock.sleep(random.int(1_000, 30_000));
  end();
}

async function freeze(scene: Scene, what: "agent" | "orchestrator", node: string): Promise<void> {
  const { cluster, random, clock, tell } = scene;
  const thaw = cluster.freeze(what, node);
  if (thaw === undefined) return;
  tell(`the ${what} of ${short(node)} is frozen`);
  await clock.sleep(random.chance(0.7) ? random.int(500, 12_000) : random.int(12_000, 90_000));
  tell(`the ${what} of ${short(node)} goes on`);
  thaw();
}

function upNode({ world, random }: Pick<Scene, "world" | "random">): string {
  const up = [...world.nodes.values()].filter((node) => node.up);
  return random.pick(up).name;
}
