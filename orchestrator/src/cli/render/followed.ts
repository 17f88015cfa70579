/** What is told of a run while it is followed: its rows as they come, where it is now, and how it ended. */
import { ActionOutcome, RunState, type Run, type RunEvent } from "@vigie/proto";
import { aligned } from "../../wording/command-line.js";
import { duration, since, timeOfDay } from "../../wording/format.js";
import { runStatePaint } from "./paints.js";
import { forwardSteps } from "../../wording/progress.js";
import { currentStep, isOver, progressText } from "../../wording/progress.js";
import { resultLines, runEventText } from "./run-events.js";
import { nextForRun } from "../../wording/run-next.js";
import { indent, type Screen } from "./screen.js";
import { word } from "../../wording/words.js";

const TEXT_AT = 10;
const WELL: ReadonlySet<ActionOutcome> = new Set([ActionOutcome.DONE, ActionOutcome.ALREADY_SO]);

/** Guards and commands only where an answer was not what was wished for; `vigie run show` has them all. */
export function followedRow(event: RunEvent, run: Run, screen: Screen): string[] {
  const time = screen.colour.dim(timeOfDay(event.unixMs, screen.timeZone));
  const { result } = event;
  const wrong = result !== undefined && !WELL.has(result.outcome);
  return [
    `${time}  ${runEventText(event, run.plan?.steps ?? [], screen)}`,
    ...(wrong ? resultLines(result, event.text, screen).map((it) => indent(it, TEXT_AT)) : []),
  ];
}

/** `step 2 of 4, both ends in WFConnection, 3.1 s`, or how far the resync is. */
export function followedProgress(run: Run, screen: Screen): string {
  const step = currentStep(run);
  if (step === undefined || run.plan === undefined) return "";
  const steps = forwardSteps(run.plan);
  const index = steps.indexOf(step);
  const which = index < 0 ? step.id : `step ${index + 1} of ${steps.length}`;
  const own = run.progress?.stepId === step.id ? progressText(run.progress, screen) : "";
  const last = run.events.at(-1)?.unixMs ?? screen.now;
  return `          ${which}: ${own === "" ? `${step.title}, ${since(last, screen.now)}` : own}`;
}

/** How it stands when it is followed no more, and what a person may do then. */
export function followedEnd(run: Run, screen: Screen): string {
  const state = runStatePaint(run.state, screen)(word(run.state));
  const [first, last] = [run.events[0], run.events.at(-1)];
  const lasted = isOver(run.state) && first !== undefined && last !== undefined;
  const after = lasted ? ` after ${duration(last.unixMs - first.unixMs)}` : "";
  const hints = [{ command: `vigie run show ${run.id}`, why: "every command and every fact" }];
  const next = run.state === RunState.SUCCEEDED ? hints : [...nextForRun(run), ...hints];
  const lines = [`${screen.colour.bold(run.id)}  ${state}${after}`, ...aligned(next).map((it) => `  ${it}`)];
  return `\n${lines.join("\n")}\n`;
}
