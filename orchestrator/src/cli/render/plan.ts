/**
 * The dry run. It shows the same frozen data that the engine performs, so what is read here and approved by hash is
 * what runs (I32).
 */
import { RunState, type Plan, type Run } from "@vigie/proto";
import { commandFor } from "../../wording/command-line.js";
import { count, dateTime, timeOfDay } from "../../wording/format.js";
import { APPROVAL_WITHIN_MS } from "../../wording/next-step.js";
import { forwardSteps } from "../../wording/progress.js";
import { planStepLines } from "./plan-steps.js";
import { section, wrapped, type Screen } from "./screen.js";
import { runText } from "../../wording/subject.js";

export function renderPlan(run: Run, screen: Screen): string {
  if (run.plan === undefined) return `Run ${run.id} has no plan.\n`;
  const next = section("Next", nextLines(run, run.plan, screen), screen);
  return [renderPlanAlone(run, screen), ...next.map((it) => `${it}\n`)].join("");
}

/** Without what to type next: it is asked about at once. */
export function renderPlanAlone(run: Run, screen: Screen): string {
  const { plan } = run;
  if (plan === undefined) return `Run ${run.id} has no plan.\n`;
  const { colour } = screen;
  const lines = [
    `${colour.bold(run.id)}  ${runText(plan)}`,
    ...headLines(plan, screen),
    ...section(colour.yellow("Know this first"), bullets(warnings(plan), screen), screen),
    ...planStepLines(plan, screen),
    ...section(colour.red("It cannot be run"), bullets(plan.refusals, screen), screen),
    ...section(
      "The way out",
      plan.wayOut.map((it) => `  ${it}`),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines(plan: Plan, screen: Screen): string[] {
  const serials = plan.configSerials.map((it) => `${it.kind} ${it.name} at serial ${it.serial}`);
  const runs = plan.refusals.length === 0;
  const facts: (readonly [string, string])[] = [
    ["runbook", `${plan.runbook}, version ${plan.runbookVersion}`],
    ["with", plan.parameters.map(({ name, value }) => `${name}=${value}`).join(", ")],
    ["incident", plan.incidentId === "" ? "none: asked for by a person" : plan.incidentId],
    ["planned", dateTime(plan.plannedUnixMs, screen.timeZone)],
    ["made of", serials.join(", ")],
    ["locks", runs ? plan.locks.join(", ") : ""],
    ["hash", runs ? plan.hash : ""],
  ];
  return facts
    .filter(([, value]) => value !== "")
    .flatMap(([name, value]) => wrapped(value, screen, `  ${name.padEnd(8)}  `));
}

/** What the runbook says of this case, and what can be read off the plan. */
export function warnings(plan: Plan): string[] {
  if (plan.refusals.length > 0) return [...plan.notes];
  const steps = forwardSteps(plan);
  const final = steps.filter((it) => it.irreversible).map((it) => `${steps.indexOf(it) + 1} (${it.id})`);
  const waits = steps.filter((it) => it.deadlineMs === 0).length;
  return [
    ...plan.notes,
    ...(plan.destructive ? ["data, redundancy or service may suffer where it goes wrong"] : []),
    ...(final.length === 0
      ? []
      : [`${final.length === 1 ? "step" : "steps"} ${final.join(", ")} cannot be taken back`]),
    ...(waits === 0 ? [] : [`${count(waits, "step")} may wait for hours or days`]),
    ...(plan.typedWord === "" ? [] : [`to approve it, a person types: ${plan.typedWord}`]),
  ];
}

function bullets(texts: readonly string[], screen: Screen): string[] {
  return texts.flatMap((it) => wrapped(it, screen, "  - "));
}

function nextLines(run: Run, plan: Plan, screen: Screen): string[] {
  if (plan.refusals.length > 0)
    return ["  Nothing was run, and nothing is kept. Plan again when the reasons above are gone."];
  if (run.state === RunState.PLANNED)
    return ["  Nothing was run, and nothing is kept. To plan it again and run it:", `  ${commandFor(plan)}`];
  if (run.state !== RunState.AWAITING_APPROVAL) return [`  vigie run show ${run.id}`];
  const until = timeOfDay(plan.plannedUnixMs + APPROVAL_WITHIN_MS, screen.timeZone);
  const word = plan.typedWord === "" ? "" : " --word WORD";
  return [
    `  Nothing was run. To run exactly this, until ${until}:`,
    `  vigie approve ${run.id} --hash ${plan.hash}${word}`,
  ];
}
