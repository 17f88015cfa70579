/** The sign of life that systemd's watchdog waits for, in virtual time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { beat, BEAT_EVERY_MS } from "../../agent/src/heartbeat.js";
import type { Command, CommandOutcome } from "../../agent/src/host.js";
import { sparingHung } from "../../agent/src/hung-guard.js";
import { runCommand } from "../../agent/src/run-command.js";
import { fakeHost } from "../../agent/src/sources/testing.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { ROOT } from "./imports.js";

const SOCKET = "/run/systemd/notify";
const EXITED = {
  end: "exited",
  exitCode: 0,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 5,
} as const;

function stage(outcome: CommandOutcome) {
  const clock = createVirtualClock();
  const started: Command[] = [];
  const run = async (command: Command): Promise<CommandOutcome> => {
    started.push(command);
    return outcome;
  };
  return {
    clock,
    started,
    host: sparingHung({ ...fakeHost({}), ...clock, run }),
    stop: new AbortController(),
  };
}

test("systemd hears of the main loop three times within its deadline, until the agent stops", async () => {
  const { clock, started, host, stop } = stage(EXITED);
  void beat(host, SOCKET, stop.signal);
  await clock.advance(60_000);
  expect(started).toHaveLength(1 + 60_000 / BEAT_EVERY_MS);
  expect(started[0]).toMatchObject({
    file: "/usr/bin/systemd-notify",
    args: ["WATCHDOG=1"],
    environment: { NOTIFY_SOCKET: SOCKET },
  });
  stop.abort();
  await clock.advance(60_000);
  expect(started).toHaveLength(4);
});

test("an agent that no systemd watches starts nothing for it", async () => {
  const { clock, started, host, stop } = stage(EXITED);
  await beat(host, undefined, stop.signal);
  await clock.advance(60_000);
  expect(started).toEqual([]);
});

test("a systemd-notify that hangs is not started a second time: then the watchdog ends what cannot be told of (I37)", async () => {
  const { clock, started, host, stop } = stage({ ...EXITED, end: "hung", exitCode: -1 });
  void beat(host, SOCKET, stop.signal);
  await clock.advance(3_600_000);
  stop.abort();
  expect(started).toHaveLength(1);
});

test("a child is given what its command names beside the path and the C locale, and the next one is not (I36)", async () => {
  const env = (environment?: Record<string, string>) =>
    runCommand(
      { file: "/usr/bin/env", args: [], timeoutMs: 5_000, ...(environment && { environment }) },
      () => 0,
    );
  expect((await env({ NOTIFY_SOCKET: SOCKET })).stdout).toContain(`NOTIFY_SOCKET=${SOCKET}\n`);
  expect((await env()).stdout).not.toContain("NOTIFY_SOCKET");
});

test("the agent's unit waits three beats, kills what does not turn, and reloads without ending it", () => {
  const unit = readFileSync(join(ROOT, "deploy/systemd/vigie-agent.service"), "utf8").split("\n");
  expect(unit).toEqual(
    expect.arrayContaining([
      `WatchdogSec=${(3 * BEAT_EVERY_MS) / 1000}`,
      "WatchdogSignal=SIGKILL",
      "NotifyAccess=all",
      "Restart=always",
      "ExecReload=/bin/kill -HUP $MAINPID",
    ]),
  );
});
