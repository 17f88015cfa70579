/** Runs one step of an action, and says how it ended. Whether it may be run is asked by run-action.ts. */
import { ActionOutcome, CommandRun, explain, VigieError, type ActionResult } from "@vigie/proto";
import { stepArgv, type ActionStep, type Look, type WriteStep } from "./actions/action.js";
import type { Command, CommandOutcome } from "./host.js";
import { redact } from "./redact.js";

const OUTPUT_KEPT_CHARS = 4096;
const ASKED_EVERY_MS = 300;
const WRITE_TIMEOUT_MS = 20_000; // a disk that is deleted is flushed first, and a dead one makes that wait

/** What was run so far, in order: as it is kept, and whole. */
export interface Ran {
  readonly commands: CommandRun[];
  readonly outcomes: CommandOutcome[];
}

/** Found out by looks and questions, which change nothing. */
export async function isNeeded(step: ActionStep, look: Look): Promise<boolean> {
  if (step.needed !== undefined && !(await step.needed(look))) return false;
  if (!("run" in step)) return true;
  if (step.unless !== undefined && (await isYes(step.unless, look))) return false;
  return step.onlyIf === undefined || isYes(step.onlyIf, look);
}

/** No answer is neither yes nor no (I11). @throws VigieError SOURCE_FAILED */
async function isYes(question: Command, { host }: Look): Promise<boolean> {
  const { end, exitCode, stderr } = await host.run(question);
  if (end === "exited") return exitCode === 0;
  const name = [question.file, ...question.args].join(" ");
  throw new VigieError("SOURCE_FAILED", `${name} did not answer (${end}) ${stderr}`.trim());
}

/**
 * @param mayRun asked again and again beside a command that acts by itself for long: it is killed where it rejects
 * @returns how it ended where it did not end well
 */
export async function runStep(
  step: ActionStep,
  look: Look,
  ran: Ran,
  mayRun: () => Promise<void>,
): Promise<Partial<ActionResult> | undefined> {
  const outcome =
    "run" in step
      ? step.actsByItself === true
        ? await runWhile(mayRun, step.run, look)
        : await look.host.run(step.run)
      : await write(step, look);
  ran.commands.push(commandRun(step, outcome));
  ran.outcomes.push(outcome);
  if (step.optional === true || (outcome.end === "exited" && outcome.exitCode === 0)) return undefined;
  return stepFailed(step, outcome);
}

/** What is forbidden before a command is forbidden in its middle too, where it goes on to begin new things (I26, I33). */
async function runWhile(
  mayRun: () => Promise<void>,
  command: Command,
  { host }: Look,
): Promise<CommandOutcome> {
  const over = new AbortController();
  const forbidden = new AbortController();
  void watch();
  try {
    return await host.run({ ...command, endedBy: forbidden.signal });
  } finally {
    over.abort(null);
  }

  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      await host.sleep(ASKED_EVERY_MS, over.signal).catch(() => undefined);
      if (over.signal.aborted) return;
      await mayRun().catch(() => forbidden.abort(null));
    }
  }
}

/** A write that does not come back sits in the kernel like a command that cannot be killed (I37). */
async function write(step: WriteStep, { device, host }: Look): Promise<CommandOutcome> {
  const startedMs = host.monotonicMs();
  const stop = new AbortController();
  const written = writeThrough(step, device, host).then(
    () => ({ end: "exited" as const, exitCode: 0, stderr: "" }),
    (error: unknown) => ({ end: "exited" as const, exitCode: 1, stderr: explain(error) }),
  );
  const ended = written.then(() => undefined);
  const late = host
    .sleep(WRITE_TIMEOUT_MS, stop.signal)
    .then(() => ({ end: "hung" as const, exitCode: -1, stderr: "", ended }));
  const how = await Promise.race([written, late]);
  stop.abort(null);
  return { ...how, stdout: "", truncated: false, durationMs: host.monotonicMs() - startedMs };
}

/** Begun at once: nothing is waited for before it. */
function writeThrough(
  { write: { attribute, text }, path }: WriteStep,
  device: Look["device"],
  host: Look["host"],
): Promise<void> {
  if (attribute === undefined) return host.writeFile(path, text);
  return device?.write(attribute, text) ?? Promise.reject(new Error("the disk is not open"));
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
