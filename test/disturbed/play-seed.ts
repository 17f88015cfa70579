/** One seed: a random cluster, a trouble on it, a run against it, a storm meanwhile, and a calm in which it must end. */
import { explain, RunEventKind, RunState, RunVerb, type Run } from "@vigie/proto";
import { createSimCluster } from "../simulator/cluster.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { watchInvariants } from "../simulator/invariants.js";
import { DISTURBANCES } from "./disturbances.js";
import { createExposure, type Counted } from "./exposure.js";
import { createFaults } from "./faults.js";
import { createJudge } from "./judge/judge.js";
import { watchKeys } from "./judge/keys.js";
import { watchStop } from "./judge/stop.js";
import { createPerson, type Person } from "./person.js";
import { createRandom } from "./random.js";
import type { Scene } from "./scene.js";
import { TROUBLES } from "./troubles.js";

const SETTLE_MS = 12_000; // sessions, leadership, and a first reading of everything
const STORM_MAX_MS = 120_000;
const CALM_MAX_MS = 600_000;
const LOOK_EVERY_MS = 200;
const CONFIG = { policy: { stalled_sync: "observe" } }; // nobody acts but the person

export interface SeedResult {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly counts: ReadonlyMap<Counted, number>;
  readonly log: readonly string[];
  readonly virtualMs: number;
}

export async function playSeed(seed: number): Promise<SeedResult> {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const startedMs = clock.monotonicMs();
  const log: string[] = [];
  const tell = (line: string): void => {
    log.push(`${((clock.monotonicMs() - startedMs) / 1000).toFixed(1).padStart(7)}  ${line}`);
  };
  const faults = createFaults(clock, random.fork("faults"));
  const exposure = createExposure();
  const { host, store, clock: wall } = faults;
  const cluster = await createSimCluster(clock, {
    config: CONFIG,
    inMemory: true,
    instances: random.int(3, 5),
    seams: { host, store, clock: wall },
  });
  try {
    const { world, hooks } = cluster;
    const invariants = watchInvariants(world);
    const judge = createJudge([{ look: invariants.look }, watchStop(), watchKeys()], tell);
    const scene: Scene = { random, clock, cluster, world, faults, judge, exposure, tell, healers: new Set() };
    const wire = random.fork("wire");
    hooks.travels = () => (wire.chance(0.3) ? wire.int(1, 40) : 0);
    hooks.sent = (request, from) => {
      exposure.count("requests sent");
      tell(`sent from ${from}: ${request.stepId} ${request.attempt}${request.recall ? " recall" : ""}`);
      judge.sent(request, from);
    };
    hooks.journaled = (node, row) => void judge.journaled(node, row);
    world.runs = (ran) => {
      exposure.count("commands run");
      tell(`${ran.node} runs ${ran.argv.join(" ")}`);
      judge.runs(ran);
    };
    const script = { over: false };
    void play(scene, createPerson(scene))
      .catch((error: unknown) => judge.found(`the test itself: ${explain(error)}`))
      .finally(() => (script.over = true));
    while (!script.over) {
      await clock.advance(LOOK_EVERY_MS);
      judge.look();
    }
    return {
      seed,
      broken: [...judge.broken],
      counts: exposure.counts,
      log,
      virtualMs: clock.monotonicMs() - startedMs,
    };
  } finally {
    cluster.end();
  }
}

async function play(scene: Scene, person: Person): Promise<void> {
  const { random, clock, tell, cluster } = scene;
  await clock.sleep(SETTLE_MS);
  const trouble = random.weighted(TROUBLES);
  const parameters = await trouble.begin(scene);
  if (parameters === undefined) return;
  cluster.orchestrator().subscribe(({ event }) => {
    if (event?.$case !== "run" || event.value.event === undefined) return;
    const { kind, stepId, text } = event.value.event;
    tell(`${event.value.runId} ${stepId} ${kind.replace("RUN_EVENT_KIND_", "").toLowerCase()}: ${text}`);
  });
  const run = await person.plan(trouble.runbook, parameters);
  if (run?.plan === undefined || run.plan.refusals.length > 0) return;
  await person.approve(run);
  await storm(scene, person, run);
  await calm(scene, person);
}

async function storm(scene: Scene, person: Person, run: Run): Promise<void> {
  const { random, clock, tell } = scene;
  const lastsMs = random.int(20_000, STORM_MAX_MS);
  const happenings = Array.from({ length: random.int(1, 5) }, async () => {
    const disturbance = random.weighted(DISTURBANCES);
    await clock.sleep(random.int(0, lastsMs));
    tell(`storm: ${disturbance.name}`);
    await disturbance.happen(scene, person, run.id);
  });
  await Promise.all(happenings);
}

/** Everything heals, and a person answers what is asked: then each run comes to its end. */
async function calm(scene: Scene, person: Person): Promise<void> {
  const { clock, tell, cluster, judge, healers } = scene;
  tell("calm");
  for (const heal of healers) heal();
  await person.go();
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < CALM_MAX_MS) {
    const open = cluster.orchestrator().executor.open();
    if (open.length === 0) break;
    for (const run of open) await answer(person, run);
    await clock.sleep(5_000);
  }
  await judge.ended();
}

async function answer(person: Person, { id, state, events }: Run): Promise<void> {
  if (state === RunState.PAUSED) return person.say(RunVerb.RESUME, id);
  const tries = events.filter(({ kind }) => kind === RunEventKind.RETRY_ASKED).length;
  if (state === RunState.FROZEN) return person.say(tries < 2 ? RunVerb.RETRY_STEP : RunVerb.TAKE_OVER, id);
  if (state === RunState.AWAITING_APPROVAL) return person.abort(id);
}
