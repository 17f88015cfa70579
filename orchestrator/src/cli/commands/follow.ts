/**
 * A run as it goes, until it has ended or waits for somebody. It is asked for again and again instead of streamed:
 * rows and progress come together, and after a lost connection nothing is missed. To stop following changes nothing.
 */
import { RunState, RunVerb, VigieError, type Run, type RunEvent } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, exitCodeOfRun, type ExitCode } from "../exit-codes.js";
import type { Invocation } from "../invocation.js";
import { sleep } from "../io.js";
import { followedEnd, followedProgress, followedRow } from "../render/followed.js";
import { askedOf, goesOn, isEnding } from "../../wording/progress.js";
import type { Screen } from "../render/screen.js";
import { printable } from "../../wording/printable.js";
import { runText } from "../../wording/subject.js";
import { tapeFor, type Tape } from "../render/tape.js";
import { isYes, type Person } from "./person.js";

const POLL_MS = 500;
const POLL_WAITING_MS = 2_000; // what takes hours
const LONGEST_PAUSE_MS = 5_000; // between attempts to reach the orchestrator again
const ROWS_AT_FIRST = 30;

export async function followRun(
  invocation: Invocation,
  api: Api,
  person: Person | undefined,
  id: string,
): Promise<ExitCode> {
  const { io, json } = invocation;
  const tape = tapeFor(io, invocation.screen);
  let told = 0; // sequence of the last row
  let first = true;
  while (!isStopped(invocation)) {
    const run = await look(invocation, api, tape, id, first);
    if (run === undefined) break;
    told = tellRows(invocation, tape, run, told, first);
    first = false;
    if (!goesOn(run.state) && !isEnding(run)) return tellEnd(invocation, tape, run);
    const asked = askedOf(run);
    if (asked !== undefined) {
      tape.end();
      const said = person !== undefined && (await isSo(person, asked.question));
      if (!said) return tellEnd(invocation, tape, run);
      await api.ask("controlRun", {
        runId: run.id,
        verb: RunVerb.CONFIRM,
        stepId: asked.step.id,
        reason: "",
      });
      continue;
    }
    if (!json) tape.progress(followedProgress(printable(run), screenNow(invocation)));
    await sleep(io, run.state === RunState.WAITING ? POLL_WAITING_MS : POLL_MS);
  }
  tape.end();
  if (!json) io.stdout.write(`\nNot followed any more; the run goes on. Come back: vigie run follow ${id}\n`);
  return EXIT.runWaits;
}

/** Undefined: interrupted. Only a connection that was there is worth waiting for. */
async function look(
  invocation: Invocation,
  api: Api,
  tape: Tape,
  id: string,
  first: boolean,
): Promise<Run | undefined> {
  const { io } = invocation;
  for (let pauseMs = POLL_MS; !isStopped(invocation); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const { run } = await api.ask("getRun", { id });
      if (run === undefined) throw new VigieError("NOT_FOUND", `there is no run ${id}`);
      return run;
    } catch (error) {
      if (first || !(error instanceof VigieError) || error.code !== "UNAVAILABLE") throw error;
      tape.end();
      if (pauseMs === POLL_MS) io.stderr.write(`vigie: ${error.message}; trying again\n`);
      await sleep(io, pauseMs);
    }
  }
  return undefined;
}

/** @returns the sequence of the newest row */
function tellRows(invocation: Invocation, tape: Tape, run: Run, told: number, first: boolean): number {
  const rows = run.events.filter((it) => it.sequence > told);
  if (first && !invocation.json)
    tape.line(`${invocation.screen.colour.bold(run.id)}  ${printable(runText(run.plan))}`);
  const skipped = first && !invocation.json ? Math.max(0, rows.length - ROWS_AT_FIRST) : 0;
  if (skipped > 0) tape.line(`… ${skipped} rows before: vigie run show ${run.id}`);
  for (const event of rows.slice(skipped)) tellRow(invocation, tape, run, event);
  return Math.max(told, ...rows.map((it) => it.sequence));
}

/** With --json as `vigie watch` tells it. */
function tellRow(invocation: Invocation, tape: Tape, run: Run, event: RunEvent): void {
  const change = { runId: run.id, runbook: run.plan?.runbook ?? "", state: run.state, event };
  if (invocation.json) invocation.showLine(change, () => "");
  else for (const line of followedRow(printable(event), run, screenNow(invocation))) tape.line(line);
}

function tellEnd(invocation: Invocation, tape: Tape, run: Run): ExitCode {
  tape.end();
  const { io, json } = invocation;
  if (!json) {
    const asked = askedOf(run);
    if (asked !== undefined) io.stdout.write(`\nIt waits for a person: ${printable(asked.question)}\n`);
    io.stdout.write(followedEnd(printable(run), screenNow(invocation)));
  }
  return exitCodeOfRun(run.state);
}

async function isSo(person: Person, question: string): Promise<boolean> {
  return isYes(await person.ask(`\n${printable(question)}\nIs it so? Type yes: `));
}

function screenNow({ screen, io }: Invocation): Screen {
  return { ...screen, now: io.now() };
}

function isStopped({ io }: Invocation): boolean {
  return io.signal?.aborted === true;
}
