/**
 * Every runbook on its stage in the simulator, hit by crashes: processes killed after rows of the run, and after rows
 * of an agent's journal. The run is taken up and ends, or stands for a person with a reason; no step is repeated
 * blindly (I22, I28, I30, I40).
 */
import { RunEventKind, RunState, RunVerb } from "@vigie/proto";
import { afterEach, describe, expect, test } from "vitest";
import { begin, control, createPlay, told, toItsEnd, waitingStep, type Play } from "../simulator/play.js";
import { H1, STAGES, type Stage } from "../simulator/stages.js";
import { courseOf, kill, LIMIT_S, restart, sample, TEST_MS, type Killed } from "./disturbed.js";

const SETTLE_S = 35;

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

const WHO = ["orchestrator", "agent", "both"] as const;

/** The agent of the step that is at work. */
function victims(on: Play, who: (typeof WHO)[number]): Killed {
  const step = on.plan?.steps.find(({ id }) => id === waitingStep(on));
  return { orchestrator: who !== "agent", agent: who === "orchestrator" ? "" : (step?.node ?? H1) };
}

const BY_NAME = STAGES.map((stage) => [`${stage.runbook}: ${stage.title}`, stage] as const);

describe.each(BY_NAME)("%s", { timeout: TEST_MS }, (_name, stage) => {
  test("processes killed after rows of the run", async () => {
    const { rows } = await courseOf(stage);
    const at = STAGES.indexOf(stage);
    const numbers = Array.from({ length: rows - 3 }, (_, i) => i + 3); // planned and approved are the person's
    for (const [i, row] of sample(numbers, 4, at).entries()) {
      const who = WHO[(i + at) % WHO.length] ?? "both";
      const on = await staged(stage);
      const struck = strikeOnce(on, who, (strike) => {
        on.onRow = () => on.rows.length >= row && strike();
      });
      await begin(on);
      await afterwards(on, struck, `${who} at row ${row}`);
    }
  });

  test("an agent killed after rows of its journal", async () => {
    const { journalRows } = await courseOf(stage);
    const numbers = Array.from({ length: journalRows }, (_, i) => i + 1);
    for (const row of sample(numbers, 3, STAGES.indexOf(stage))) {
      const on = await staged(stage);
      let count = 0;
      const struck = strikeOnce(on, "agent", (strike) => {
        on.cluster.hooks.journaled = (_node, { kind }) => {
          if (kind === "intent" || kind === "result") count += 1;
          if (count === row) strike();
        };
      });
      await begin(on);
      await afterwards(on, struck, `agent at row ${row} of its journal`);
    }
  });
});

test("an agent that starts again just before a cut has not seen long enough that the resync stands, and it is cut all the same", async () => {
  const stage = STAGES.find(({ runbook }) => runbook === "recover-stuck-migration");
  if (stage === undefined) throw new Error("no stage");
  const on = await staged(stage);
  const struck = strikeOnce(on, "agent", (strike) => {
    on.onRow = ({ kind, stepId }) =>
      kind === RunEventKind.STEP_VERIFIED && stepId === "await-verdict-0" && strike();
  });
  await begin(on);
  await afterwards(on, struck, "agent before the cut");
  expect(
    on.rows.some(({ kind, stepId }) => kind === RunEventKind.STEP_INTENT && stepId === "cut-link-0"),
  ).toBe(true);
});

interface Struck {
  killed: Killed | undefined;
}

function strikeOnce(on: Play, who: (typeof WHO)[number], arm: (strike: () => void) => void): Struck {
  const struck: Struck = { killed: undefined };
  arm(() => {
    if (struck.killed !== undefined) return;
    struck.killed = victims(on, who);
    kill(on, struck.killed);
  });
  return struck;
}

async function afterwards(on: Play, struck: Struck, what: string): Promise<void> {
  await on.until(`the strike, ${what}`, () => struck.killed !== undefined, LIMIT_S);
  await restart(on, struck.killed ?? { orchestrator: false, agent: "" });
  const state = await toItsEnd(on, LIMIT_S).catch((error: unknown) => {
    throw new Error(`${what}: ${String(error)}`);
  });
  expect([...on.broken], `${what}: ${told(on)}`).toEqual([]);
  if (state !== RunState.SUCCEEDED) expect(on.rows.at(-1)?.text, what).not.toBe("");
  await bringToItsEnd(on, state);
  await on.pass(SETTLE_S);
  expect(on.stage.faults(on.cluster.world), `${what}: ${told(on)}`).toEqual([]);
  expect([...on.broken], what).toEqual([]);
  expect(await on.cluster.orchestrator().auditor.state()).toMatchObject({ intact: true });
}

async function bringToItsEnd(on: Play, first: RunState): Promise<void> {
  let state = first;
  for (let times = 0; times < 3 && state !== RunState.SUCCEEDED; times += 1) {
    // Whether a dead node lived again while the orchestrator was away, no retry tells: it is planned anew.
    const isOld = /is not known: this orchestrator was away, or did not lead/.test(
      on.rows.at(-1)?.text ?? "",
    );
    if (state === RunState.FROZEN) await control(on, isOld ? RunVerb.TAKE_OVER : RunVerb.RETRY_STEP);
    else {
      await on.pass(SETTLE_S);
      if ((await begin(on)).refusals.length > 0) return;
    }
    state = await toItsEnd(on, LIMIT_S);
  }
}
