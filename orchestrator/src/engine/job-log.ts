/** The lines that a Ganeti job has written and the run's log does not have yet. */
import { RunEventKind, type GanetiJobFacts, type RunEvent } from "@vigie/proto";

const TOLD_AT_MOST = 200; // a job that waits for a resync tells its percentage every two seconds, for hours
const TEXT_CHARS = 500;

export interface LogLine {
  readonly serial: number;
  readonly text: string;
}

export function newLogLines(job: GanetiJobFacts, events: readonly RunEvent[], stepId: string): LogLine[] {
  const told = events.filter((e) => e.kind === RunEventKind.STEP_LOG && e.stepId === stepId);
  const last = Math.max(0, ...told.map((e) => e.logSerial));
  return job.log
    .filter(({ serial }) => serial > last)
    .slice(0, Math.max(0, TOLD_AT_MOST - told.length))
    .map(({ serial, text }) => ({ serial, text: text.trim().slice(0, TEXT_CHARS) }));
}
