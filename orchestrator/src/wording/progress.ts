/** How far a step is that takes hours: what is left, how much is done, and when it will be over. */
import { RunState, type Plan, type PlanStep, type Run, type RunProgress, RunEventKind } from "@vigie/proto";
import { duration, moment, percent } from "./format.js";

/** Who reads it: their time, and their zone. */
export interface Reader {
  readonly now: number; // unix ms
  readonly timeZone?: string; // the system's where unset
}

/** `resync 42.0 %, 3.1 GiB left; done about 14:05 UTC (in 2 h 10 min)`; empty where nothing is known. */
export function progressText(progress: RunProgress | undefined, reader: Reader): string {
  if (progress === undefined) return "";
  const { text, donePercent, finishUnixMs, runFinishUnixMs } = progress;
  const share = donePercent === undefined || text.includes("%") ? "" : percent(donePercent);
  const all = runFinishUnixMs === 0 ? "" : `all copies ${finishText(runFinishUnixMs, reader)}`;
  return [text, share, finishText(finishUnixMs, reader), all].filter((it) => it !== "").join("; ");
}

/** `done about 14:05 UTC (in 2 h 10 min)`; empty where it is not known. */
export function finishText(finishUnixMs: number, { now, timeZone }: Reader): string {
  if (finishUnixMs === 0) return "";
  if (finishUnixMs <= now) return "done any moment";
  return `done about ${moment(finishUnixMs, now, timeZone)} (in ${duration(finishUnixMs - now)})`;
}

/** The step that asks a person now, and its question; undefined: nobody is asked. */
export function askedOf(run: Run): { readonly step: PlanStep; readonly question: string } | undefined {
  if (run.state !== RunState.RUNNING && run.state !== RunState.WAITING) return undefined;
  const step = nextStep(run);
  const what = step?.condition?.what;
  if (step === undefined || what?.$case !== "personSays") return undefined;
  const rows = run.events.filter((e) => e.stepId === step.id);
  const reached = rows.some((e) => e.kind === RunEventKind.STEP_WAITING) || run.progress?.stepId === step.id;
  const answered = rows.some((e) => e.kind === RunEventKind.PERSON_SAID);
  return reached && !answered ? { step, question: what.value.question } : undefined;
}

/** The step that a run is at; undefined before its approval and after its end. */
export function currentStep(run: Run): PlanStep | undefined {
  if (run.approvedBy === "" || isOver(run.state)) return undefined;
  if (run.state !== RunState.UNDOING && run.state !== RunState.FROZEN) return nextStep(run);
  const waiting = run.progress?.stepId ?? "";
  const stepId = waiting === "" ? run.events.findLast((e) => e.stepId !== "")?.stepId : waiting;
  return run.plan?.steps.find((it) => it.id === stepId);
}

/** On the way forward: a step that only takes another one back is none of them. */
export function forwardSteps(plan: Plan): PlanStep[] {
  return plan.steps.filter((it) => !it.onlyAsUndo);
}

/** By itself; a person's word may be what it waits for. */
export function goesOn(state: RunState): boolean {
  return state === RunState.RUNNING || state === RunState.UNDOING || state === RunState.WAITING;
}

export function isOver(state: RunState): boolean {
  return state === RunState.SUCCEEDED || state === RunState.FAILED || state === RunState.ABORTED;
}

/** A person has ended it, and the engine is about to write that down. */
export function isEnding({ state, events }: Run): boolean {
  const last = events.at(-1)?.kind;
  return !isOver(state) && (last === RunEventKind.ABORT_ASKED || last === RunEventKind.TAKEN_OVER);
}

function nextStep({ plan, events }: Run): PlanStep | undefined {
  const done = events.filter((e) => DONE.has(e.kind)).map((e) => e.stepId);
  return plan?.steps.find((it) => !it.onlyAsUndo && !done.includes(it.id));
}

const DONE: ReadonlySet<RunEventKind> = new Set([RunEventKind.STEP_VERIFIED, RunEventKind.STEP_SKIPPED]);
