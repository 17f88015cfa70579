/** Everything heals, and a person answers what is asked: then each run comes to its end, or something is wrong. */
import { RunEventKind, RunState, RunVerb, type Run } from "@vigie/proto";
import type { Person } from "./person.js";
import { answerTruly } from "./truthful.js";
import type { Scene } from "./scene.js";

const HEALED_MS = 7_000; // sessions, a leader, a first reading
const BUSY_MAX_MS = 6_000; // longer, and it waits for something that takes long: time leaps then
const IDLE_MAX_MS = 40 * 60_000; // what has not changed for five minutes is handed to a person, who tries it once more
const TURN_MS = 1_000;
const RATE_KIB_PER_S = 8_192; // nothing else is at work, so that a resync goes faster
const RETRIES = 1;
const NOTHING_TO_RETRY = /nothing has changed for|cannot come by itself/;

/** @param working what the storm began and still goes on */
export async function calm(scene: Scene, person: Person, working: readonly Promise<void>[]): Promise<void> {
  const { clock, tell, healers, judge, cluster, world, faults } = scene;
  tell("calm");
  for (const heal of healers) heal();
  await Promise.all(working);
  for (const heal of healers) heal();
  if (!cluster.runs("orchestrator", world.master)) return;
  await person.go();
  await clock.sleep(HEALED_MS);
  await untilOver(scene, person, BUSY_MAX_MS);
  faults.idle.is = true;
  await untilOver(scene, person, IDLE_MAX_MS);
  faults.idle.is = false;
  await judge.ended();
}

async function untilOver(scene: Scene, person: Person, limitMs: number): Promise<void> {
  const { clock, cluster, world } = scene;
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < limitMs) {
    const open = cluster.orchestrator().executor.open();
    if (open.length === 0) return;
    for (const disk of world.disks) disk.rateKibPerS = RATE_KIB_PER_S;
    for (const run of open) await answer(scene, person, run);
    await clock.sleep(TURN_MS);
  }
}

async function answer(scene: Scene, person: Person, run: Run): Promise<void> {
  const { id, state, events } = run;
  if (state === RunState.PAUSED) return person.say(RunVerb.RESUME, id);
  if (state === RunState.AWAITING_APPROVAL) return person.abort(id);
  if (run.progress?.text.includes("a person is asked") === true) return answerTruly(scene, person, run);
  if (state !== RunState.FROZEN) return;
  if (NOTHING_TO_RETRY.test(events.findLast(({ kind }) => kind === RunEventKind.FROZEN)?.text ?? ""))
    return person.say(RunVerb.TAKE_OVER, id);
  const tries = events.filter(({ kind }) => kind === RunEventKind.RETRY_ASKED).length;
  return person.say(tries < RETRIES ? RunVerb.RETRY_STEP : RunVerb.TAKE_OVER, id);
}
