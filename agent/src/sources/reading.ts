/** What every source does around its parser: tell absent from failed, and run one command that must succeed. */
import { createHash } from "node:crypto";
import { VigieError } from "@vigie/proto";
import type { Command, CommandOutcome, Host } from "../host.js";
import type { Reading } from "./source.js";

/**
 * A file that does not exist makes the source absent; any other trouble makes it failed.
 * @throws VigieError SOURCE_FAILED
 */
export async function readOrAbsent(read: () => Promise<Reading>, reason: string): Promise<Reading> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error)) return { state: "absent", reason };
    if (error instanceof VigieError) throw error;
    throw new VigieError("SOURCE_FAILED", "the source could not be read", { cause: error });
  }
}

/** There is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT";
}

/**
 * For texts that are long, are read often and seldom change: parsed once, and then answered as before for as long as
 * they are the same. The texts themselves are not kept, for they may hold secrets.
 */
export function parsedOnce<T, A extends readonly string[]>(parse: (...texts: A) => T): (...texts: A) => T {
  let known = "";
  let parsed: { readonly value: T } | undefined;
  return (...texts) => {
    const digests = texts.map((text) => createHash("sha256").update(text).digest("base64")).join();
    if (parsed === undefined || digests !== known) parsed = { value: parse(...texts) };
    known = digests;
    return parsed.value;
  };
}

/** The errno of a rejected read, "" where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * @returns the outcome of a command that ended by itself, whatever its exit code
 * @throws VigieError COMMAND_TIMED_OUT, COMMAND_HUNG, COMMAND_FAILED (by a signal), SOURCE_FAILED (not there, or too much output)
 */
export async function runToEnd(host: Host, command: Command): Promise<CommandOutcome> {
  const outcome = await host.run(command);
  const name = [command.file, ...command.args.slice(0, 1)].join(" ");
  if (outcome.end === "timed-out") throw new VigieError("COMMAND_TIMED_OUT", `${name} did not end in time`);
  if (outcome.end === "hung") throw new VigieError("COMMAND_HUNG", `${name} hangs in the kernel`);
  if (outcome.end === "not-started") {
    throw new VigieError("SOURCE_FAILED", `${name} could not be started`, {
      cause: new Error(outcome.stderr),
    });
  }
  if (outcome.end === "signalled")
    throw new VigieError("COMMAND_FAILED", `${name} was ended by ${outcome.signal ?? "a signal"}`);
  if (outcome.truncated) throw new VigieError("SOURCE_FAILED", `${name} printed more than is read`);
  return outcome;
}

/**
 * @returns stdout of a command that must exit 0
 * @throws VigieError as runToEnd, and COMMAND_FAILED with its exit code and its first line of stderr
 */
export async function runForOutput(host: Host, command: Command): Promise<string> {
  const outcome = await runToEnd(host, command);
  if (outcome.exitCode === 0) return outcome.stdout;
  throw commandFailed(command, outcome);
}

export function commandFailed(command: Command, outcome: CommandOutcome): VigieError {
  const said = outcome.stderr.trim().split("\n", 1)[0] ?? "";
  const name = [command.file, ...command.args.slice(0, 1)].join(" ");
  return new VigieError("COMMAND_FAILED", `${name} exited with ${outcome.exitCode}: ${said.slice(0, 200)}`, {
    details: { exitCode: outcome.exitCode },
  });
}

/** A tool that is not installed makes the source absent. */
export async function absentTool(read: () => Promise<Reading>, reason: string): Promise<Reading> {
  try {
    return await read();
  } catch (error) {
    if (isNotInstalled(error)) return { state: "absent", reason };
    throw error;
  }
}

/** runToEnd's refusal of a command whose file is not there. */
export function isNotInstalled(error: unknown): boolean {
  const cause = error instanceof VigieError && error.code === "SOURCE_FAILED" ? error.cause : undefined;
  return cause instanceof Error && cause.message.includes("ENOENT");
}
