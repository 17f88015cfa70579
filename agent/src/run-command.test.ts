import { existsSync, readFileSync } from "node:fs";
import { realClock } from "@vigie/proto";
import { expect, test } from "vitest";
import { hungCommands, runCommand } from "./run-command.js";

function stateOf(pid: number): string {
  return existsSync(`/proc/${pid}/stat`)
    ? (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "?")
    : "gone";
}

const run = (file: string, args: string[], timeoutMs = 5_000) =>
  runCommand({ file, args, timeoutMs }, realClock.monotonicMs);

test("a command that exits by itself gives its code and both outputs", async () => {
  const outcome = await run("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"]);
  expect(outcome).toMatchObject({ end: "exited", exitCode: 3, stdout: "out\n", stderr: "err\n" });
});

test("a command past its deadline is killed with its children, and its effect is unknown", async () => {
  const outcome = await run("/bin/sh", ["-c", "sleep 60 & echo $!; wait"], 300);
  expect(outcome).toMatchObject({ end: "timed-out", exitCode: -1 });
  const childPid = Number(outcome.stdout.trim());
  expect(stateOf(childPid)).toMatch(/gone|Z/); // a zombie where nobody reaps orphans
  expect(hungCommands(realClock.monotonicMs())).toEqual([]);
});

test("a command that is not wanted any more is killed, and says by which signal it ended", async () => {
  const wanted = new AbortController();
  const command = { file: "/bin/sh", args: ["-c", "sleep 60"], timeoutMs: 60_000, endedBy: wanted.signal };
  const outcome = runCommand(command, realClock.monotonicMs);
  setTimeout(() => wanted.abort(null), 100);
  expect(await outcome).toMatchObject({ end: "signalled", signal: "SIGKILL" });
});

test("a command that cannot be ended is given up and shown, and it is known when it ended after all (I37)", async () => {
  // What left its process group and holds the output open: like a child in state D, no signal of ours ends it.
  const outcome = await run("/bin/sh", ["-c", "setsid sleep 60 & echo $!; wait"], 300);
  expect(outcome).toMatchObject({ end: "hung", exitCode: -1 });
  expect(hungCommands(realClock.monotonicMs())).toMatchObject([{ argv: expect.arrayContaining(["-c"]) }]);
  process.kill(Number(outcome.stdout.trim()));
  await outcome.ended;
  expect(hungCommands(realClock.monotonicMs())).toEqual([]);
});

test("a command that a signal ends says which one, for it did not exit and its effect is unknown", async () => {
  const outcome = await run("/bin/sh", ["-c", "kill -SEGV $$"]);
  expect(outcome).toMatchObject({ end: "signalled", exitCode: -1, signal: "SIGSEGV" });
});

test("a file that is not there was not started, and nobody waits for it", async () => {
  const outcome = await run("/usr/sbin/no-such-tool", []);
  expect(outcome).toMatchObject({ end: "not-started" });
  expect(outcome.stderr).toContain("ENOENT");
});

test("a child sees no environment but a path and the C locale", async () => {
  const outcome = await run("/usr/bin/env", []);
  expect(outcome.stdout.trim().split("\n").toSorted()).toEqual([
    "LC_ALL=C",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  ]);
});

test("output beyond the cap is dropped and said to be cut", async () => {
  const outcome = await run("/bin/sh", ["-c", "head -c 6000000 /dev/zero"]);
  expect(outcome.truncated).toBe(true);
  expect(outcome.stdout.length).toBeLessThanOrEqual(4 * 1024 * 1024);
});
