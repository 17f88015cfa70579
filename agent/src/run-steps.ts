/** Runs an action's steps one after the other, up to the first that does not end well, and keeps what each did. */
import { ActionOutcome, CommandRun, explain, type ActionResult } from "@vigie/proto";
import { stepArgv, type ActionStep, type Look, type WriteStep } from "./actions/action.js";
import type { CommandOutcome } from "./host.js";
import { redact } from "./redact.js";

const OUTPUT_KEPT_CHARS = 4096;
const WRITE_TIMEOUT_MS = 20_000; // a disk that is deleted is flushed first, and a dead one makes that wait

/** What was run so far, in order: as it is kept, and whole. */
export interface Ran {
  readonly commands: CommandRun[];
  readonly outcomes: CommandOutcome[];
}

/** @returns how the first step that did not end well ended, or undefined when all did or were needless */
export async function runSteps(
  steps: readonly ActionStep[],
  look: Look,
  ran: Ran,
): Promise<Partial<ActionResult> | undefined> {
  for (const step of steps) {
    if (step.needed !== undefined && !(await step.needed(look))) continue;
    if ("run" in step && step.unless !== undefined && (await look.host.run(step.unless)).exitCode === 0)
      continue;
    const outcome = "run" in step ? await look.host.run(step.run) : await write(step, look);
    ran.commands.push(commandRun(step, outcome));
    ran.outcomes.push(outcome);
    if (outcome.end === "exited" && outcome.exitCode === 0) continue;
    return stepFailed(step, outcome);
  }
  return undefined;
}

/** A write that does not come back sits in the kernel like a command that cannot be killed (I37). */
async function write({ write: { attribute, text } }: WriteStep, look: Look): Promise<CommandOutcome> {
  const { device, host } = look;
  const startedMs = host.monotonicMs();
  const stop = new AbortController();
  const writing =
    device === undefined ? Promise.reject(new Error("the disk is not open")) : device.write(attribute, text);
  const written = writing.then(
    () => ({ end: "exited" as const, exitCode: 0, stderr: "" }),
    (error: unknown) => ({ end: "exited" as const, exitCode: 1, stderr: explain(error) }),
  );
  const late = host
    .sleep(WRITE_TIMEOUT_MS, stop.signal)
    .then(() => ({ end: "hung" as const, exitCode: -1, stderr: "" }));
  const how = await Promise.race([written, late]);
  stop.abort(null);
  return { ...how, stdout: "", truncated: false, durationMs: host.monotonicMs() - startedMs };
}

function stepFailed(step: ActionStep, outcome: CommandOutcome): Partial<ActionResult> {
  const what = stepArgv(step).join(" ");
  switch (outcome.end) {
    case "exited":
    case "not-started":
      return {
        outcome: ActionOutcome.FAILED,
        code: "COMMAND_FAILED",
        message: `${what}: ${outcome.stderr.trim() || `exit ${outcome.exitCode}`}`,
      };
    case "signalled":
      return {
        outcome: ActionOutcome.UNKNOWN,
        code: "COMMAND_FAILED",
        message: `${what}: ended by ${outcome.signal ?? "a signal"}, and not by itself`,
      };
    case "timed-out":
      return {
        outcome: ActionOutcome.UNKNOWN,
        code: "COMMAND_TIMED_OUT",
        message: `${what}: killed after ${"run" in step ? step.run.timeoutMs : WRITE_TIMEOUT_MS} ms`,
      };
    case "hung":
      return {
        outcome: ActionOutcome.UNKNOWN,
        code: "COMMAND_HUNG",
        message: `${what}: cannot be killed; it sits in the kernel`,
      };
  }
}

function commandRun(step: ActionStep, outcome: CommandOutcome): CommandRun {
  const output = redact(`${outcome.stdout}${outcome.stderr}`).slice(0, OUTPUT_KEPT_CHARS);
  return CommandRun.create({
    argv: stepArgv(step),
    exitCode: outcome.exitCode,
    output,
    durationMs: Math.round(outcome.durationMs),
    signal: outcome.signal ?? "",
  });
}
