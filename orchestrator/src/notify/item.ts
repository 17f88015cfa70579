/** What a message says of one incident, run or channel, in lines that a person reads. Pure. */
import {
  IncidentState,
  MessageItem,
  RunState,
  Severity,
  type Evidence,
  type Incident,
  type Plan,
  type Run,
} from "@vigie/proto";
import { ageText, DRBD_FACTS } from "../wording/drbd-facts.js";
import { offset } from "../wording/format.js";
import { APPROVAL_WITHIN_MS, incidentStep, personsStep } from "../wording/next-step.js";
import { printable } from "../wording/printable.js";
import { forwardSteps } from "../wording/progress.js";
import { runText, subjectText } from "../wording/subject.js";
import type { Part } from "./grouping.js";

const LINES_MAX = 40; // of a plan, of evidence
const DONE_MAX = 8;
const LINE_MAX = 500; // characters

/** @param run the incident's own; undefined: it has none, or it cannot be read */
export function incidentItem(incident: Incident, run: Run | undefined, part: Part): MessageItem {
  const { id, severity, kind, state, subject, summary, openedUnixMs, closedUnixMs, decision } = incident;
  const over = state === IncidentState.CLOSED;
  const open = run !== undefined && !over && OPEN.has(run.state) ? run : undefined;
  const step = over ? undefined : incidentStep(incident, open);
  return cut({
    about: id,
    causes: [...part.causes],
    severity,
    kind,
    state,
    subject,
    title: subjectText(subject),
    summary,
    sinceUnixMs: openedUnixMs,
    closedUnixMs,
    evidence: incident.evidence.map(evidenceLine),
    decision: [...decision],
    done: doneLines(incident),
    runId: incident.runId,
    plan: open?.plan === undefined ? [] : planLines(open.plan),
    command: step?.command ?? "",
    commandWhy: step?.why ?? "",
    commandUntilUnixMs: untilUnixMs(open),
  });
}

export function runItem(run: Run, part: Part): MessageItem {
  const step = personsStep(run) ?? { command: `vigie run show ${run.id}`, why: "it is paused" };
  const last = run.events.at(-1);
  return cut({
    ...emptyItem(part),
    title: runText(run.plan),
    summary: `run ${run.id} stopped for a person${last === undefined || last.text === "" ? "" : `: ${last.text}`}`,
    sinceUnixMs: last?.unixMs ?? part.firstUnixMs,
    done: run.events.slice(-DONE_MAX).map((it) => `${it.stepId} ${it.text}`.trim()),
    runId: run.id,
    plan: run.plan === undefined ? [] : planLines(run.plan),
    command: step.command,
    commandWhy: step.why,
  });
}

/** Of another channel; or of what is in the store no more, or cannot be read there. */
export function plainItem(part: Part): MessageItem {
  return cut({
    ...emptyItem(part),
    title: part.about,
    summary: part.text === "" ? "its row in the store cannot be read" : part.text,
    sinceUnixMs: part.firstUnixMs,
    command: "vigie status",
    commandWhy: "what else is wrong",
  });
}

/** As an incident of the command line shows it, one end a line. */
export function evidenceLine({ node, ageMs, drbd, stillMs, text }: Evidence): string {
  const end = { node, drbd, ageMs, stillMs, text };
  const facts =
    drbd === undefined
      ? []
      : DRBD_FACTS.flatMap(([name, value]) => {
          const said = value(drbd, end);
          return said === undefined ? [] : [`${name} ${said}`];
        });
  const said = [...facts, text, `read ${ageText(end)} before`].filter((it) => it !== "");
  return `${node}: ${said.join(", ")}`;
}

const OPEN: ReadonlySet<RunState> = new Set([
  RunState.AWAITING_APPROVAL,
  RunState.RUNNING,
  RunState.WAITING,
  RunState.PAUSED,
  RunState.UNDOING,
  RunState.FROZEN,
]);

function untilUnixMs(run: Run | undefined): number {
  const awaits = run?.state === RunState.AWAITING_APPROVAL ? run.plan : undefined;
  return awaits === undefined ? 0 : awaits.plannedUnixMs + APPROVAL_WITHIN_MS;
}

function planLines(plan: Plan): string[] {
  return forwardSteps(plan).flatMap((step, n) => [
    `${n + 1}. ${step.id} on ${step.node || "the master"}: ${step.title}`,
    ...step.manualCommands.map((it) => `   ${it}`),
  ]);
}

function doneLines({ events, openedUnixMs }: Incident): string[] {
  return events.slice(-DONE_MAX).map((it) => `${offset(it.unixMs, openedUnixMs)} ${it.text}`);
}

function emptyItem(part: Part): MessageItem {
  return MessageItem.create({ about: part.about, causes: [...part.causes], severity: Severity.CRITICAL });
}

/** What came out of a kernel's log must neither move a cursor nor fill a mailbox. */
function cut(item: MessageItem): MessageItem {
  const lines = (all: readonly string[]): string[] => {
    const kept = all.slice(0, LINES_MAX).map(line);
    return all.length > LINES_MAX ? [...kept, `and ${all.length - LINES_MAX} lines more`] : kept;
  };
  return printable({
    ...item,
    title: line(item.title),
    summary: line(item.summary),
    evidence: lines(item.evidence),
    decision: lines(item.decision),
    done: lines(item.done),
    plan: lines(item.plan),
  });
}

function line(text: string): string {
  const one = text.replaceAll(/\s*[\r\n]+\s*/g, " ");
  return one.length > LINE_MAX ? `${one.slice(0, LINE_MAX)}…` : one;
}
