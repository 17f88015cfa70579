/** Every source of a node whose tools all hang in the kernel, for six hours of virtual time (I11, I37). */
import { Source, SourceState } from "@vigie/proto";
import { expect, test } from "vitest";
import type { Command, CommandOutcome } from "../../agent/src/host.js";
import { sparingHung } from "../../agent/src/hung-guard.js";
import { createObserver } from "../../agent/src/observe.js";
import { sourceDefinitions } from "../../agent/src/sources/index.js";
import { fakeHost } from "../../agent/src/sources/testing.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";

const HUNG = {
  end: "hung",
  exitCode: -1,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 5_000,
} as const;

function nodeWhoseToolsHang() {
  const clock = createVirtualClock();
  const started: string[] = [];
  let thaw: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (thaw = resolve));
  const machine = fakeHost({
    files: { "/proc/drbd": "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: X\n" },
    folders: { "/sys/block": ["sda", "sdb"], "/proc": [] },
  });
  const run = async ({ file }: Command): Promise<CommandOutcome> => {
    started.push(file);
    return { ...HUNG, ended };
  };
  const observer = createObserver(
    sparingHung({ ...machine, ...clock, run }),
    sourceDefinitions({ nodeName: "h1" }),
  );
  return { clock, started, observer, thaw };
}

test("in six hours one child of each tool is started, and what it was asked is failed, never healthy", async () => {
  const { clock, started, observer } = nodeWhoseToolsHang();
  const stop = new AbortController();
  observer.start(stop.signal);
  await clock.leap(6 * 3_600_000);
  await clock.advance(60_000);
  stop.abort();
  expect(started.toSorted()).toEqual([
    "/usr/sbin/dmsetup",
    "/usr/sbin/drbdsetup",
    "/usr/sbin/lvs",
    "/usr/sbin/smartctl",
    "/usr/sbin/smartctl", // a disk each
  ]);
  for (const source of [Source.LVM, Source.DEVICE_MAPPER, Source.DRBD_CONFIG])
    expect(observer.latest(source)).toMatchObject({
      state: SourceState.FAILED,
      reason: expect.stringMatching(/has not answered for \d+ (?:s|min); it is not started again/),
    });
});

test("when the children end at last, the tools are asked again by themselves", async () => {
  const { clock, started, observer, thaw } = nodeWhoseToolsHang();
  const stop = new AbortController();
  observer.start(stop.signal);
  await clock.advance(60_000);
  const before = started.length;
  thaw();
  await clock.advance(31_000);
  stop.abort();
  expect(started.slice(before)).toEqual(expect.arrayContaining(["/usr/sbin/lvs", "/usr/sbin/drbdsetup"]));
});

test("however often the generations of a minor are asked for, one drbdsetup hangs", async () => {
  const { started, observer } = nodeWhoseToolsHang();
  for (let minor = 0; minor < 10; minor += 1)
    await observer.readNow(Source.DRBD_GENERATIONS, { minor, jobId: 0 });
  expect(started).toEqual(["/usr/sbin/drbdsetup"]);
});
