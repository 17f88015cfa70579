/** What people do at Vigie's own command line while a run works. */
import { RunState, RunVerb } from "@vigie/proto";
import { answerTruly } from "../truthful.js";
import type { Disturbance } from "./disturbance.js";

export const PEOPLE: readonly Disturbance[] = [
  { name: "a person stops everything", weight: 4, happen: (_scene, person) => person.stop() },
  {
    name: "a person stops everything, and lets it go again",
    weight: 2,
    happen: async ({ clock, random }, person) => {
      await person.stop();
      await clock.sleep(random.int(500, 20_000));
      await person.go();
    },
  },
  {
    name: "a person pauses the run",
    weight: 4,
    happen: async ({ clock, random }, person, { id }) => {
      await person.say(RunVerb.PAUSE, id);
      if (random.chance(0.5)) return;
      await clock.sleep(random.int(500, 30_000));
      await person.say(RunVerb.RESUME, id);
    },
  },
  { name: "a person aborts the run", weight: 3, happen: (_scene, person, { id }) => person.abort(id) },
  {
    name: "a person takes the run over",
    weight: 1,
    happen: (_scene, person, { id }) => person.say(RunVerb.TAKE_OVER, id),
  },
  {
    name: "a person answers",
    weight: 4,
    happen: async (scene, person, { id }) => {
      const { cluster, world, clock, random } = scene;
      if (!cluster.runs("orchestrator", world.master)) return;
      const run = cluster
        .orchestrator()
        .executor.open()
        .find((open) => open.id === id);
      if (run?.progress?.text.includes("a person is asked") !== true) return;
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
    weight: 3,
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
];
