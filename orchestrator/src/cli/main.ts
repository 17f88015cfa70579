#!/usr/bin/env node
/** `vigie`, as a process. All that it does is in cli.ts; here are only the process's own things. */
import { runCli } from "./cli.js";

const INTERRUPTED = 130;
const GRACE_MS = 300; // for what ends by itself when it is asked to: vigie watch, vigie do

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop.abort();
    setTimeout(() => process.exit(INTERRUPTED), GRACE_MS).unref();
  });
}
// `vigie audit | head`: the reader has enough, and that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

// Without top-level await: it is bundled as CommonJS.
void runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  isTTY: process.stdout.isTTY,
  columns: process.stdout.columns,
  now: Date.now,
  signal: stop.signal,
}).then((code) => {
  process.exitCode = code;
});
