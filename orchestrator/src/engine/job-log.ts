/** The lines that a Ganeti job has written and the run's log does not have yet. */
import {
  RunEventKind,
  type Condition,
  type GanetiJobFacts,
  type JobSucceeded,
  type RunEvent,
} from "@vigie/proto";

const TOLD_AT_MOST = 200;
/** What a job that waits for a resync writes every two seconds, for hours; the wait shows how far it is. */
const PROGRESS = /^- (?:progress: |device disk\/\d+: ).*%/;
const TEXT_CHARS = 500;

export interface LogLine {
  readonly serial: number;
  readonly text: string;
}

export function newLogLines(job: GanetiJobFacts, events: readonly RunEvent[], stepId: string): LogLine[] {
  const told = events.filter((e) => e.kind === RunEventKind.STEP_LOG && e.stepId === stepId);
  const last = Math.max(0, ...told.map((e) => e.logSerial));
  return job.log
    .filter(({ serial, text }) => serial > last && !PROGRESS.test(text.trim()))
    .slice(0, Math.max(0, TOLD_AT_MOST - told.length))
    .map(({ serial, text }) => ({ serial, text: text.trim().slice(0, TEXT_CHARS) }));
}

/** The job whose success a condition awaits, with or without more; undefined: none. */
export function jobIn(condition: Condition | undefined): JobSucceeded | undefined {
  const what = condition?.what;
  if (what?.$case === "jobSucceeded") return what.value;
  if (what?.$case !== "allOf") return undefined;
  return what.value.conditions.map(jobIn).find((job) => job !== undefined);
}
