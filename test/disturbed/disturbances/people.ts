/** What people do at Vigie's own command line while a run works. */
import { RunState, RunVerb } from "@vigie/proto";
import type { Person } from "../person.js";
import type { Scene } from "../scene.js";
import { answerTruly, asking } from "../truthful.js";
import type { Disturbance } from "./disturbance.js";

export const PEOPLE: readonly Disturbance[] = [
  { name: "a person stops everything", weight: 5, happen: (_scene, person) => person.stop() },
  {
    name: "a person stops everything, and lets it go again",
    weight: 3,
    happen: async ({ clock, random }, person) => {
      await person.stop();
      await clock.sleep(random.int(500, 20_000));
      await person.go();
    },
  },
  {
    name: "a person pauses the run",
    weight: 5,
    happen: async ({ clock, random }, person, { id }) => {
      await person.say(RunVerb.PAUSE, id);
      if (random.chance(0.5)) return;
      await clock.sleep(random.int(500, 30_000));
      await person.say(RunVerb.RESUME, id);
    },
  },
  { name: "a person aborts the run", weight: 2, happen: (_scene, person, { id }) => person.abort(id) },
  {
    name: "a person takes the run over",
    weight: 2,
    happen: (_scene, person, { id }) => person.say(RunVerb.TAKE_OVER, id),
  },
  {
    name: "a person answers",
    weight: 4,
    happen: async (scene, person, { id }) => {
      const { cluster, world, clock, random } = scene;
      const run = asking(scene, id);
      if (run === undefined) return;
      await clock.sleep(random.int(0, 20_000));
      if (cluster.runs("orchestrator", world.master)) await answerTruly(scene, person, run);
    },
  },
  {
    name: "a person plans the same again",
    weight: 2,
    happen: async (_scene, person, { plan }) => {
      const parameters = Object.fromEntries((plan?.parameters ?? []).map(({ name, value }) => [name, value]));
      const second = await person.plan(plan?.runbook ?? "", parameters);
      if (second?.state === RunState.AWAITING_APPROVAL) await person.approve(second);
    },
  },
  {
    name: "a person stops everything, and lets it go after 20 minutes",
    weight: 1,
    happen: async ({ clock, faults }, person) => {
      await person.stop();
      faults.idle.is = true;
      await clock.sleep(20 * 60_000);
      faults.idle.is = false;
      await person.go();
    },
  },
  {
    name: "a person plans something else on the same",
    weight: 4,
    happen: async ({ random, world }, person, { plan }) => {
      const same = plan?.parameters.find(({ name }) => name === "node")?.value;
      const beside = world.balancing.size > 0; // hbal may move what other nodes have
      const others = [...world.nodes.keys()].filter((name) => !beside || name !== same);
      const node = same !== undefined && !beside && random.chance(0.6) ? same : random.pick(others);
      const disk = world.nodes.get(node)?.disks.at(-1)?.name ?? "sda";
      const [runbook, parameters] = random.pick<readonly [string, Readonly<Record<string, string>>]>([
        ["relocate-secondaries", { node }],
        ["retire-disk", { node, disk }],
        ["rebuild-redundancy", {}],
        ["disable-dead-node", { node }],
        ["reinstate-node", { node }],
      ]);
      const second = await person.plan(runbook, parameters);
      if (second?.state === RunState.AWAITING_APPROVAL) await person.approve(second);
    },
  },
  {
    name: "a person plans something that needs nothing of the run's",
    weight: 5,
    happen: (scene, person, { plan }) => planBeside(scene, person, plan?.locks ?? []),
  },
];

/** Of the plans that a person looks at, the first one that may be at work at the same time; the others are not begun. */
async function planBeside({ random, world }: Scene, person: Person, held: readonly string[]): Promise<void> {
  const free = [...world.nodes.values()].filter(({ up, name }) => up && !held.includes(`node ${name}`));
  for (const { name: node, disks } of random.shuffled(free).slice(0, 3)) {
    const disk = disks.at(-1)?.name ?? "sda";
    const [runbook, parameters] = random.pick<readonly [string, Readonly<Record<string, string>>]>([
      ["relocate-secondaries", { node }],
      ["relocate-secondaries", { node }],
      ["retire-disk", { node, disk }],
    ]);
    const second = await person.plan(runbook, parameters);
    if (second?.state !== RunState.AWAITING_APPROVAL) continue;
    const beside = second.plan?.locks.every((lock) => !held.includes(lock)) === true;
    if (beside) return void (await person.approve(second));
    await person.abort(second.id);
  }
}
