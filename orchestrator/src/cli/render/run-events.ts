/** The rows of a run's log as lines: of a run that is shown, of one that is followed, and of the stream of all. */
import {
  type ActionResult,
  type CommandRun,
  type GuardFact,
  type PlanStep,
  type RunEvent,
  RunEventKind,
  StepKind,
} from "@vigie/proto";
import { commandLine } from "../../wording/command-line.js";
import { duration } from "../../wording/format.js";
import { runStatePaint, yesPaint } from "./paints.js";
import { indent, type Screen } from "./screen.js";
import { word } from "../../wording/words.js";

/** `cut-link answered (attempt 2) done: text (laurent)`; without the steps a wait is told as an act. */
export function runEventText(event: RunEvent, steps: readonly PlanStep[], screen: Screen): string {
  if (event.kind === RunEventKind.STEP_LOG)
    return screen.colour.dim(`${event.stepId} log: ${oneLine(event.text)}`);
  const step = event.stepId === "" ? "" : `${screen.colour.bold(event.stepId)} `;
  const state =
    event.kind === RunEventKind.ENDED ? ` ${runStatePaint(event.state, screen)(word(event.state))}` : "";
  const outcome = event.result === undefined ? "" : ` ${word(event.result.outcome)}`;
  const kind = kindText(event, steps, screen);
  const attempt = event.attempt > 1 && kind !== "" ? ` (attempt ${event.attempt})` : "";
  const said = oneLine(event.text);
  const text = said === "" || kind === "" ? said : `: ${said}`;
  const actor = event.actor === "" || event.actor === "engine" ? "" : screen.colour.dim(` (${event.actor})`);
  return `${step}${kind}${attempt}${outcome}${state}${text}${actor}`;
}

function kindText(event: RunEvent, steps: readonly PlanStep[], { colour }: Screen): string {
  const step = steps.find((it) => it.id === event.stepId);
  if (event.kind === RunEventKind.STEP_INTENT && step?.kind === StepKind.WAIT) return "is awaited";
  if (event.kind === RunEventKind.STEP_SKIPPED && event.text !== "") return ""; // "not needed: …", "skipped: …"
  const text = KIND_TEXTS[event.kind] ?? word(event.kind);
  const alarms = event.kind === RunEventKind.FROZEN || event.kind === RunEventKind.STEP_FAILED;
  return alarms ? colour.red(text) : text;
}

const KIND_TEXTS: Readonly<Partial<Record<RunEventKind, string>>> = {
  [RunEventKind.STEP_INTENT]: "is sent",
  [RunEventKind.STEP_RESULT]: "answered",
  [RunEventKind.STEP_VERIFIED]: "is seen in the world",
  [RunEventKind.STEP_FAILED]: "failed",
  [RunEventKind.STEP_WAITING]: "waits, it may take long",
  [RunEventKind.UNDO_STARTED]: "undo begins",
  [RunEventKind.RECOVERED]: "recovered after a restart",
  [RunEventKind.ABORT_ASKED]: "abort asked",
  [RunEventKind.FROZEN]: "FROZEN, nothing more is sent until a person has looked",
  [RunEventKind.RETRY_ASKED]: "is tried again",
  [RunEventKind.PAUSE_ASKED]: "pause asked, before the next step",
  [RunEventKind.RESUME_ASKED]: "goes on",
  [RunEventKind.TAKEN_OVER]: "taken over by hand",
  [RunEventKind.PERSON_SAID]: "is so, a person says",
};

/** The answer of an agent: the guard's facts, and what was run. */
export function resultLines(result: ActionResult | undefined, told: string, screen: Screen): string[] {
  if (result === undefined) return [];
  const said = [result.code, result.message].filter((it) => it !== "" && it !== told).join(": ");
  return [
    ...(said === "" ? [] : [said]),
    ...(result.jobId === 0 ? [] : [`Ganeti's job ${result.jobId}`]),
    ...(result.replayed ? ["the stored result of an earlier request"] : []),
    ...result.guard.map((it) => guardLine(it, screen)),
    ...result.commands.flatMap((it) => commandLines(it, screen)),
  ];
}

function guardLine(fact: GuardFact, screen: Screen): string {
  const verdict = yesPaint(fact.holds, screen)(fact.holds ? "holds  " : "REFUSED");
  return `${verdict}  ${fact.name}: ${fact.value}${fact.invariant === "" ? "" : ` (${fact.invariant})`}`;
}

function commandLines(command: CommandRun, screen: Screen): string[] {
  const end = command.exitCode < 0 ? endedBy(command) : `exit ${command.exitCode}`;
  const paint = yesPaint(command.exitCode === 0, screen);
  const output = command.output.trimEnd();
  return [
    `$ ${commandLine(command.argv)}`,
    indent(`${paint(end)}, ${duration(command.durationMs)}`),
    ...(output === "" ? [] : [indent(output, 4)]),
  ];
}

function endedBy({ signal }: CommandRun): string {
  return signal === "" ? "killed at its deadline, or not started" : `ended by ${signal}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
