/** `vigie run show`: what was done, second by second, with the commands, their exit codes and the guards' facts. */
import {
  type ActionResult,
  type CommandRun,
  type GuardFact,
  type Run,
  type RunEvent,
  RunEventKind,
  RunState,
  StepKind,
} from "@vigie/proto";
import { duration, offset, since } from "./format.js";
import { runStatePaint, yesPaint } from "./paints.js";
import { indent, section, type Screen } from "./screen.js";
import { endText } from "./subject.js";
import { word } from "./words.js";

const DETAIL_INDENT = 12;

export function renderRun(run: Run, screen: Screen): string {
  const lines = [
    ...headLines(run, screen),
    ...section(
      "Timeline",
      run.events.flatMap((it) => eventLines(it, run, screen)),
      screen,
    ),
    ...section("Next", nextLines(run), screen),
  ];
  return `${lines.join("\n")}\n`;
}

/** From the first row of its log to the last; undefined before there is one. */
export function runDuration(run: Run): number | undefined {
  const [first, last] = [run.events[0], run.events.at(-1)];
  return first === undefined || last === undefined ? undefined : last.unixMs - first.unixMs;
}

export function isOver(state: RunState): boolean {
  return state === RunState.SUCCEEDED || state === RunState.FAILED || state === RunState.ABORTED;
}

function headLines(run: Run, screen: Screen): string[] {
  const { colour } = screen;
  const state = runStatePaint(run.state, screen)(word(run.state));
  const facts = [
    run.plan === undefined || run.plan.incidentId === "" ? "" : `incident ${run.plan.incidentId}`,
    run.approvedBy === "" ? "not approved" : `approved by ${run.approvedBy}`,
    run.plan === undefined ? "" : `hash ${run.plan.hash}`,
  ];
  const what = `${run.plan?.runbook ?? "?"} for ${colour.bold(endText(run.plan?.end))}`;
  return [
    `${colour.bold(run.id)}  ${what}  ${state}${lasting(run, screen)}`,
    `  ${facts.filter((it) => it !== "").join(", ")}`,
  ];
}

function lasting(run: Run, screen: Screen): string {
  const lasted = runDuration(run);
  if (lasted === undefined) return "";
  if (isOver(run.state)) return ` after ${duration(lasted)}`;
  return `, begun ${since(run.events[0]?.unixMs ?? screen.now, screen.now)} ago`;
}

function eventLines(event: RunEvent, run: Run, screen: Screen): string[] {
  const time = offset(event.unixMs, run.events[0]?.unixMs ?? event.unixMs).padStart(DETAIL_INDENT - 2);
  return [`${time}  ${headline(event, run, screen)}`, ...resultLines(event.result, event.text, screen)];
}

/** `cut-link (attempt 2): done – text (actor)`. */
function headline(event: RunEvent, run: Run, screen: Screen): string {
  const step = event.stepId === "" ? "" : `${screen.colour.bold(event.stepId)} `;
  const attempt = event.attempt > 1 ? ` (attempt ${event.attempt})` : "";
  const state =
    event.kind === RunEventKind.ENDED ? ` ${runStatePaint(event.state, screen)(word(event.state))}` : "";
  const outcome = event.result === undefined ? "" : ` ${word(event.result.outcome)}`;
  const text = event.text === "" ? "" : `: ${event.text.replaceAll("\n", " ")}`;
  const actor = event.actor === "" ? "" : screen.colour.dim(` (${event.actor})`);
  return `${step}${kindText(event, run)}${attempt}${outcome}${state}${text}${actor}`;
}

function kindText(event: RunEvent, run: Run): string {
  const step = run.plan?.steps.find((it) => it.id === event.stepId);
  if (event.kind === RunEventKind.STEP_INTENT && step?.kind === StepKind.WAIT) return "is awaited";
  return KIND_TEXTS[event.kind] ?? word(event.kind);
}

const KIND_TEXTS: Readonly<Partial<Record<RunEventKind, string>>> = {
  [RunEventKind.STEP_INTENT]: "is sent",
  [RunEventKind.STEP_RESULT]: "answered",
  [RunEventKind.STEP_VERIFIED]: "is seen in the world",
  [RunEventKind.STEP_FAILED]: "failed",
  [RunEventKind.UNDO_STARTED]: "undo begins",
  [RunEventKind.RECOVERED]: "recovered after a restart",
  [RunEventKind.ABORT_ASKED]: "abort asked",
};

function resultLines(result: ActionResult | undefined, told: string, screen: Screen): string[] {
  if (result === undefined) return [];
  const said = [result.code, result.message].filter((it) => it !== "" && it !== told).join(": ");
  const lines = [
    ...(said === "" ? [] : [said]),
    ...(result.replayed ? ["the stored result of an earlier request"] : []),
    ...result.guard.map((it) => guardLine(it, screen)),
    ...result.commands.flatMap((it) => commandLines(it, screen)),
  ];
  return lines.map((it) => indent(it, DETAIL_INDENT));
}

function guardLine(fact: GuardFact, screen: Screen): string {
  const verdict = yesPaint(fact.holds, screen)(fact.holds ? "holds  " : "REFUSED");
  return `${verdict}  ${fact.name}: ${fact.value}${fact.invariant === "" ? "" : ` (${fact.invariant})`}`;
}

function commandLines(command: CommandRun, screen: Screen): string[] {
  const end = command.exitCode < 0 ? "killed by a signal or its deadline" : `exit ${command.exitCode}`;
  const paint = yesPaint(command.exitCode === 0, screen);
  const output = command.output.trimEnd();
  return [
    `$ ${command.argv.map(shellQuoted).join(" ")}`,
    indent(`${paint(end)}, ${duration(command.durationMs)}`),
    ...(output === "" ? [] : [indent(output, 4)]),
  ];
}

/** So that it can be pasted. */
export function shellQuoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

function nextLines(run: Run): string[] {
  if (run.state === RunState.AWAITING_APPROVAL) return [`  vigie approve ${run.id}`];
  if (run.state === RunState.RUNNING) return ["  vigie watch", `  vigie abort ${run.id} --reason WHY`];
  if (run.state !== RunState.FROZEN) return [];
  return [
    "  Nothing more is sent until a person has looked. Take it back with:",
    `  vigie abort ${run.id} --reason WHY`,
  ];
}
