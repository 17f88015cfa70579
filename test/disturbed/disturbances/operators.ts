/** What people do by hand at Ganeti and at the machines, without a word to Vigie. */
import { Role } from "@vigie/proto";
import { invalidate, startResync } from "../../simulator/drbd-model.js";
import { isWhole } from "../../simulator/job-moves.js";
import { addInstance } from "../../simulator/instances.js";
import type { InstanceModel } from "../../simulator/ganeti-model.js";
import { gntCommand } from "../../simulator/gnt-commands.js";
import { plug } from "../../simulator/node-model.js";
import { nodeOf } from "../../simulator/world.js";
import { drawInstance } from "../draw-cluster.js";
import { short, type Scene } from "../scene.js";
import type { Disturbance } from "./disturbance.js";

export const OPERATORS: readonly Disturbance[] = [
  {
    name: "a person migrates a guest",
    weight: 4,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "migrate", "-f")),
  },
  {
    name: "a person fails a guest over",
    weight: 2,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "failover", "-f")),
  },
  {
    name: "a person stops a guest",
    weight: 3,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "shutdown")),
  },
  {
    name: "a person starts a guest",
    weight: 3,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "startup")),
  },
  {
    name: "a person removes an instance, and another one gets its minors and ports",
    weight: 2,
    happen: async (scene, _person, run) => {
      const { world, random, clock, tell } = scene;
      const removed = await byHand(scene, run.plan?.locks, "remove", "-f");
      if (removed === undefined) return;
      await clock.sleep(random.int(3_000, 8_000));
      if (world.ganeti.instances.includes(removed)) return;
      const [first] = removed.disks;
      const nodes = [...world.nodes.values()]
        .filter(({ name, up }) => up && (first === undefined || first.ends.some(({ node }) => node === name)))
        .map(({ name, group }) => ({ name, group, disks: 1 }));
      if (nodes.length === 0) return;
      const spec = drawInstance(random, nodes, world.ganeti.disksMade + 1);
      tell(`a person creates ${short(spec.name)} on ${short(spec.primary)} ${short(spec.secondary)}`);
      try {
        addInstance(world, { ...spec, up: true });
        world.ganeti.configSerial += 1;
      } catch (error) {
        tell(`it is not created: ${String(error)}`); // no room
      }
    },
  },
  {
    name: "a person replaces a guest's disks",
    weight: 3,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "replace-disks", "-s")),
  },
  {
    name: "a person activates a guest's disks",
    weight: 2,
    happen: async (scene, _person, run) => void (await byHand(scene, run.plan?.locks, "activate-disks")),
  },
  {
    name: "a person invalidates a copy",
    weight: 3,
    happen: async ({ world, random, tell }) => {
      const whole = world.disks.filter(isWhole);
      if (whole.length === 0) return;
      const disk = random.pick(whole);
      const end = disk.ends.find(({ role }) => role === Role.SECONDARY);
      if (end === undefined) return;
      tell(`a person types on ${short(end.node)}: drbdsetup invalidate ${end.minor}`);
      invalidate(disk, end);
      startResync(disk, disk.sizeKib, disk.ends[0] === end ? 1 : 0);
    },
  },
  {
    name: "a person drains a node",
    weight: 2,
    happen: async ({ world, random }) => {
      const node = random.pick([...world.nodes.keys()]);
      await gntCommand(world, nodeOf(world, world.master), "gnt-node", ["modify", "-D", "yes", node]);
    },
  },
  {
    name: "a person pulls a disk out, and puts another one in",
    weight: 2,
    happen: async ({ world, random, clock, tell }) => {
      const node = random.pick([...world.nodes.values()].filter(({ up }) => up));
      const disk = node.disks.at(-1);
      if (disk === undefined) return;
      tell(`a person pulls ${disk.name} out of ${short(node.name)}`);
      disk.state = "offline"; // whoever holds it meets errors
      node.disks.splice(node.disks.indexOf(disk), 1);
      world.guestsWriteEveryMs ??= 8_000;
      await clock.sleep(random.int(500, 5_000));
      if (!node.disks.some(({ name }) => name === disk.name)) plug(node, disk.name);
    },
  },
  {
    name: "a person forbids everything on a node",
    weight: 2,
    happen: async ({ world, random, tell, healers }) => {
      const node = random.pick([...world.nodes.values()]);
      tell(`touch /etc/vigie/stop on ${short(node.name)}`);
      node.extraFiles.set("/etc/vigie/stop", "");
      healers.add(() => node.extraFiles.delete("/etc/vigie/stop"));
    },
  },
];

/** Mostly of an instance that the run works on. @returns which it was; undefined: there is none */
async function byHand(
  { world, random, tell }: Scene,
  locks: readonly string[] | undefined,
  verb: string,
  ...options: readonly string[]
): Promise<InstanceModel | undefined> {
  const { instances } = world.ganeti;
  const named = instances.filter(({ name }) => locks?.includes(`instance ${name}`));
  const from = named.length > 0 && random.chance(0.75) ? named : instances;
  if (from.length === 0) return undefined;
  const instance = random.pick(from);
  tell(`a person types: gnt-instance ${verb} ${short(instance.name)}`);
  const args = [verb, ...options, instance.name];
  await gntCommand(world, nodeOf(world, world.master), "gnt-instance", args);
  return instance;
}
