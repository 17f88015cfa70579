/** How far a step is that takes hours: what is left, how much is done, and when it will be over. */
import { RunState, type PlanStep, type Run, type RunProgress, RunEventKind } from "@vigie/proto";
import { duration, moment, percent } from "./format.js";
import type { Screen } from "./screen.js";

/** `resync 42.0 %, 3.1 GiB left; done about 14:05 UTC (in 2 h 10 min)`; empty where nothing is known. */
export function progressText(progress: RunProgress | undefined, screen: Screen): string {
  if (progress === undefined) return "";
  const { text, donePercent, finishUnixMs } = progress;
  const share = donePercent === undefined || text.includes("%") ? "" : percent(donePercent);
  return [text, share, finishText(finishUnixMs, screen)].filter((it) => it !== "").join("; ");
}

function finishText(finishUnixMs: number, { now, timeZone }: Screen): string {
  if (finishUnixMs === 0) return "";
  if (finishUnixMs <= now) return "done any moment";
  return `done about ${moment(finishUnixMs, now, timeZone)} (in ${duration(finishUnixMs - now)})`;
}

/** The step that asks a person now, and its question; undefined: nobody is asked. */
export function askedOf(run: Run): { readonly step: PlanStep; readonly question: string } | undefined {
  if (run.state !== RunState.RUNNING && run.state !== RunState.WAITING) return undefined;
  const step = run.plan?.steps.find((it) => !it.onlyAsUndo && !isDone(run, it.id));
  const what = step?.condition?.what;
  if (step === undefined || what?.$case !== "personSays") return undefined;
  const reached = run.events.some((e) => e.stepId === step.id && e.kind === RunEventKind.STEP_WAITING);
  if (!reached && run.progress?.stepId !== step.id) return undefined;
  return { step, question: what.value.question };
}

function isDone({ events }: Run, stepId: string): boolean {
  const over = [RunEventKind.STEP_VERIFIED, RunEventKind.STEP_SKIPPED, RunEventKind.PERSON_SAID];
  return events.some((e) => e.stepId === stepId && over.includes(e.kind));
}
