/** A device that is held open keeps its minor when the guest is stopped, on a real kernel; then it is let go (W3). */
import { afterEach, beforeEach, expect, vi } from "vitest";
import { contentHash, procDrbd, troubleNamed } from "../index.js";
import { beginRun, newestRun, stepTimes, type } from "../proofs/command.js";
import { proof, setStage, type Stage } from "../proofs/stage.js";
import type { ToldRun } from "../vigie/ask.js";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const JOB_MS = 120_000;
const OVER = new Set(["succeeded", "failed", "frozen"]);
let stage: Stage;
let mend: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  stage = await setStage();
});

afterEach(async () => {
  await mend();
  mend = async () => undefined;
  const { lab, disk } = stage;
  await lab.node("h1").run(`gnt-instance activate-disks ${disk.instance}`, { timeoutMs: JOB_MS });
});

/** The guest runs, gets the trouble, and is stopped: Ganeti says that somebody holds its device, and ends well. */
async function stopHeld(trouble: string): Promise<void> {
  const { lab, disk } = stage;
  const master = lab.node("h1");
  await master.run(`gnt-instance start ${disk.instance}`, { timeoutMs: JOB_MS });
  mend = () => troubleNamed(trouble).mend(lab, {});
  await troubleNamed(trouble).make(lab, {});
  const { stdout, stderr } = await master.run(`gnt-instance stop ${disk.instance}`, { timeoutMs: JOB_MS });
  expect(stdout + stderr).toContain("Device is held open by someone");
  expect(await procDrbd(lab, disk.primary)).toContain("cs:WFConnection ro:Primary/Unknown");
}

function release(): Promise<void> {
  const { node, minor } = stage.disk.primary;
  return beginRun(stage, `do release-held-device ${node} ${minor} --yes`);
}

function runOnce(what: string, holds: (run: ToldRun) => boolean): Promise<ToldRun> {
  const look = async (): Promise<ToldRun | undefined> => {
    const run = await newestRun(stage, "release-held-device");
    return holds(run) ? run : undefined;
  };
  return stage.vigie.until(what, look, 90);
}

/** The minor is gone, and the instance starts with what was on it. */
async function startsAgain(hash: string): Promise<void> {
  const { lab, disk } = stage;
  expect(await procDrbd(lab, disk.primary)).toBe("");
  await lab.node("h1").run(`gnt-instance start ${disk.instance}`, { timeoutMs: JOB_MS });
  expect(await procDrbd(lab, disk.primary)).toContain(
    "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate",
  );
  expect(await contentHash(lab, disk.instance)).toEqual({ primary: hash, secondary: hash });
  await lab.node("h1").run(`gnt-instance stop ${disk.instance}`, { timeoutMs: JOB_MS });
}

proof(
  "a process that has the device open is named and waited for, and when it closes it the minor goes",
  async () => {
    const { lab, disk } = stage;
    const { primary } = await contentHash(lab, disk.instance);
    await stopHeld("held-open");
    const holders = await type(stage, `holders ${disk.primary.node} ${disk.primary.minor}`);
    expect(holders.stdout).toMatch(/process +sleep +\d+ .*sleep infinity/);
    await release();
    const waiting = await runOnce("it waits for the process", ({ events }) =>
      events.some(({ step_id, text }) => step_id === "await-not-held" && text.includes("held by sleep")),
    );
    expect(waiting.state).toBe("waiting");
    expect(await procDrbd(lab, disk.primary)).toContain("ro:Primary/Unknown"); // nothing was done to it
    await mend();
    const done = await runOnce("it ends", ({ state }) => OVER.has(state));
    expect(done.state, JSON.stringify(done.events)).toBe("succeeded");
    console.log(`release-held-device, open file: ${stepTimes(done)}`);
    await startsAgain(primary);
  },
);

proof("partition maps that kpartx left behind are taken away, and the minor goes", async () => {
  const { lab, disk } = stage;
  await stopHeld("kpartx-left");
  const hash = await contentHash(lab, disk.instance).then(({ primary }) => primary); // with its partition table
  await release();
  const done = await runOnce("it ends", ({ state }) => OVER.has(state));
  expect(done.state, JSON.stringify(done.events)).toBe("succeeded");
  expect(
    done.events.some(({ step_id, kind }) => step_id === "unmap-partitions" && kind === "step-verified"),
  ).toBe(true);
  expect((await lab.node(disk.primary.node).run("dmsetup ls")).stdout).not.toContain("drbd");
  console.log(`release-held-device, kpartx: ${stepTimes(done)}`);
  await startsAgain(hash);
});
