/** W4 on a real kernel: both sides wrote. Vigie lays them side by side, and gives up the one that a person types. */
import { afterEach, beforeEach, expect } from "vitest";
import { contentHash, troubleNamed, waitForHealthy } from "../index.js";
import type { Ran } from "../host/exec.js";
import { connect, disconnect, procDrbd, waitForMinor } from "../cluster/drbd.js";
import { masterNode, type DiskSide } from "../cluster/configuration.js";
import { newestRun, stepTimes, type, typeUntil } from "../proofs/command.js";
import { closedIncident, incidentOf, proof, setStage, type Stage } from "../proofs/stage.js";

const VICTIM = "h3.lab.example";
const SURVIVOR = "h2.lab.example";
let stage: Stage;

beforeEach(async () => {
  stage = await setStage();
  const { lab, disk } = stage;
  const start = `gnt-instance start ${disk.instance}`; // it may run already
  await (await masterNode(lab)).run(start, { timeoutMs: 120_000, allowFailure: true });
  await waitForHealthy(lab, disk);
  await troubleNamed("split-brain").make(lab, {});
  await incidentOf(stage.vigie, "split-brain", 30);
});

afterEach(async () => {
  const { lab, disk } = stage;
  const states = await Promise.all([disk.primary, disk.secondary].map((side) => procDrbd(lab, side)));
  if (!states.every((state) => state.includes("cs:Connected")))
    await troubleNamed("split-brain").mend(lab, {});
  await lab
    .node("h3")
    .run("lvs --noheadings -o vg_name,lv_name -S 'lv_name=~vigie' --separator / | xargs -r lvremove -y");
});

/** A copy, read below DRBD. */
async function hashOf(side: DiskSide, volume = stage.disk.dataVolume): Promise<string> {
  const command = `sync; dd if=${volume} bs=1M iflag=direct status=none | md5sum`;
  return (await stage.lab.node(side.node).run(command)).stdout.slice(0, 32);
}

function connectionOf(text: string): string {
  return /cs:\w+ ro:\w+/.exec(text)?.[0] ?? text;
}

/** What the command shows of both sides, once it shows them so: the end that was just changed is read a second later. */
function showsBoth(survivor: string, victim: string): Promise<Ran> {
  const side = (node: string, state: string): string => `(?=[^]* on ${node}, minor \\d+: ${state},)`;
  const both = new RegExp(`^${side(SURVIVOR, survivor)}${side(VICTIM, victim)}`);
  return typeUntil(stage, "do resolve-split-brain web1 --yes", both, 30);
}

async function resolved(): Promise<void> {
  const { lab, disk, vigie } = stage;
  const [kept, lost] = [await hashOf(disk.primary), await hashOf(disk.secondary)];
  expect(kept).not.toBe(lost);
  const done = await type(stage, `do resolve-split-brain web1 victim=h3 --yes --word ${VICTIM}`);
  expect(done.stdout).toContain("succeeded");
  expect(done.exitCode).toBe(0);
  const run = await newestRun(stage, "resolve-split-brain");
  console.log(`resolve-split-brain: ${stepTimes(run)}`);

  await waitForHealthy(lab, disk, 1_000); // it is so already
  const { primary, secondary } = await contentHash(lab, disk.instance);
  expect([primary, secondary]).toEqual([kept, kept]);
  const { stdout } = await lab
    .node("h3")
    .run("lvs --noheadings -o vg_name,lv_name -S 'lv_name=~vigie' --separator / | tr -d ' '");
  expect(await hashOf(disk.secondary, `/dev/${stdout.trim()}`)).toBe(lost); // what was given up is still there
  const paused = (await (await masterNode(lab)).run("gnt-cluster watcher info")).stdout;
  expect(paused).toContain("not paused");
  const incident = await incidentOf(vigie, "split-brain", 1);
  await closedIncident(vigie, incident.id, 30);
}

proof(
  "without a victim both sides are laid side by side and nothing runs; then the typed side is given up",
  async () => {
    const { lab, disk } = stage;
    for (const side of [disk.primary, disk.secondary])
      if ((await procDrbd(lab, side)).includes("cs:WFConnection")) await disconnect(lab, disk, side);
    const before = await Promise.all([disk.primary, disk.secondary].map((side) => procDrbd(lab, side)));
    expect(before.map(connectionOf)).toEqual(["cs:StandAlone ro:Primary", "cs:StandAlone ro:Secondary"]);

    const shown = await showsBoth("Primary, StandAlone", "Secondary, StandAlone");
    expect(shown.exitCode).toBe(6);
    const side = (node: string, role: string): RegExp =>
      new RegExp(
        `disk/0 on ${node}, minor 0: ${role}, StandAlone, UpToDate/DUnknown, 64 KiB changed .*; generation [0-9A-F]{16}, when it parted [0-9A-F]{16}`,
      );
    expect(shown.stdout).toMatch(side(SURVIVOR, "Primary"));
    expect(shown.stdout).toMatch(side(VICTIM, "Secondary"));
    expect(shown.stdout).toContain(`web1.lab.example runs on ${SURVIVOR}`);
    expect(shown.stdout).toContain(`vigie do resolve-split-brain web1.lab.example victim=${VICTIM}`);
    expect(shown.stdout).not.toContain(`victim=${SURVIVOR}\n\nNext`); // it is asked for, and never proposed

    const wrong = await type(stage, "do resolve-split-brain web1 victim=h3 --yes --word h2.lab.example");
    expect(wrong.exitCode).toBe(6);
    expect(wrong.stdout).toContain("not approved");
    const none = await type(stage, "do resolve-split-brain web1 victim=h3 --yes");
    expect(none.exitCode).toBe(6);
    const guest = await type(stage, `do resolve-split-brain web1 victim=h2 --yes --word ${SURVIVOR}`);
    expect(guest.exitCode).toBe(6);
    expect(guest.stdout).toContain(`web1.lab.example runs on ${SURVIVOR}: what it reads and writes`);
    const after = await Promise.all([disk.primary, disk.secondary].map((each) => procDrbd(lab, each)));
    expect(after).toEqual(before); // not one command reached the kernel

    await resolved();
  },
);

proof(
  "a victim that is Primary and still waits for the other, which is StandAlone, is given up too",
  async () => {
    const { lab, disk } = stage;
    if ((await procDrbd(lab, disk.primary)).includes("cs:WFConnection"))
      await disconnect(lab, disk, disk.primary);
    await connect(lab, disk, disk.secondary); // the other end listens no more: it waits for ever
    await waitForMinor(lab, disk.secondary, "cs:WFConnection");
    await lab.node("h3").run(`drbdsetup primary ${String(disk.secondary.minor)}`);
    await showsBoth("Primary, StandAlone", "Primary, WFConnection");
    await resolved();
  },
);

proof(
  "a survivor that still waits, and a victim that is StandAlone and Primary, as the wiki shows them",
  async () => {
    const { lab, disk } = stage;
    if ((await procDrbd(lab, disk.secondary)).includes("cs:WFConnection"))
      await disconnect(lab, disk, disk.secondary);
    await connect(lab, disk, disk.primary);
    await waitForMinor(lab, disk.primary, "cs:WFConnection");
    await lab.node("h3").run(`drbdsetup primary ${String(disk.secondary.minor)}`);
    await showsBoth("Primary, WFConnection", "Primary, StandAlone");
    await resolved();
  },
);
