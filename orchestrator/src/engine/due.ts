/**
 * Whether a step is to be sent: is it needed → is it already so → may it be, and is the world still the one that was
 * planned. The last two are seen together, at one look, and the send follows at once (I15).
 */
import {
  ActionOutcome,
  ActionResult,
  AllOf,
  Condition,
  RunEventKind,
  type Clock,
  type PlanStep,
  type RunEvent,
} from "@vigie/proto";
import type { WatchContext } from "./conditions/condition.js";
import type { Looker } from "./look.js";
import { jobIdOf } from "./run-log.js";

const GLANCE_MS = 2_000; // for what is asked once: an agent may be busy
const REQUIRED_WITHIN_MS = 30_000;
const QUEUE_WITHIN_MS = 10 * 60_000; // then a person is asked: a job that is never done is a trouble of its own
const ANSWERED_WITHIN_MS = 30_000; // a tool that starves, an agent that dials again

export interface DueParts {
  readonly clock: Clock;
  readonly looker: Looker;
}

export interface Asking {
  readonly step: PlanStep;
  /** The answer is not wanted any more: a brake was applied. */
  readonly givenUp: () => boolean;
  readonly context: (sinceMs: number) => WatchContext;
  /** What is waited for, for whoever looks at the run meanwhile. */
  readonly show?: (text: string) => void;
}

/** Go, with what was seen and when that was read; or a row and nothing is sent; or nothing, for a brake was applied. */
export type Due =
  | { readonly due: "go"; readonly seen: string; readonly readAtMs: number }
  | { readonly due: "no"; readonly row: Pick<RunEvent, "kind" | "text"> & Partial<RunEvent> }
  | { readonly due: "given up" };

export async function askDue(parts: DueParts, asking: Asking): Promise<Due> {
  const { step } = asking;
  const again = await jobAtWork(parts, asking);
  if (again !== undefined) return again;
  const needed = await glance(parts, asking, step.onlyIf, neededWithinMs(step.onlyIf));
  if (needed.answer === "stopped") return GIVEN_UP;
  if (needed.answer === "no") return no(RunEventKind.STEP_SKIPPED, `not needed: ${needed.what}`);
  if (needed.answer === "unknown") return no(RunEventKind.STEP_FAILED, unknown(needed.what));
  if (step.holds !== undefined) {
    const already = await glance(parts, asking, step.holds, GLANCE_MS);
    if (already.answer === "stopped") return GIVEN_UP;
    if (already.answer === "yes") return no(RunEventKind.STEP_VERIFIED, `already so: ${already.what}`);
    if (already.answer === "unknown") return no(RunEventKind.STEP_FAILED, unknown(already.what));
  }
  return askAllowed(parts, asking);
}

/**
 * A job of an earlier try that Ganeti still has is waited for again: its own work has made the premises untrue, and to
 * put a second one in would do it twice (I22). One that ended badly is sent again, as a step not yet begun.
 */
async function jobAtWork(parts: DueParts, asking: Asking): Promise<Due | undefined> {
  const { step, context, givenUp } = asking;
  const now = context(parts.clock.monotonicMs());
  const jobId = jobIdOf(now.events(), step.id);
  if (jobId === 0) return undefined;
  const outcome = await parts.looker.until(step.condition, now, {
    forMs: GLANCE_MS,
    looked: async () => givenUp(),
  });
  if (outcome.end === "stopped") return GIVEN_UP;
  if (outcome.end === "seen") return no(RunEventKind.STEP_VERIFIED, `already so: ${outcome.what}`);
  if (outcome.end === "never") return undefined;
  const message = `job ${jobId} of an earlier try is waited for again`;
  const result = ActionResult.create({ outcome: ActionOutcome.ALREADY_SO, message, jobId });
  return { due: "no", row: { kind: RunEventKind.STEP_RESULT, text: message, result } };
}

/** `requires` and every premise, at one look. Asked again where what follows took its time. */
export async function askAllowed(parts: DueParts, asking: Asking): Promise<Due> {
  const { requires, premises } = asking.step;
  const all = [...(requires === undefined ? [] : [requires]), ...premises];
  const free = await glance(parts, asking, together(queues(requires)), QUEUE_WITHIN_MS);
  if (free.answer === "stopped") return GIVEN_UP;
  const allowed = await glance(parts, asking, together(all), REQUIRED_WITHIN_MS);
  if (allowed.answer === "stopped") return GIVEN_UP;
  if (allowed.answer === "yes") return { due: "go", seen: allowed.what, readAtMs: allowed.askedAtMs };
  const still = await glance(parts, asking, together(premises), GLANCE_MS);
  if (still.answer === "stopped") return GIVEN_UP;
  if (still.answer === "yes")
    return no(RunEventKind.STEP_FAILED, `it is not as this step needs it: ${allowed.what}`);
  const why = still.answer === "unknown" ? `it is not known: ${still.what}` : still.what;
  return no(RunEventKind.PREMISE_FAILED, `the plan is no longer true: ${why}`);
}

/** Another job of Ganeti's ends by itself: it is waited for, and freezes nothing. */
function queues(condition: Condition | undefined): Condition[] {
  const what = condition?.what;
  if (what?.$case === "queueFree" && condition !== undefined) return [condition];
  return what?.$case === "allOf" ? what.value.conditions.flatMap(queues) : [];
}

const GIVEN_UP: Due = { due: "given up" };

function no(kind: RunEventKind, text: string): Due {
  return { due: "no", row: { kind, text } };
}

function together(conditions: readonly Condition[]): Condition | undefined {
  const [only] = conditions;
  if (conditions.length <= 1) return only;
  return Condition.create({
    what: { $case: "allOf", value: AllOf.create({ conditions: [...conditions] }) },
  });
}

/** An agent that has just started counts anew how long a resync stands: before that time is over, "no" is not known. */
function neededWithinMs(onlyIf: Condition | undefined): number {
  return GLANCE_MS + (onlyIf?.what?.$case === "resyncStands" ? onlyIf.what.value.forMs : 0);
}

function unknown(what: string): string {
  return `whether it is needed is not known: ${what}`;
}

interface Glance {
  readonly answer: "yes" | "no" | "unknown" | "stopped";
  readonly what: string;
  readonly askedAtMs: number; // before what was seen was read
}

/**
 * An agent that does not answer is asked again for half a minute: one slow reading must not end a run.
 *
 * @param withinMs how long it may take to be seen; an unset condition is seen
 */
export async function glance(
  parts: DueParts,
  { context, givenUp, show }: Pick<Asking, "context" | "givenUp" | "show">,
  condition: Condition | undefined,
  withinMs: number,
): Promise<Glance> {
  const startedMs = parts.clock.monotonicMs();
  if (condition?.what === undefined) return { answer: "yes", what: "", askedAtMs: startedMs };
  const other = (answer: "no" | "unknown" | "stopped", what: string): Glance => ({
    answer,
    what,
    askedAtMs: startedMs,
  });
  for (;;) {
    const outcome = await parts.looker.until(condition, context(parts.clock.monotonicMs()), {
      forMs: withinMs,
      looked: async (seen) => {
        if (!seen.seen && seen.what !== undefined) show?.(seen.what);
        return givenUp();
      },
    });
    switch (outcome.end) {
      case "seen":
        return { answer: "yes", what: outcome.what, askedAtMs: outcome.askedAtMs };
      case "never":
        return other("no", outcome.why);
      case "stopped":
        return other("stopped", "");
      case "time-over":
        if (outcome.answered) return other("no", outcome.what);
        if (parts.clock.monotonicMs() - startedMs >= ANSWERED_WITHIN_MS)
          return other("unknown", "not every agent that can see it answered");
    }
  }
}
