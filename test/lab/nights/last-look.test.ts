/**
 * Between a person's word and a command somebody else acts, on real kernels and a real Ganeti: all is stopped, a node
 * comes back, a guest is moved by hand. What was approved is looked at again in the moment before each command.
 */
import { afterEach, expect, vi } from "vitest";
import {
  contentHash,
  createInstance,
  removeInstance,
  troubleNamed,
  waitForHealthy,
  type InstanceDisk,
  type Lab,
  type NodeName,
} from "../index.js";
import { masterNode } from "../cluster/configuration.js";
import { beginRun, newestRun, type, typeUntil } from "../proofs/command.js";
import { decidedIncident, proof, setStage, type Stage } from "../proofs/stage.js";
import type { ToldRun } from "../vigie/ask.js";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 400_000 });

const [WEB1, WEB2] = ["web1.lab.example", "web2.lab.example"] as const;
const H3 = "h3.lab.example";
const JOB = { timeoutMs: 240_000 };
const OVER = new Set(["succeeded", "failed", "frozen", "aborted"]);
const STATUS_IS_READ_S = 150; // Ganeti is asked for it once a minute, and a busy node takes its time
const CHECKS_FOR_S = 11; // after a migration set-disk-offline looks for so long whether every copy is whole
let clear: () => Promise<void> = async () => undefined;

afterEach(async () => {
  await clear();
  clear = async () => undefined;
});

/** web2, which Vigie sees to run. */
async function runningGuest(
  stage: Stage,
  on: { primary: NodeName; secondary: NodeName },
): Promise<InstanceDisk> {
  const disk = await createInstance(stage.lab, WEB2, { ...on, sizeMib: 16 });
  await onMaster(stage, `gnt-instance start ${WEB2}`);
  await waitForHealthy(stage.lab, disk);
  await typeUntil(stage, "instances --no-color", new RegExp(`^${WEB2} .* running `, "m"), STATUS_IS_READ_S);
  return disk;
}

/** What h3 had went with its power: the next proof makes its own. */
async function beginAgain(lab: Lab): Promise<void> {
  await lab.node("h3").powerOn();
  for (const name of [WEB1, WEB2]) await removeInstance(lab, name);
}

/** The newest run of a runbook, once it is so. */
function runOnce(
  stage: Stage,
  runbook: string,
  what: string,
  holds: (run: ToldRun) => boolean,
  seconds: number,
): Promise<ToldRun> {
  const look = async (): Promise<ToldRun | undefined> => {
    const run = await newestRun(stage, runbook);
    return holds(run) ? run : undefined;
  };
  return stage.vigie.until(`${runbook}: ${what}`, look, seconds);
}

function rowsOf(run: ToldRun, stepId: string, kind: string): number {
  return run.events.filter((row) => row.step_id === stepId && row.kind === kind).length;
}

async function onMaster({ lab }: Stage, command: string): Promise<string> {
  return (await (await masterNode(lab)).run(command, JOB)).stdout.trim();
}

function placeOf(stage: Stage, name: string): Promise<string> {
  return onMaster(stage, `gnt-instance list --no-headers --separator=: -o pnode,snodes,status ${name}`);
}

/** On the master, without a call in between: the look takes eleven seconds, and a busy node some for each command. */
const STOP_ONCE_MIGRATED = `
grep -q -m1 'migrate-1 is seen in the world' < <(vigie run follow "$1" --no-color)
vigie stop --reason rehearsal`;

proof("a stop that is confirmed while a step still checks lets nothing of it through (I33)", async () => {
  const stage = await setStage();
  const { lab, vigie } = stage;
  const diskState = async (): Promise<string> =>
    (await lab.node("h3").run("cat /sys/block/sda/device/state", { allowFailure: true })).stdout.trim();
  clear = () => removeInstance(lab, WEB2);
  await runningGuest(stage, { primary: "h3", secondary: "h1" }); // it is migrated first
  await beginRun(stage, "do retire-disk h3 sda --yes");
  clear = async () => {
    await type(stage, `abort ${(await newestRun(stage, "retire-disk")).id} --reason 'it is over'`);
    await type(stage, "go --reason 'it is over'");
    await runOnce(stage, "retire-disk", "it is over", ({ state }) => OVER.has(state), 120);
    await removeInstance(lab, WEB2);
  };
  const { id } = await newestRun(stage, "retire-disk");
  const stopped = await (await masterNode(lab)).script(STOP_ONCE_MIGRATED, [id], JOB);
  expect(stopped.exitCode, stopped.stdout).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 2 * CHECKS_FOR_S * 1000));
  const run = await vigie.run(id);
  expect(rowsOf(run, "migrate-1", "step-verified")).toBe(1);
  expect(rowsOf(run, "set-disk-offline", "step-intent")).toBe(0);
  expect(await diskState()).toBe("running");
  expect((await type(stage, "status --no-color")).stdout).toContain("everything is stopped");
});

proof(
  "a node that comes back before the person's word is not taken out, and its guest not started twice (I15)",
  async () => {
    const stage = await setStage();
    const { lab, vigie } = stage;
    clear = () => beginAgain(lab);
    await runningGuest(stage, { primary: "h3", secondary: "h1" });
    await troubleNamed("power-cut").make(lab, { node: "h3" });
    await decidedIncident(vigie, "node-dead", `vigie do disable-dead-node ${H3}`, 90);
    const begun = await type(stage, `do disable-dead-node h3 --yes --word ${H3}`);
    expect(begun.exitCode, begun.stdout).toBe(11); // it waits for a person
    const { id } = await newestRun(stage, "disable-dead-node");

    await lab.node("h3").powerOn();
    const allReport = async (): Promise<true | undefined> =>
      (await vigie.status()).nodes_reporting === 3 ? true : undefined;
    await vigie.until("h3 reports", allReport, 90);
    await type(stage, `run continue ${id}`);
    const over = await runOnce(stage, "disable-dead-node", "it ends", ({ state }) => OVER.has(state), 120);
    expect(over.state).not.toBe("succeeded");
    expect(JSON.stringify(over.events)).toContain(`the agent of ${H3} reports: it is not dead`);
    expect(await onMaster(stage, `gnt-node list --no-headers -o role ${H3}`)).toBe("C");
    expect(await placeOf(stage, WEB2)).toMatch(/^h3\.lab\.example:h1\.lab\.example:/);
  },
);

proof("a guest that a person moves by hand meanwhile keeps the copy that it runs on (I15)", async () => {
  const stage = await setStage();
  const { lab, disk } = stage;
  clear = async () => {
    await type(stage, `run take-over ${(await newestRun(stage, "relocate-secondaries")).id}`);
    for (const name of [WEB1, WEB2]) await removeInstance(lab, name);
  };
  await onMaster(stage, `gnt-instance start ${WEB1} || true`);
  const moved = await runningGuest(stage, { primary: "h1", secondary: "h3" });
  await lab
    .node("h1")
    .run(`dd if=/dev/urandom of=${moved.primary.device} bs=1M count=16 oflag=direct status=none`);
  await Promise.all([disk, moved].map((each) => waitForHealthy(lab, each)));
  const { primary: written } = await contentHash(lab, WEB2);
  const jobs = (): Promise<string> => onMaster(stage, "gnt-job list --no-headers -o summary");
  const replaced = async (): Promise<number> => (await jobs()).split(`REPLACE_DISKS(${WEB2})`).length;
  const before = await replaced();
  await beginRun(stage, "do relocate-secondaries h3 --yes");
  const copies = (run: ToldRun): boolean => rowsOf(run, "relocate-1", "step-intent") > 0;
  await runOnce(stage, "relocate-secondaries", "it copies the first", copies, 60);

  await onMaster(stage, `gnt-instance migrate -f ${WEB2}`);
  const run = await runOnce(stage, "relocate-secondaries", "it ends", ({ state }) => OVER.has(state), 300);
  expect(run.state).toBe("frozen");
  expect(run.events.map(({ text }) => text).join()).toContain(`${WEB2}: its primary node is ${H3}`);
  expect(await placeOf(stage, WEB2)).toBe(`${H3}:h1.lab.example:running`);
  expect(await contentHash(lab, WEB2)).toEqual({ primary: written, secondary: written });
  expect(await replaced()).toBe(before);
});
