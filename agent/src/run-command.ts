/**
 * The only place in the agent that starts a process (I36): argv, no shell, an empty environment, a deadline and an
 * output cap. A child that sits in the kernel (state D) cannot be killed; after its deadline it is given up as
 * hung, kept in a list that every report shows, and its resource is refused until it ends (I37).
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { HungCommand } from "@vigie/proto";
import type { Command, CommandOutcome } from "./host.js";
import { whyNotTrusted } from "./trusted-program.js";

const OUTPUT_CAP_BYTES = 4 * 1024 * 1024;
const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
const KILL_GRACE_MS = 1_000; // after SIGKILL: a child that has not ended by then is in the kernel's hands

const NOT_STARTED: CommandOutcome = {
  end: "not-started",
  exitCode: -1,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 0,
};

interface HungChild {
  readonly command: Command;
  readonly pid: number;
  readonly startedMs: number;
}

const hung = new Set<HungChild>();

/** Children past their deadline that have not ended. */
export function hungCommands(nowMs: number): HungCommand[] {
  return [...hung].map((child) => ({
    argv: [child.command.file, ...child.command.args],
    pid: child.pid,
    sinceMs: nowMs - child.startedMs,
    processState: processState(child.pid),
  }));
}

/** @returns how the command ended; never rejects */
export function runCommand(command: Command, monotonicMs: () => number): Promise<CommandOutcome> {
  const problem = whyNotTrusted(command.file);
  if (problem !== "") return Promise.resolve({ ...NOT_STARTED, stderr: `it is not run: ${problem} (I36)` });
  return new Promise((resolve) => {
    const startedMs = monotonicMs();
    const child = spawn(command.file, [...command.args], {
      env: { ...ENVIRONMENT, ...command.environment },
      cwd: "/",
      stdio: [command.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true, // its own process group: killed with its children
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const asHung: HungChild = { command, pid: child.pid ?? -1, startedMs };
    const ended = Promise.withResolvers<void>();
    let timedOut = false;
    let graceTimer: NodeJS.Timeout | undefined;
    const deadline = setTimeout(() => {
      timedOut = true;
      kill();
    }, command.timeoutMs);
    command.endedBy?.addEventListener("abort", kill, { once: true });
    if (command.endedBy?.aborted === true) kill(); // an event that has been is not told again

    child.on("error", (error) => settle("not-started", -1, error.message));
    child.on("close", (code, signal) => {
      hung.delete(asHung); // it may end long after it was given up
      ended.resolve();
      if (timedOut) settle("timed-out", -1);
      else if (code === null) settle("signalled", -1, undefined, signal ?? "an unknown signal");
      else settle("exited", code);
    });
    child.stdin?.on("error", () => undefined); // it ended without reading: its exit code tells
    if (command.input !== undefined) child.stdin?.end(command.input);

    function kill(): void {
      killGroup(child.pid);
      graceTimer = setTimeout(giveUp, KILL_GRACE_MS);
    }

    function giveUp(): void {
      hung.add(asHung);
      child.unref();
      settle("hung", -1);
    }

    /** The first call counts: a promise resolves once. */
    function settle(end: CommandOutcome["end"], exitCode: number, problem?: string, signal?: string): void {
      clearTimeout(deadline);
      clearTimeout(graceTimer);
      command.endedBy?.removeEventListener("abort", kill);
      resolve({
        end,
        exitCode,
        ...(signal === undefined ? {} : { signal }),
        ...(end === "hung" ? { ended: ended.promise } : {}),
        stdout: stdout.text(),
        stderr: problem ?? stderr.text(),
        truncated: stdout.truncated() || stderr.truncated(),
        durationMs: monotonicMs() - startedMs,
      });
    }
  });
}

function collect(stream: NodeJS.ReadableStream | null): { text: () => string; truncated: () => boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= OUTPUT_CAP_BYTES) chunks.push(chunk);
  });
  stream?.on("error", () => undefined); // the close event tells
  return {
    text: () => Buffer.concat(chunks).toString("utf8"),
    truncated: () => bytes > OUTPUT_CAP_BYTES,
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it ended in between
  }
}

/** The letter after the name in /proc/PID/stat: "D" is uninterruptible; "?" where it is gone. */
function processState(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return "?";
  }
}
