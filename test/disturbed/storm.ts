/** Disturbances at random moments of a run: at a time, or just after one of its rows, where check and act are close. */
import { explain, type Run } from "@vigie/proto";
import { GIVING_UP } from "./disturbances/by-hand.js";
import { DISTURBANCES } from "./disturbances/index.js";
import type { Disturbance } from "./disturbances/disturbance.js";
import type { Person } from "./person.js";
import type { Random } from "./random.js";
import { short, type Scene } from "./scene.js";

const LASTS_MAX_MS = 120_000;
const [ROWS_MIN, ROWS_MAX] = [4, 16]; // of most runs
const SOON_MAX_MS = 2_500;
const NOW_MAX_MS = 300;
const TURN_MS = 50;

interface Due {
  readonly disturbance: Disturbance;
  readonly atMs: number; // since the storm began; with a row: since that row
  readonly atRow: number; // 0: at a time
  /** Only when hbal works by then; the moments count since it began. */
  readonly withHbal: boolean;
}

const HBAL_LASTS_MAX_MS = 240_000; // until it comes to work

/** @returns what still goes on when the storm is over: each ends by itself */
export async function storm(scene: Scene, person: Person, run: Run): Promise<Promise<void>[]> {
  const { random, clock, runs, mutant } = scene;
  const focus = DISTURBANCES.filter(({ name }) => mutant.focus.disturbances.includes(name));
  const moves = run.plan?.steps.some(({ action }) => action?.kind?.$case === "rebalance") === true;
  const lastsMs = moves && random.chance(0.7) ? HBAL_LASTS_MAX_MS : random.int(20_000, LASTS_MAX_MS);
  const startedMs = clock.monotonicMs();
  const drawn = Array.from({ length: random.int(3, 8) }, () => drawDue(random, lastsMs, focus));
  let dues = drawn.map((due) =>
    lastsMs === HBAL_LASTS_MAX_MS && random.chance(0.6)
      ? { ...due, atRow: 0, atMs: random.int(0, SOON_MAX_MS), withHbal: true }
      : due,
  );
  const givenUp = focus.length === 0 ? random.chance(0.45) : focus.includes(GIVING_UP);
  if (givenUp && hasUndoOfFlag(run)) dues.push(GIVEN_UP);
  let hbalSinceMs = Number.POSITIVE_INFINITY;
  const rowAtMs = [startedMs];
  const working: Promise<void>[] = [];
  while (dues.length > 0 && clock.monotonicMs() - startedMs < lastsMs && !runs.isOver(run.id)) {
    await clock.sleep(TURN_MS);
    while (rowAtMs.length <= runs.rows(run.id).length) rowAtMs.push(clock.monotonicMs());
    if (scene.world.balancing.size > 0) hbalSinceMs = Math.min(hbalSinceMs, clock.monotonicMs());
    const isDue = ({ atMs, atRow, withHbal }: Due): boolean =>
      clock.monotonicMs() - (withHbal ? hbalSinceMs : (rowAtMs[atRow] ?? Number.POSITIVE_INFINITY)) >= atMs;
    const [now, later] = [dues.filter(isDue), dues.filter((due) => !isDue(due))];
    dues = later;
    working.push(...now.map(({ disturbance }) => happen(scene, person, run, disturbance)));
  }
  return working;
}

/** It is taken back what Ganeti knows of a node: that is for a short while only, so it is aimed at. */
function hasUndoOfFlag({ plan }: Run): boolean {
  return plan?.steps.some(({ onlyAsUndo, id }) => onlyAsUndo && /^set-(?:offline|online)$/.test(id)) === true;
}

const GIVEN_UP: Due = {
  disturbance: GIVING_UP,
  atMs: 0,
  atRow: 0,
  withHbal: false,
};

function drawDue(random: Random, lastsMs: number, focus: readonly Disturbance[]): Due {
  const disturbance = random.weighted(focus.length > 0 && random.chance(0.5) ? focus : DISTURBANCES);
  const now = random.chance(0.1); // while the first step is being looked at
  if (now) return { disturbance, atMs: random.int(0, NOW_MAX_MS), atRow: 0, withHbal: false };
  return random.chance(0.35)
    ? { disturbance, atMs: random.int(0, Math.floor(lastsMs / 2)), atRow: 0, withHbal: false }
    : { disturbance, atMs: random.int(0, SOON_MAX_MS), atRow: drawRow(random), withHbal: false };
}

/** Mostly an early one: few runs come to the last. */
function drawRow(random: Random): number {
  return random.int(1, random.int(ROWS_MIN, ROWS_MAX));
}

async function happen(
  scene: Scene,
  person: Person,
  run: Run,
  { name, happen: begin }: Disturbance,
): Promise<void> {
  scene.exposure.count(name);
  scene.tell(`* ${name}`);
  await begin(scene, person, run).catch((error: unknown) =>
    scene.judge.found(
      `the test itself: ${name}: ${short(explain(error))} ${error instanceof Error ? error.stack : ""}`,
    ),
  );
}
