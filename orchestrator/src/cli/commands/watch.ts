/**
 * `vigie watch`: events as they happen. The cursor of the last one is kept, so after a lost connection, a restart of
 * the orchestrator or the stream's own deadline nothing is missed and nothing is shown twice.
 */
import { Option, type Command } from "commander";
import { status, type ServiceError } from "@grpc/grpc-js";
import { VigieError, type WatchResponse } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { callFailure } from "../failure.js";
import type { Invocation, Register } from "../invocation.js";
import { sleep, type Io } from "../io.js";
import { renderWatchEvent } from "../render/watch.js";
import { parseCount, parseCursor } from "./options.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

interface Options {
  readonly after?: number;
  readonly count?: number;
}

export function addWatch(program: Command, register: Register): void {
  const command = program
    .command("watch")
    .description("events as they happen, until Ctrl-C; reconnects by itself and misses nothing")
    .addOption(
      new Option("--after <cursor>", "begin after this event, not now (JSON shows cursors)").argParser(
        parseCursor,
      ),
    )
    .addOption(new Option("--count <n>", "end after so many events").argParser(parseCount));
  register(command, (invocation: Invocation, options: Options) =>
    invocation.withApi((api) => follow(invocation, api, options)),
  );
}

async function follow(invocation: Invocation, api: Api, options: Options): Promise<ExitCode> {
  const { io } = invocation;
  const progress: Progress = {
    cursor: options.after,
    left: options.count ?? Infinity,
    pauseMs: FIRST_PAUSE_MS,
    connected: false,
  };
  while (progress.left > 0 && !isStopped(io)) {
    const failure = await attempt(invocation, api, progress);
    if (progress.left <= 0 || isStopped(io)) break;
    if (failure !== undefined) tellOrFail(io, progress, failure);
    await pause(io, progress);
  }
  return EXIT.ok;
}

interface Progress {
  cursor: number | undefined; // of the last event shown
  left: number; // events to show
  pauseMs: number; // before the next attempt
  connected: boolean; // once, in this run
}

function isStopped(io: Io): boolean {
  return io.signal?.aborted === true;
}

/** One connection, until it ends. A small question comes first: it has a short deadline, and a stream has not. */
async function attempt(
  invocation: Invocation,
  api: Api,
  progress: Progress,
): Promise<VigieError | undefined> {
  try {
    await api.ask("getStatus", {});
  } catch (error) {
    if (error instanceof VigieError) return error;
    throw error;
  }
  progress.connected = true;
  const error = await readStream(invocation, api, progress);
  if (error === undefined || error.code === status.DEADLINE_EXCEEDED) return undefined;
  return callFailure(error, api.server, 0);
}

/** Only a connection that was there is worth waiting for: a wrong address or certificate is told at once. */
function tellOrFail(io: Io, progress: Progress, failure: VigieError): void {
  if (failure.code !== "UNAVAILABLE" || !progress.connected) throw failure;
  io.stderr.write(`vigie: ${failure.message}; trying again\n`);
}

/** Longer from time to time, until events come again; also where the server ends streams without an error. */
async function pause(io: Io, progress: Progress): Promise<void> {
  await sleep(io, progress.pauseMs);
  progress.pauseMs = Math.min(progress.pauseMs * 2, LONGEST_PAUSE_MS);
}

/** Resolves when the stream ends: with the error that ended it, or nothing. */
function readStream(invocation: Invocation, api: Api, progress: Progress): Promise<ServiceError | undefined> {
  const { io } = invocation;
  const stream = api.watch(progress.cursor);
  const cancel = (): void => stream.cancel();
  io.signal?.addEventListener("abort", cancel, { once: true });
  return new Promise<ServiceError | undefined>((resolve) => {
    stream.on("data", (event: WatchResponse) => {
      if (progress.left <= 0 || (progress.cursor !== undefined && event.cursor <= progress.cursor)) return;
      progress.cursor = event.cursor;
      progress.left -= 1;
      progress.pauseMs = FIRST_PAUSE_MS;
      invocation.showLine(event, renderWatchEvent);
      if (progress.left <= 0) stream.cancel();
    });
    stream.on("error", (error: ServiceError) => resolve(error));
    stream.on("end", () => resolve(undefined));
  }).finally(() => io.signal?.removeEventListener("abort", cancel));
}
