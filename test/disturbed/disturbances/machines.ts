/** Networks that carry less than they should, readings that come late or damaged, disks that are full, clocks that jump. */
import { SessionResponse } from "@vigie/proto";
import { loseDisk } from "../../simulator/drbd-model.js";
import { readFails } from "../../simulator/sim-host.js";
import { drawOddRow } from "../odd-rows.js";
import { isolate } from "../troubles.js";
import { short, type Scene } from "../scene.js";
import type { Disturbance } from "./disturbance.js";

const READINGS = [
  /^\/proc\/drbd$/,
  /ssconf_/,
  /lvs|vgs|pvs/,
  /drbdsetup/,
  /config\.data|luxi|query/,
  /^\/sys\/block/,
  /dmsetup/,
];

/** A leap second's worth of trouble, the time zone, a dead battery. */
const JUMPS_MS = [2_000, 30_000, 1_200_000, 3_600_000, 86_400_000];

export const MACHINES: readonly Disturbance[] = [
  {
    name: "two nodes do not see each other",
    weight: 3,
    happen: async (scene) => {
      const [a = "", b = ""] = scene.random.shuffled([...scene.world.nodes.keys()]);
      scene.tell(`${short(a)} and ${short(b)} do not see each other`);
      scene.world.partitions.add(`${a} ${b}`);
      await forAWhile(scene, () => scene.world.partitions.delete(`${a} ${b}`));
    },
  },
  {
    name: "a node is cut off",
    weight: 2,
    happen: async (scene) => {
      const node = scene.random.pick([...scene.world.nodes.keys()]);
      scene.tell(`${short(node)} is cut off`);
      await forAWhile(scene, isolate(scene.world, node));
    },
  },
  {
    name: "what one node sends does not come to another",
    weight: 3,
    happen: async (scene) => {
      const { world, random } = scene;
      const [a = ""] = random.shuffled([...world.nodes.keys()]);
      const [from, to] = random.chance(0.5) ? [a, world.master] : [world.master, a];
      scene.tell(`what ${short(from)} sends does not come to ${short(to)}`);
      world.oneWay.add(`${from} ${to}`);
      await forAWhile(scene, () => world.oneWay.delete(`${from} ${to}`));
    },
  },
  {
    name: "messages are late",
    weight: 3,
    happen: async (scene) => {
      const lateMs = scene.random.int(500, 6_000);
      scene.faults.network.lateMs = lateMs;
      await forAWhile(scene, () => (scene.faults.network.lateMs = 0));
    },
  },
  {
    name: "requests come twice",
    weight: 3,
    happen: async (scene) => {
      scene.cluster.hooks.repeatsRequests = true;
      await forAWhile(scene, () => (scene.cluster.hooks.repeatsRequests = false));
    },
  },
  {
    name: "a request is lost",
    weight: 4,
    happen: async ({ cluster: { hooks } }) => {
      hooks.breaks = () => {
        hooks.breaks = () => false;
        return true;
      };
    },
  },
  {
    name: "a request of an older leader comes",
    weight: 3,
    happen: async ({ cluster: { hooks } }) => {
      const { altered } = hooks;
      hooks.altered = (message, to) => {
        const { body } = message;
        if (body?.$case !== "actionRequest" || body.value.recall) return altered(message, to);
        hooks.altered = altered;
        const value = { ...body.value, epoch: body.value.epoch - 1 };
        return altered(SessionResponse.create({ body: { $case: "actionRequest", value } }), to);
      };
    },
  },
  {
    name: "a machine is slow",
    weight: 3,
    happen: async (scene) => {
      const faults = scene.faults.of(someNode(scene));
      faults.slowMs = scene.random.int(300, 4_000);
      await forAWhile(scene, () => (faults.slowMs = 0));
    },
  },
  {
    name: "readings are late, damaged or missing",
    weight: 5,
    happen: async (scene) => {
      const node = someNode(scene);
      const faults = scene.faults.of(node);
      const gives = scene.random.pick(["late", "damaged", "missing"] as const);
      const what = scene.random.pick(READINGS);
      scene.tell(`${short(node)}: readings of ${what.source} are ${gives}`);
      faults.reading = { what, gives };
      await forAWhile(scene, () => (faults.reading = undefined));
    },
  },
  {
    name: "one row of a reading is not understood",
    weight: 4,
    happen: async (scene, _person, { plan }) => {
      const odd = drawOddRow(scene, plan?.locks ?? []);
      if (odd === undefined) return;
      const faults = scene.faults.of(odd.node);
      scene.tell(`${short(odd.node)}: the ${odd.row.what} ${odd.row.name} is not understood`);
      faults.oddRow = odd.row;
      await forAWhile(scene, () => (faults.oddRow = undefined));
    },
  },
  {
    name: "commands take their time",
    weight: 4,
    happen: async (scene) => {
      const { faults, random, world } = scene;
      const takesMs = random.int(1_000, 8_000);
      const all = [...world.nodes.keys()].map((name) => faults.of(name));
      for (const each of all) each.commandsTakeMs = takesMs;
      await forAWhile(scene, () => {
        for (const each of all) each.commandsTakeMs = 0;
      });
    },
  },
  {
    name: "a disk is full",
    weight: 2,
    happen: async (scene) => {
      const node = scene.random.chance(0.5) ? scene.world.master : someNode(scene);
      const faults = scene.faults.of(node);
      scene.tell(`the disk of ${short(node)} is full`);
      faults.diskFull = true;
      await forAWhile(scene, () => (faults.diskFull = false));
      await startAgain(scene, node);
    },
  },
  {
    name: "a clock jumps",
    weight: 4,
    happen: async (scene) => {
      const { random, tell, faults, clock } = scene;
      const node = random.chance(0.5) ? scene.world.master : someNode(scene);
      const jumpMs = random.pick(JUMPS_MS) * random.pick([-1, 1]);
      tell(`the clock of ${short(node)} jumps by ${jumpMs / 1000} s`);
      faults.of(node).wallOffsetMs += jumpMs;
      if (random.chance(0.5)) return;
      await clock.sleep(random.int(500, 30_000));
      tell(`the clock of ${short(node)} is set right`);
      faults.of(node).wallOffsetMs -= jumpMs;
    },
  },
  {
    name: "a disk fails",
    weight: 2,
    happen: async ({ world, random, tell }) => {
      const disk = world.disks.length === 0 ? undefined : random.pick(world.disks);
      const end = disk === undefined ? undefined : random.pick(disk.ends);
      if (disk === undefined || end === undefined || !end.configured) return;
      tell(`${short(end.node)} loses its copy of ${short(disk.instance)}`);
      const node = world.nodes.get(end.node);
      const isSeen = random.chance(0.5); // or a person has detached it by hand
      if (isSeen && node?.disks[0] !== undefined) readFails(node, node.disks[0].name);
      loseDisk(disk, end);
    },
  },
  {
    name: "a guest dies",
    weight: 2,
    happen: async ({ world, random, tell }) => {
      const node = random.pick([...world.nodes.values()]);
      const [guest] = random.shuffled([...node.guests]);
      if (guest === undefined) return;
      tell(`the guest ${short(guest)} dies on ${short(node.name)}`);
      node.guests.delete(guest);
    },
  },
  {
    name: "a resync stalls",
    weight: 2,
    happen: async ({ world, random }) => {
      if (world.disks.length > 0) random.pick(world.disks).blackhole = "this-connection";
    },
  },
  {
    name: "what stalled moves again by itself",
    weight: 2,
    happen: async ({ world }) => {
      for (const disk of world.disks) disk.blackhole = "none";
    },
  },
];

/** What could not be written once is not written to any more, until its process starts again (I24). */
async function startAgain({ cluster, world, tell }: Scene, node: string): Promise<void> {
  tell(`a person starts what runs on ${short(node)} again`);
  if (cluster.runs("agent", node)) {
    cluster.killAgent(node);
    cluster.startAgent(node);
  }
  if (node !== world.master || !cluster.runs("orchestrator", node)) return;
  cluster.killOrchestrator(node);
  await cluster.startOrchestrator();
}

/** Until its time is over, or the storm. */
async function forAWhile({ random, clock, healers }: Scene, heal: () => void): Promise<void> {
  const healed = new AbortController();
  const end = (): void => {
    heal();
    healed.abort(null);
  };
  healers.add(end);
  const lastsMs = random.chance(0.7) ? random.int(1_000, 25_000) : random.int(25_000, 90_000);
  await clock.sleep(lastsMs, healed.signal);
  end();
  healers.delete(end);
}

function someNode({ world, random }: Scene): string {
  return random.pick([...world.nodes.keys()]);
}
