/**
 * Every runbook on its stage in the simulator: undisturbed, twice, with each step failing, with each request
 * repeated. A runbook comes into this suite by its line in simulator/stages.ts.
 */
import { ActionOutcome, RunEventKind, RunState, RunVerb, type ActionRequest } from "@vigie/proto";
import { afterEach, describe, expect, test } from "vitest";
import { RUNBOOKS } from "../../orchestrator/src/runbooks/index.js";
import { begin, control, createPlay, told, toItsEnd, type Play } from "../simulator/play.js";
import { STAGES, type Stage } from "../simulator/stages.js";
import type { Trouble } from "../simulator/world.js";
import { askAnew, courseOf, digest, jobFailsAt, LIMIT_S, sample, TEST_MS, troubleAt } from "./disturbed.js";

const SETTLE_S = 35; // every reading comes round, LVM's last

let play: Play | undefined;
afterEach(() => {
  play?.cluster.end();
  play = undefined;
});

async function staged(stage: Stage): Promise<Play> {
  play?.cluster.end();
  play = await createPlay(stage);
  return play;
}

test("every runbook has a stage", () => {
  const known = new Set(STAGES.map(({ runbook }) => runbook));
  expect(RUNBOOKS.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

const BY_NAME = STAGES.map((stage) => [`${stage.runbook}: ${stage.title}`, stage] as const);

describe.each(BY_NAME)("%s", { timeout: TEST_MS }, (_name, stage) => {
  test("a run succeeds, and another right after changes nothing", async () => {
    const on = await staged(stage);
    expect(await begin(on)).toEqual({ refusals: [] });
    expect(await toItsEnd(on, LIMIT_S), told(on)).toBe(RunState.SUCCEEDED);
    await on.pass(SETTLE_S);
    expectWell(on);
    expect(stage.undisturbed?.(on.cluster.world) ?? []).toEqual([]);
    const before = digest(on.cluster.world);
    const { refusals } = await begin(on);
    if (refusals.length === 0) expect(await toItsEnd(on, LIMIT_S), told(on)).toBe(RunState.SUCCEEDED);
    await on.pass(5);
    expect(digest(on.cluster.world)).toBe(before);
    expectWell(on);
  });

  test.each<[string, Trouble | "job fails", number]>([
    ["whose command fails", "fails", 2],
    ["whose command is killed after it did its work", "killed", 3],
    ["whose command hangs in the kernel until its agent is started again", "hangs", 4],
    ["that prints nothing", "silent", 3],
    ["whose job fails", "job fails", 3],
  ])("a step %s harms nothing, and the run can be brought to its end", async (_what, trouble, everyNth) => {
    const { acts } = await courseOf(stage);
    const ofJobs = trouble === "silent" || trouble === "job fails";
    const hit = acts.filter(({ isJob }) => isJob || !ofJobs);
    for (const { id } of sample(hit, everyNth, STAGES.indexOf(stage))) {
      const on = await staged(stage);
      on.cluster.hooks.repeatsRequests = true;
      if (trouble === "job fails") jobFailsAt(on, id);
      else troubleAt(on, id, trouble);
      await begin(on);
      const state = await toItsEnd(on, LIMIT_S);
      expect([...on.broken], id).toEqual([]);
      if (trouble === "hangs") startAgain(on);
      if (trouble === "job fails") expect(state, `${id}: ${told(on)}`).not.toBe(RunState.SUCCEEDED);
      await expectEndsWell(on, id);
    }
  });

  test("each request that comes twice, or once more as another try, has one effect", async () => {
    const on = await staged(stage);
    const { cluster } = on;
    cluster.hooks.repeatsRequests = true;
    const anew: Promise<readonly [ActionRequest, ActionOutcome]>[] = [];
    on.onRow = ({ kind, stepId }) => {
      const last = cluster.requests.findLast((request) => request.stepId === stepId);
      if (kind !== RunEventKind.STEP_RESULT || last === undefined) return;
      anew.push(askAnew(on, last).then((outcome) => [last, outcome] as const));
    };
    await begin(on);
    expect(await toItsEnd(on, LIMIT_S), told(on)).toBe(RunState.SUCCEEDED);
    await on.pass(SETTLE_S);
    expectWell(on);
    for (const [request, outcome] of await Promise.all(anew))
      if (!SAFE_TWICE.has(request.action?.kind?.$case ?? ""))
        expect([ActionOutcome.ALREADY_SO, ActionOutcome.REFUSED], request.stepId).toContain(outcome);
  });
});

/** Run again, they leave the world as it is. */
const SAFE_TWICE: ReadonlySet<string> = new Set([
  "pauseWatcher",
  "continueWatcher",
  "readdNode",
  "rebalance",
  "locateDisk",
]);

/** What hangs keeps its locks as long as its agent lives (I37). */
function startAgain({ cluster }: Play): void {
  for (const { name, up } of cluster.world.nodes.values()) {
    if (!up) continue;
    cluster.killAgent(name);
    cluster.startAgent(name);
  }
}

function expectWell({ stage, cluster, broken }: Play): void {
  expect(stage.faults(cluster.world)).toEqual([]);
  expect([...broken]).toEqual([]);
}

/** A person says retry where it stands, and plans it again where it has ended. */
async function expectEndsWell(on: Play, what: string): Promise<void> {
  let why: readonly string[] = [];
  for (let times = 0; times < 3; times += 1) {
    const state = await toItsEnd(on, LIMIT_S);
    if (state === RunState.SUCCEEDED) break;
    await on.pass(SETTLE_S);
    if (state === RunState.FROZEN) await control(on, RunVerb.RETRY_STEP);
    else {
      why = (await begin(on)).refusals;
      if (why.length > 0) break; // there is nothing left to do: the faults below say whether that is so
    }
  }
  await on.pass(SETTLE_S);
  expect(on.stage.faults(on.cluster.world), `${what}: ${why.join("; ")}\n${told(on)}`).toEqual([]);
  expect([...on.broken], what).toEqual([]);
}
