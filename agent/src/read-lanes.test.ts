import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LANE_THREADS, laneOf } from "./lanes.js";
import { createLane, readsInFlight } from "./read-lanes.js";

/** A clock whose sleepers are woken by the test. */
function stage(threads: number) {
  let nowMs = 0;
  let sleepers: (() => void)[] = [];
  const clock = {
    monotonicMs: () => nowMs,
    sleep: () => new Promise<void>((resolve) => sleepers.push(resolve)),
  };
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms;
    for (const wake of sleepers.splice(0)) wake();
    sleepers = [...sleepers];
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lane: createLane(clock, threads), pass };
}

const hanging = (): { work: () => Promise<string>; end: (text: string) => void } => {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { work: () => promise, end: resolve };
};

test("a read that hangs is given up at its deadline, and whoever comes later is refused at once, with the reason", async () => {
  const { lane, pass } = stage(1);
  const first = lane("/proc/7/cmdline", hanging().work);
  const refused = expect(first).rejects.toMatchObject({
    code: "COMMAND_HUNG",
    message: "/proc/7/cmdline has not answered for 10 s",
  });
  await pass(10_000);
  await refused;
  await pass(230_000);
  let begun = 0;
  await expect(lane("/proc/8/cmdline", async () => (begun += 1))).rejects.toMatchObject({
    message: "/proc/8/cmdline is left alone: /proc/7/cmdline has not answered for 4 min (I37)",
  });
  expect(begun).toBe(0);
});

test("once it ends, the place is read again by itself", async () => {
  const { lane, pass } = stage(1);
  const { work, end } = hanging();
  const first = lane("a", work).catch(() => "given up");
  await pass(10_000);
  end("late");
  await pass(0);
  expect(await first).toBe("given up");
  expect(await lane("b", async () => "read")).toBe("read");
});

test("never more are at work than the lane has threads, and the others come in their order", async () => {
  const { lane } = stage(2);
  const order: string[] = [];
  let atOnce = 0;
  let most = 0;
  const work = (name: string) => async (): Promise<void> => {
    most = Math.max(most, (atOnce += 1));
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
  };
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => lane(name, work(name))));
  expect(order).toEqual(["a", "b", "c", "d", "e"]);
  expect(most).toBe(2);
});

test("what waits behind one that hangs is refused without being begun", async () => {
  const { lane, pass } = stage(1);
  void lane("a", hanging().work).catch(() => undefined);
  let begun = 0;
  const second = expect(lane("b", async () => (begun += 1))).rejects.toMatchObject({ code: "COMMAND_HUNG" });
  await pass(10_000);
  await second;
  expect(begun).toBe(0);
});

test("a write is waited for, for nobody could say whether it took effect", async () => {
  const { lane, pass } = stage(1);
  const { work, end } = hanging();
  const write = lane("sdb/delete", work, { patient: true });
  await pass(60_000);
  end("written");
  expect(await write).toBe("written");
});

test("what was opened after it was given up is closed", async () => {
  const { lane, pass } = stage(1);
  const { work, end } = hanging();
  const closed: string[] = [];
  const opening = lane("sdb", work, { late: (text) => closed.push(text) }).catch(() => "given up");
  await pass(10_000);
  end("its handle");
  await pass(0);
  expect([await opening, closed]).toEqual(["given up", ["its handle"]]);
});

test("one that failed is no reason to hold the next one back, and it is in flight no more", async () => {
  const { lane } = stage(1);
  const before = readsInFlight(); // those that hang in the tests above
  await expect(lane("a", () => Promise.reject(new Error("EIO")))).rejects.toThrow("EIO");
  expect(await lane("b", async () => 2)).toBe(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(readsInFlight()).toBe(before);
});

test.each([
  ["/proc/drbd", "drbd"],
  ["/proc/net/xt_recent/vigie", "firewall"],
  ["/proc/self/mountinfo", "mounts"],
  ["/proc/1/mountinfo", "mounts"],
  ["/proc/mounts", "mounts"],
  ["/proc/4711/cmdline", "processes"],
  ["/proc/self/ns/mnt", "processes"],
  ["/proc", "kernel"],
  ["/proc/swaps", "kernel"],
  ["/sys/block/sda/queue/rotational", "kernel"],
  ["/var/lib/ganeti/config.data", "files"],
])("%s is read in the lane %s", (path, lane) => {
  expect(laneOf(path)).toBe(lane);
});

test("all lanes together leave threads of Node's for name look-ups", () => {
  const unit = readFileSync(new URL("../../deploy/systemd/vigie-agent.service", import.meta.url), "utf8");
  const pool = Number(/^Environment=UV_THREADPOOL_SIZE=(\d+)$/m.exec(unit)?.[1]);
  const lanes = Object.values(LANE_THREADS).reduce((sum, threads) => sum + threads, 0);
  expect(pool - lanes).toBeGreaterThanOrEqual(3);
});

/** A pipe that nobody writes to: who opens it sits in the kernel, in a thread of Node's. */
function endOf(script: string): { status: number | null; signal: NodeJS.Signals | null; stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), "vigie-leave-"));
  try {
    spawnSync("mkfifo", [join(folder, "pipe")]);
    const from = (file: string): string => JSON.stringify(join(import.meta.dirname, file));
    const main = join(folder, "main.ts");
    const imports = `import { leave, leaveInPeace } from ${from("leave.ts")};\nimport { createRealHost } from ${from("real-host.ts")};\n`;
    writeFileSync(
      main,
      `${imports}const host = createRealHost();\nconst pipe = ${JSON.stringify(join(folder, "pipe"))};\n${script}`,
    );
    const root = new URL("../..", import.meta.url);
    const env = { ...process.env, UV_THREADPOOL_SIZE: "12" };
    const options = { cwd: root, encoding: "utf8", timeout: 50_000, env } as const;
    const { status, signal, stdout } = spawnSync(process.execPath, ["--import", "tsx", main], options);
    return { status, signal, stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a process of which a read hangs in the kernel ends all the same (I37)", () => {
  const script = `host.readFile(pipe).catch(() => undefined);\nsetImmediate(() => leave(3));`;
  expect(endOf(script)).toMatchObject({ status: null, signal: "SIGKILL" });
});

test("one of which none hangs ends with its exit code", () => {
  expect(endOf(`host.readFile("/proc/swaps").then(() => setImmediate(() => leave(3)));`)).toMatchObject({
    status: 3,
  });
});

test("what was said last is written before it is killed", () => {
  const script = `host.readFile(pipe).catch(() => undefined);
setImmediate(() => leave(3, () => fs.writeSync(1, "last words")));`;
  const { signal, stdout } = endOf(`import fs from "node:fs";\n${script}`);
  expect([signal, stdout]).toEqual(["SIGKILL", "last words"]);
});

test("a read that ends by itself is waited for, and the exit code is kept", () => {
  const sleep = "sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms))";
  expect(endOf(`host.readFile("/proc/swaps");\nvoid leaveInPeace(3, { ${sleep} });`)).toMatchObject({
    status: 3,
  });
});

test("with twenty reads that hang, /proc is read as ever", () => {
  const script = `for (let n = 0; n < 20; n += 1) host.readFile(pipe).catch(() => undefined);
host.readFile("/proc/swaps").then((text) => { process.stdout.write(text); leave(0); });`;
  expect(endOf(script).stdout).toContain("Filename");
});
