/** `vigie run show`: what was done, second by second, with the commands, their exit codes and the guards' facts. */
import { type Run, type RunEvent, RunEventKind, RunState } from "@vigie/proto";
import { aligned } from "../../wording/command-line.js";
import { duration, offset, since } from "../../wording/format.js";
import { runStatePaint } from "./paints.js";
import { askedOf, isOver, progressText } from "../../wording/progress.js";
import { resultLines, runEventText } from "./run-events.js";
import { nextForRun } from "../../wording/run-next.js";
import { indent, section, wrapped, type Screen } from "./screen.js";
import { runText } from "../../wording/subject.js";
import { word } from "../../wording/words.js";

const TIME_WIDTH = 10;
const LOG_LINES = 5; // of a job that writes its percentage every two seconds, the newest

export function renderRun(run: Run, screen: Screen): string {
  const lines = [
    ...headLines(run, screen),
    ...section("Timeline", timeline(run, screen), screen),
    ...section(screen.colour.red("It is frozen"), frozenLines(run, screen), screen),
    ...section("It waits", waitLines(run, screen), screen),
    ...section(
      "Next",
      aligned(nextForRun(run)).map((it) => `  ${it}`),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines(run: Run, screen: Screen): string[] {
  const { plan } = run;
  const { colour } = screen;
  const state = runStatePaint(run.state, screen)(word(run.state));
  const facts = [
    plan === undefined || plan.incidentId === "" ? "" : `incident ${plan.incidentId}`,
    run.approvedBy === "" ? "not approved" : `approved by ${run.approvedBy}`,
    plan === undefined ? "" : `hash ${plan.hash}`,
  ];
  return [
    `${colour.bold(run.id)}  ${runText(plan)}  ${state}${lasting(run, screen)}`,
    `  ${facts.filter((it) => it !== "").join(", ")}`,
  ];
}

function lasting(run: Run, screen: Screen): string {
  const [first, last] = [run.events[0], run.events.at(-1)];
  if (first === undefined || last === undefined) return "";
  if (isOver(run.state)) return ` after ${duration(last.unixMs - first.unixMs)}`;
  return `, begun ${since(first.unixMs, screen.now)} ago`;
}

function timeline(run: Run, screen: Screen): string[] {
  const start = run.events[0]?.unixMs ?? 0;
  const times = run.events.map((it) => offset(it.unixMs, start));
  const width = Math.max(TIME_WIDTH, ...times.map((it) => it.length));
  return run.events.flatMap((event, n) => {
    const older = olderLogLines(run.events, n);
    if (older > 0) return older === 1 ? [indent("… older lines of the log: --json has them", width + 2)] : [];
    const time = (times[n] ?? "").padStart(width);
    const details = resultLines(event.result, event.text, screen).map((it) => indent(it, width + 2));
    return [`${time}  ${runEventText(event, run.plan?.steps ?? [], screen)}`, ...details];
  });
}

/** How far a line of a log is from the newest ones of its stretch; 0: it is one of them, or no such line. */
function olderLogLines(events: readonly RunEvent[], n: number): number {
  if (events[n]?.kind !== RunEventKind.STEP_LOG) return 0;
  const end = events.findIndex((it, at) => at > n && it.kind !== RunEventKind.STEP_LOG);
  const after = (end === -1 ? events.length : end) - n - 1;
  return Math.max(0, after - LOG_LINES + 1);
}

function frozenLines(run: Run, screen: Screen): string[] {
  if (run.state !== RunState.FROZEN) return [];
  const why = run.events.findLast((it) => it.kind === RunEventKind.FROZEN)?.text ?? "";
  return [...(why === "" ? [] : wrapped(why, screen)), "  Nothing more is sent until a person has looked."];
}

function waitLines(run: Run, screen: Screen): string[] {
  const asked = askedOf(run);
  if (asked !== undefined) return wrapped(`for a person to say that it is so: ${asked.question}`, screen);
  const text = progressText(run.progress, screen);
  return isOver(run.state) || text === "" ? [] : wrapped(`${run.progress?.stepId}: ${text}`, screen);
}
