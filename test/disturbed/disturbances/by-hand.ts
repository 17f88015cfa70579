/** People who take over from a run in its middle, and guests that are not where Ganeti has them. */
import { Role, type Run } from "@vigie/proto";
import { gntCommand } from "../../simulator/gnt-commands.js";
import { isWhole } from "../../simulator/job-moves.js";
import type { NodeModel } from "../../simulator/node-model.js";
import { nodeOf } from "../../simulator/world.js";
import type { Person } from "../person.js";
import { short, type Scene } from "../scene.js";
import { answerTruly, asking } from "../truthful.js";
import type { Disturbance } from "./disturbance.js";

const CHANGES_WITHIN_MS = 60_000;

export const GIVING_UP: Disturbance = {
  name: "a person acts by hand on the run's node, and aborts the run",
  weight: 2,
  happen: async (scene, person, { id, plan }) => {
    const { world, random, clock } = scene;
    const node = world.nodes.get(plan?.parameters.find(({ name }) => name === "node")?.value ?? "");
    if (node !== undefined) await untilChanged(scene, person, id, node);
    const acts = node !== undefined && random.chance(0.4);
    if (acts) await takeOver(scene, node);
    await clock.sleep(random.int(0, acts ? 20_000 : 1_500)); // what cannot be taken back is near
    await person.abort(id);
  },
};

export const BY_HAND: readonly Disturbance[] = [
  GIVING_UP,
  {
    name: "a guest is moved beside Ganeti, where it is not understood",
    weight: 2,
    happen: async (scene, _person, { plan }) => {
      const { world, random, tell, faults, healers } = scene;
      const running = world.ganeti.instances.filter(
        ({ name, primary, disks }) =>
          disks.length > 0 && disks.every(isWhole) && nodeOf(world, primary).guests.has(name),
      );
      const named = running.filter(({ name }) => plan?.locks.includes(`instance ${name}`) === true);
      const [instance] = random.shuffled(named.length > 0 ? named : running);
      const to = instance?.disks[0]?.ends.find(({ node }) => node !== instance.primary)?.node;
      if (instance === undefined || to === undefined) return;
      tell(`${short(instance.name)} is moved to ${short(to)}, and Ganeti does not know of it`);
      nodeOf(world, instance.primary).guests.delete(instance.name);
      nodeOf(world, to).guests.add(instance.name);
      for (const end of instance.disks.flatMap(({ ends }) => ends))
        end.role = end.node === to ? Role.PRIMARY : Role.SECONDARY;
      if (random.chance(0.4)) return;
      faults.of(to).oddRow = { what: "guest", name: instance.name };
      healers.add(() => (faults.of(to).oddRow = undefined));
    },
  },
];

/** Ganeti's word of the node is another one: the run is in its middle. What it asks before that is answered. */
async function untilChanged(scene: Scene, person: Person, runId: string, node: NodeModel): Promise<void> {
  const was = node.offline;
  let answered = false;
  for (let waitedMs = 0; node.offline === was && waitedMs < CHANGES_WITHIN_MS; waitedMs += 100) {
    const run: Run | undefined = answered ? undefined : asking(scene, runId);
    answered ||= run !== undefined;
    if (run !== undefined) await answerTruly(scene, person, run);
    await scene.clock.sleep(100);
  }
}

/** Guests of a node that is offline start elsewhere; to one that is back they go, one that can. */
async function takeOver({ world, random, clock, tell }: Scene, { name, offline }: NodeModel): Promise<void> {
  const { instances } = world.ganeti;
  const own = random.shuffled(instances.filter(({ primary }) => primary === name));
  const others = instances.filter(
    ({ primary, disks }) => primary !== name && disks[0]?.ends.some(({ node }) => node === name),
  );
  const lines = offline
    ? own.map((instance) => ["failover", "-f", instance.name])
    : [
        ...own.map((instance) => ["startup", instance.name]),
        ...random
          .shuffled(others)
          .slice(0, 1)
          .flatMap((instance) => [
            ["activate-disks", instance.name],
            ["migrate", "-f", instance.name],
          ]),
      ];
  for (const args of lines) {
    tell(`a person types: gnt-instance ${args.join(" ")}`);
    await gntCommand(world, nodeOf(world, world.master), "gnt-instance", args);
    await clock.sleep(random.int(200, 4_000));
  }
}
