/**
 * The steps of a plan as a person would do them: what to type, on which node, what to look for before and after. A
 * step that only takes another one back stands apart, because it is not on the way forward.
 */
import { StepKind, type Plan, type PlanStep } from "@vigie/proto";
import { conditionText } from "./condition-words.js";
import { count, duration } from "../../wording/format.js";
import { section, wrapped, type Screen } from "./screen.js";
import { forwardSteps } from "../../wording/progress.js";

const FACTS_AT = " ".repeat(7);

export function planStepLines(plan: Plan, screen: Screen): string[] {
  const forward = forwardSteps(plan);
  const takeBack = plan.steps.filter((it) => it.onlyAsUndo);
  return [
    ...section(
      count(forward.length, "step"),
      forward.flatMap((it, n) => stepLines(it, `${n + 1}.`, plan, screen)),
      screen,
    ),
    ...section(
      "Takes back, only if the run fails or is aborted",
      takeBack.flatMap((it) => [...stepLines(it, "-", plan, screen), ...takesBackLines(it, plan, screen)]),
      screen,
    ),
  ];
}

/** Commands are never cut or broken: they are meant to be compared, and to be pasted. */
function stepLines(step: PlanStep, mark: string, plan: Plan, screen: Screen): string[] {
  const { colour } = screen;
  const [first = "", ...rest] = wrapped(
    `${step.id} on ${step.node || "the master"}: ${step.title}`,
    screen,
    `  ${mark} `.padEnd(5),
    FACTS_AT,
  );
  const irreversible = "IRREVERSIBLE: once it ran, a failure freezes the run for a person";
  return [
    first.replace(step.id, colour.bold(step.id)),
    ...rest,
    ...(step.irreversible ? wrapped(irreversible, screen, FACTS_AT).map((it) => colour.red(it)) : []),
    ...factLines("if seen", conditionText(step.onlyIf), screen),
    ...step.manualCommands.map((it) => `${FACTS_AT}${colour.cyan(it)}`),
    ...factLines("not sent where", conditionText(step.holds), screen),
    ...factLines("needs", conditionText(step.requires), screen),
    ...step.premises.flatMap((premise) => factLines("only while", conditionText(premise), screen)),
    ...awaitsLines(step, screen),
    ...factLines("undo", undoText(step, plan), screen),
  ];
}

function factLines(name: string, value: string, screen: Screen): string[] {
  return value === "" ? [] : wrapped(`${name}: ${value}`, screen, FACTS_AT, `${FACTS_AT}  `);
}

function awaitsLines(step: PlanStep, screen: Screen): string[] {
  const what = step.condition?.what;
  if (what?.$case === "personSays") return factLines("asks a person", what.value.question, screen);
  const text = conditionText(step.condition);
  if (text === "") return [];
  const limit = step.deadlineMs === 0 ? "without a limit" : `within ${duration(step.deadlineMs)}`;
  return factLines("awaits", `${text}, ${limit}`, screen);
}

function undoText(step: PlanStep, plan: Plan): string {
  if (step.undoStepId === "") {
    if (step.irreversible || step.onlyAsUndo) return "";
    return step.kind === StepKind.WAIT ? "" : "nothing to take back";
  }
  const index = forwardSteps(plan).findIndex((it) => it.id === step.undoStepId);
  const kind = step.action?.kind;
  const expiry =
    kind?.$case === "cutDrbdLink" ? `; the kernel drops the cut by itself after ${kind.value.ttlS} s` : "";
  return `${step.undoStepId} (${index < 0 ? "below" : `step ${index + 1}`})${expiry}`;
}

function takesBackLines(undo: PlanStep, plan: Plan, screen: Screen): string[] {
  const of = plan.steps.filter((it) => it.undoStepId === undo.id).map((it) => it.id);
  return factLines("takes back", of.join(", "), screen);
}
