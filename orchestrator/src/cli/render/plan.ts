/**
 * The dry run. It shows the same frozen data that the engine performs, so what is read here and approved by hash is
 * what runs (I32). Commands are never cut: they are meant to be compared, and to be pasted.
 */
import { Condition, type DrbdEnd, type Plan, type PlanStep, type Run, StepKind } from "@vigie/proto";
import { count, dateTime, duration } from "./format.js";
import { section, type Screen } from "./screen.js";
import { endText } from "./subject.js";
import { word } from "./words.js";

export function renderPlan(run: Run, screen: Screen): string {
  const { plan } = run;
  if (plan === undefined) return `Run ${run.id} has no plan.\n`;
  const lines = [
    `${screen.colour.bold(run.id)}  ${plan.runbook} (version ${plan.runbookVersion}) for ${screen.colour.bold(endText(plan.end))}`,
    ...headLines(plan, screen),
    ...section(
      count(plan.steps.length, "step"),
      plan.steps.flatMap((it, n) => stepLines(it, n, plan, screen)),
      screen,
    ),
    ...section(
      screen.colour.red("It cannot be run"),
      plan.refusals.map((it) => `  - ${it}`),
      screen,
    ),
    ...section("Next", nextLines(run.id, plan), screen),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines(plan: Plan, screen: Screen): string[] {
  const facts: (readonly [string, string])[] = [
    ["acts on", endFacts(plan.end)],
    ["peer", endFacts(plan.peerEnd)],
    ["incident", plan.incidentId === "" ? "none: asked for by a person" : plan.incidentId],
    [
      "planned",
      `${dateTime(plan.plannedUnixMs, screen.timeZone)}, configuration serial ${plan.configSerial}`,
    ],
    ["hash", plan.hash],
  ];
  return facts.filter(([, value]) => value !== "").map(([name, value]) => `  ${name.padEnd(8)}  ${value}`);
}

function endFacts(end: DrbdEnd | undefined): string {
  if (end === undefined) return "";
  const link = `${end.localAddress} to ${end.peerAddress}, TCP port ${end.port}`;
  return `${end.node}, minor ${end.minor}, ${end.dataLv === "" ? "" : `${end.dataLv}, `}${link}`;
}

function stepLines(step: PlanStep, index: number, plan: Plan, screen: Screen): string[] {
  const { colour } = screen;
  const commands = step.manualCommands.map((it) => `       ${colour.cyan(it)}`);
  const facts = [
    ["awaits", conditionText(step)],
    ["undo", undoText(step, plan)],
  ] as const;
  return [
    `  ${index + 1}. ${colour.bold(step.id)} on ${step.node}: ${step.title}`,
    ...commands,
    ...facts.filter(([, value]) => value !== "").map(([name, value]) => `       ${name}: ${value}`),
  ];
}

const CONDITION_TEXTS: Readonly<Partial<Record<Condition, string>>> = {
  [Condition.CUT_STANDS]: "the cut in the kernel's own list",
  [Condition.LINK_DOWN]: "both ends in WFConnection",
  [Condition.CUT_GONE]: "no cut in the kernel's own list",
  [Condition.RESYNC_MOVES]: "both ends connected, and in sync or progressing",
};

function conditionText(step: PlanStep): string {
  if (step.condition === Condition.UNSPECIFIED) return "";
  return `${CONDITION_TEXTS[step.condition] ?? word(step.condition)}, within ${duration(step.deadlineMs)}`;
}

function undoText(step: PlanStep, plan: Plan): string {
  if (step.undoStepId === "") return step.kind === StepKind.WAIT ? "" : "nothing to take back";
  const index = plan.steps.findIndex((it) => it.id === step.undoStepId);
  const expiry =
    step.action?.$case === "cutDrbdLink"
      ? `; the kernel drops the cut by itself after ${step.action.value.ttlS} s`
      : "";
  return `${step.undoStepId}${index < 0 ? "" : ` (step ${index + 1})`}${expiry}`;
}

function nextLines(runId: string, plan: Plan): string[] {
  if (plan.refusals.length > 0) return ["  Nothing was run. Plan again when the reasons above are gone."];
  return ["  Nothing was run. To run exactly this:", `  vigie approve ${runId} --hash ${plan.hash}`];
}
