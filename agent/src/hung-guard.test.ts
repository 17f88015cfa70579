import { expect, test } from "vitest";
import type { Command, CommandOutcome, Host } from "./host.js";
import { HUNG_MAX, sparingHung } from "./hung-guard.js";
import { fakeHost } from "./sources/testing.js";

const LVS: Command = { file: "/usr/sbin/lvs", args: ["-a"], timeoutMs: 5 };
const smartctl = (disk: string): Command => ({
  file: "/usr/sbin/smartctl",
  args: ["--json", disk],
  timeoutMs: 5,
});

/** A machine on which everything hangs that is started, until a test lets it end. */
function hanging() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  let nowMs = 0;
  const run = async ({ file, args }: Command): Promise<CommandOutcome> => {
    started.push([file, ...args].join(" "));
    const ended = Promise.withResolvers<void>();
    ends.push(ended.resolve);
    return {
      end: "hung",
      exitCode: -1,
      stdout: "",
      stderr: "",
      truncated: false,
      durationMs: 6_000,
      ended: ended.promise,
    };
  };
  const host: Host = sparingHung({ ...fakeHost({}), run, monotonicMs: () => nowMs });
  return { host, started, ends, pass: (ms: number) => (nowMs += ms) };
}

test("a tool that hangs is not started a second time, and the reason says for how long (I37)", async () => {
  const { host, started, pass } = hanging();
  expect(await host.run(LVS)).toMatchObject({ end: "hung" });
  pass(245_000);
  expect(await host.run(LVS)).toMatchObject({
    end: "not-started",
    stderr: "/usr/sbin/lvs -a has not answered for 4 min; it is not started again (I37)",
  });
  expect(started).toHaveLength(1);
});

test("once the child has ended after all, its tool is started as before", async () => {
  const { host, started, ends } = hanging();
  await host.run(LVS);
  ends[0]?.();
  await Promise.resolve();
  expect(await host.run(LVS)).toMatchObject({ end: "hung" });
  expect(started).toHaveLength(2);
});

test("of two that hang together and one that ended, the other still holds its tool back", async () => {
  const { host, ends } = hanging();
  await Promise.all([host.run(LVS), host.run(LVS)]);
  ends[1]?.();
  await Promise.resolve();
  expect(await host.run(LVS)).toMatchObject({ end: "not-started" });
});

test("what hangs for one minor is not tried for the next, and a disk that hangs is no other disk's matter", async () => {
  const { host } = hanging();
  const getGi = (minor: string): Command => ({
    file: "/usr/sbin/drbdsetup",
    args: ["get-gi", minor],
    timeoutMs: 5,
  });
  await host.run(getGi("3"));
  expect(await host.run(getGi("4"))).toMatchObject({ end: "not-started" });
  await host.run(smartctl("/dev/sda"));
  expect(await host.run(smartctl("/dev/sdb"))).toMatchObject({ end: "hung" });
});

test("however many things hang, there is a number of children that is never passed", async () => {
  const { host, started } = hanging();
  for (let disk = 0; disk < 100; disk += 1) await host.run(smartctl(`/dev/sd${disk}`));
  expect(started).toHaveLength(HUNG_MAX);
  expect(await host.run(LVS)).toMatchObject({
    end: "not-started",
    stderr: `${HUNG_MAX} commands hang in the kernel; no other is started`,
  });
});
