/**
 * The one way in which an action's commands come to run. What prepares it comes first, and may take its time. Then,
 * before each command that acts, the guard looks again, and what it saw is at most two seconds old (I14). And before
 * every command, of either kind: does the caller still lead, and does nothing here forbid it (I25, I26, I33)?
 */
import { ActionOutcome, explain, VigieError, type ActionResult, type GuardFact } from "@vigie/proto";
import { guardResult } from "./action-results.js";
import { stepArgv, type ActionDefinition, type ActionStep, type Look } from "./actions/action.js";
import { agedBy, FACT_AGE_MAX_MS } from "./guards/fact.js";
import { isNeeded, runStep, type Ran } from "./run-steps.js";

const LOOKS_MAX = 2; // where what it saw grew too old before it could be used

/** What the guard said, and when; monotonic. */
export interface Judgement {
  readonly facts: GuardFact[];
  readonly begunMs: number; // before it looked at anything
  readonly judgedMs: number;
}

export interface ActionRun<P> {
  readonly definition: ActionDefinition<P>;
  readonly params: P;
  readonly look: Look;
  /** @throws VigieError: what forbids the next command */
  readonly mayRun: () => Promise<void>;
  /** What it was decided on is too old by now to begin with (I27). @throws VigieError TOO_LATE */
  readonly inTime: () => void;
}

export interface HowItRan {
  readonly problem: Partial<ActionResult> | undefined; // what ended it before its end
  readonly facts: GuardFact[]; // on which its last command was run, or refused
}

/** Where nothing is to be prepared, the first judgement is already the last look. */
export async function isPrepared<P>(
  definition: ActionDefinition<P>,
  params: P,
  look: Look,
): Promise<boolean> {
  const { prepare } = definition;
  if (prepare === undefined) return true;
  if (prepare.needed !== undefined) return !(await prepare.needed(params, look));
  for (const step of prepare.steps(params, look.asker)) if (await isNeeded(step, look)) return false;
  return true;
}

export async function judge<P>({
  definition,
  params,
  look,
}: Omit<ActionRun<P>, "mayRun" | "inTime">): Promise<Judgement> {
  const begunMs = look.host.monotonicMs();
  const facts = await definition.guard(params, look);
  return { facts, begunMs, judgedMs: look.host.monotonicMs() };
}

/** @param first the judgement with which its intent was written down; `ran` is filled also where this rejects */
export async function runAction<P>(action: ActionRun<P>, first: Judgement, ran: Ran): Promise<HowItRan> {
  const { definition, params, look } = action;
  const ready = { ...action, look: { ...look, prepared: true } };
  let known: Judgement | undefined = first;
  let last = first;
  let acted = false;
  if (!look.prepared) {
    for (const step of definition.prepare?.steps(params, look.asker) ?? []) {
      const problem = await guarded(step, () => prepareOne(action, step, ran));
      if (problem !== undefined) return { problem, facts: last.facts };
    }
    known = undefined; // the world went on meanwhile
  }
  for (const step of definition.steps(params, look.asker)) {
    const problem = await guarded(step, async () => {
      if (step.optional === true) return helpAlong(ready, step, last, ran);
      if (!(await isNeeded(step, ready.look))) return undefined;
      const { judgement, refused } = await lastLook(ready, known);
      known = undefined;
      last = judgement;
      if (refused !== undefined) return stopped(step, refused);
      if (!acted) action.inTime(); // what prepared it may have taken long; once it acts, it is brought to its end
      acted = true;
      return runStep(step, ready.look, ran, action.mayRun);
    });
    if (problem !== undefined) return { problem, facts: last.facts };
  }
  return { problem: undefined, facts: last.facts };

  /** What throws before a command refuses that command: it was not run. */
  async function guarded(
    step: ActionStep,
    work: () => Promise<Partial<ActionResult> | undefined>,
  ): Promise<Partial<ActionResult> | undefined> {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof VigieError ? error.code : "SOURCE_FAILED";
      return stopped(step, { code, message: explain(error) });
    }
  }

  /** Nothing was run that counts, or some of it: the rest is not. What came too late may be asked again as a whole. */
  function stopped(step: ActionStep, why: Partial<ActionResult>): Partial<ActionResult> {
    const begun = acted || (ran.commands.length > 0 && definition.prepare?.isSeen === true);
    if (!begun || (!acted && why.code === "TOO_LATE")) return { ...why, outcome: ActionOutcome.REFUSED };
    const message = `stopped before ${stepArgv(step).join(" ")}: ${why.message ?? ""}`;
    return { ...why, outcome: ActionOutcome.FAILED, message };
  }
}

async function prepareOne<P>(
  { look, mayRun }: ActionRun<P>,
  step: ActionStep,
  ran: Ran,
): Promise<Partial<ActionResult> | undefined> {
  if (!(await isNeeded(step, look))) return undefined;
  await mayRun();
  return runStep(step, look, ran, mayRun);
}

/** Only while what the step before it was run on is still fresh, and nothing forbids it. */
async function helpAlong<P>(
  action: ActionRun<P>,
  step: ActionStep,
  last: Judgement,
  ran: Ran,
): Promise<undefined> {
  const forbidden = await action.mayRun().then(
    () => false,
    () => true,
  );
  if (!forbidden && tooLate(action, last) === undefined) await runStep(step, action.look, ran, action.mayRun);
}

interface LastLook {
  readonly judgement: Judgement;
  readonly refused: Partial<ActionResult> | undefined;
}

/** Nothing is waited for between its end and the command. */
async function lastLook<P>(action: ActionRun<P>, known: Judgement | undefined): Promise<LastLook> {
  for (let looks = 1, judgement = known; ; looks += 1, judgement = undefined) {
    const seen = judgement ?? (await judge(action));
    const refused = guardResult(seen.facts);
    if (refused !== undefined) return { judgement: seen, refused };
    await action.mayRun();
    const late = tooLate(action, seen);
    if (late === undefined || looks >= LOOKS_MAX) return { judgement: seen, refused: late };
  }
}

function tooLate<P>({ definition, look }: ActionRun<P>, seen: Judgement): Partial<ActionResult> | undefined {
  const nowMs = look.host.monotonicMs();
  const late = guardResult(agedBy(seen.facts, nowMs - seen.judgedMs));
  if (late !== undefined) return late;
  const ageMs = nowMs - seen.begunMs;
  const maxMs = definition.factsMaxAgeMs ?? FACT_AGE_MAX_MS;
  if (ageMs <= maxMs && nowMs - seen.judgedMs <= FACT_AGE_MAX_MS) return undefined;
  return { code: "TOO_LATE", message: `the facts were ${ageMs} ms old when it came to run (I14)` };
}
