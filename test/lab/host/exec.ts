/**
 * The lab's only way to run a program on the host. Everything that spawns goes through here, so that a
 * deadline, an exit code and the program's own words are never lost.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number; // 124 after a time-out, 128 when a signal ended it
}

export interface RunOptions {
  /** Then it is killed with SIGKILL. A program that it started elsewhere (over ssh) may go on. */
  readonly timeoutMs?: number;
  /** Resolve, instead of reject, on a non-zero exit or a time-out. */
  readonly allowFailure?: boolean;
  /** What the program reads: text, or a file of the host. Nothing (end of file) when absent. */
  readonly input?: string | { readonly file: string };
  readonly env?: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 60_000;

export class HostCommandFailed extends Error {
  override readonly name = "HostCommandFailed";
  readonly ran: Ran;

  constructor(argv: readonly string[], ran: Ran) {
    const words = (ran.stderr.trim() || ran.stdout.trim()).split("\n").slice(-12).join("\n");
    super(`exit ${String(ran.exitCode)} from ${argv.join(" ").slice(0, 400)}\n${words}`);
    this.ran = ran;
  }
}

/** Run a program of the host to its end, its output kept as text. */
export async function runHost(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await collect(argv, options);
  if (ran.exitCode !== 0 && options.allowFailure !== true) throw new HostCommandFailed(argv, ran);
  return ran;
}

function collect(argv: readonly string[], options: RunOptions): Promise<Ran> {
  const [file = "", ...args] = argv;
  const input = options.input;
  const source = typeof input === "object" ? openSync(input.file, "r") : undefined;
  const env = { ...process.env, LC_ALL: "C.UTF-8", ...options.env };
  const child = spawn(file, args, { env, stdio: [source ?? "pipe", "pipe", "pipe"] });
  if (source !== undefined) closeSync(source);

  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin?.on("error", () => undefined); // it ended without reading: its exit code tells
  child.stdin?.end(typeof input === "string" ? input : "");

  return new Promise((resolve, reject) => {
    let timedOut = false;
    const deadline = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    child.on("error", (cause) => {
      clearTimeout(deadline);
      reject(new Error(`cannot run ${file}`, { cause }));
    });
    child.on("close", (code) => {
      clearTimeout(deadline);
      const stderr = Buffer.concat(err).toString() + (timedOut ? "\nkilled at its deadline" : "");
      const exitCode = timedOut ? 124 : (code ?? 128);
      resolve({ stdout: Buffer.concat(out).toString(), stderr, exitCode });
    });
  });
}

/** Run a program with this terminal as its input and output, as `lab ssh h1` does. */
export function runAttached(argv: readonly string[]): Promise<number> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
}

/** Runs a program and hands on each line of its output. @returns ends it */
export function streamLines(argv: readonly string[], onLine: (line: string) => void): () => void {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
  createInterface({ input: child.stdout }).on("line", onLine);
  child.on("error", () => undefined); // no lines come: who waits for them has a deadline
  return () => void child.kill();
}

/**
 * Start a program that outlives this one: own session, no terminal, output into a file.
 *
 * @returns its process id, which is also its session's and its process group's
 */
export function startDetached(argv: readonly string[], logFile: string, cwd: string): number {
  const [file = "", ...args] = argv;
  const log = openSync(logFile, "a");
  const child = spawn(file, args, { cwd, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.on("error", () => undefined); // seen by the caller as a process that is not there
  child.unref();
  if (child.pid === undefined) throw new Error(`cannot start ${file}`);
  return child.pid;
}
