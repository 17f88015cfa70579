/**
 * A disk fails, goes, and another one takes its place, on real kernels and a real Ganeti: three commands in a row, with
 * guests that run all the while, and both copies of each the same at the end.
 */
import { afterAll, beforeAll, expect, vi } from "vitest";
import {
  activateDisks,
  contentHash,
  createInstance,
  instanceDisk,
  procDrbd,
  removeInstance,
  troubleNamed,
  waitForHealthy,
  type Lab,
} from "../index.js";
import { plugDisk } from "../cluster/new-disk.js";
import { newestRun, stepTimes, type } from "../proofs/command.js";
import { decidedIncident, incidentOf, proof, setStage, type Stage } from "../proofs/stage.js";

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const [WEB1, WEB2, WEB3] = ["web1.lab.example", "web2.lab.example", "web3.lab.example"] as const;
const ALL = [WEB1, WEB2, WEB3];
const FAILING = { instance: WEB2 } as const;
const REFUSED = 6;
const FROZEN = 9;
const SMALL_MIB = 16; // copied before Ganeti looks for the first time: else it sleeps for as long as it estimates

let stage: Stage;
let oldDisk = "";
let newDisk = "";
const written = new Map<string, string>();

/** web1's second copy is on h3, web2 and web3 run there; web2's peer is h2, web3's is h1. */
beforeAll(async () => {
  stage = await setStage();
  const { lab } = stage;
  await createInstance(lab, WEB2, { primary: "h3", secondary: "h2", sizeMib: SMALL_MIB });
  await createInstance(lab, WEB3, { primary: "h3", secondary: "h1", sizeMib: SMALL_MIB });
  for (const name of ALL) {
    await lab.node("h1").run(`gnt-instance start ${name}`, { timeoutMs: 120_000 });
    await waitForHealthy(lab, await instanceDisk(lab, name));
    written.set(name, await writeAnew(lab, name));
  }
  await stage.vigie.until("all three are seen to run", async () => ((await runs()) ? true : undefined), 90);
});

/** The node is started again without its new disk, as the next proof expects it. */
afterAll(async () => {
  if (stage === undefined) return;
  const { lab } = stage;
  await lab.node("h1").run(`gnt-instance stop ${WEB1}`, { timeoutMs: 120_000, allowFailure: true });
  for (const name of [WEB2, WEB3]) await removeInstance(lab, name);
  await activateDisks(lab, WEB1).catch(() => undefined); // where a proof failed before its copy was back
  await troubleNamed("power-cut").make(lab, { node: "h3" });
  await troubleNamed("power-cut").mend(lab, { node: "h3" });
});

async function writeAnew(lab: Lab, name: string): Promise<string> {
  const { primary } = await instanceDisk(lab, name);
  const write = `dd if=/dev/urandom of=${primary.device} bs=1M count=${SMALL_MIB} oflag=direct conv=notrunc status=none`;
  await lab.node(primary.node).run(write);
  const hash = await contentHash(lab, name);
  expect(hash.secondary).toBe(hash.primary);
  return hash.primary;
}

async function statuses(): Promise<string> {
  const list = "gnt-instance list --no-headers --separator=: -o name,status,pnode";
  return (await stage.lab.node("h1").run(list)).stdout;
}

async function runs(): Promise<boolean> {
  const { stdout } = await stage.lab.node("h1").run("vigie instances --no-color");
  return ALL.every((name) => new RegExp(`^${name} .* running `, "m").test(stdout));
}

proof(
  "a disk whose peer's copy is not UpToDate is not retired: nothing is done, and the way out is told",
  async () => {
    const { lab, vigie } = stage;
    const diskless = troubleNamed("diskless");
    await diskless.make(lab, { instance: WEB3 });
    try {
      await incidentOf(vigie, "diskless", 20);
      const { stdout, exitCode } = await type(stage, "do retire-disk h3 sda --yes");
      expect(exitCode).toBe(REFUSED);
      expect(stdout).toContain(`${WEB3} disk/0: h1.lab.example's copy is Diskless (I1)`);
      expect(stdout).toContain(`vigie do rebuild-redundancy ${WEB3}`);
      expect((await lab.node("h3").run("cat /sys/block/sda/device/state")).stdout.trim()).toBe("running");
      expect(await statuses()).toContain(`${WEB3}:running:h3.lab.example`);
    } finally {
      await diskless.mend(lab, { instance: WEB3 });
    }
  },
);

proof(
  "a disk that fails is told with the command that retires it, and is retired while its guests run",
  async () => {
    const { lab, vigie } = stage;
    const h3 = lab.node("h3");
    await troubleNamed("failing-disk").make(lab, FAILING);
    const failing = await incidentOf(vigie, "failing-disk", 20);
    expect(failing.subject).toMatchObject({ node: "h3.lab.example", device: "sda" });
    await decidedIncident(vigie, "failing-disk", "vigie do retire-disk h3.lab.example disk=sda", 20);
    oldDisk = (await h3.run("cat /sys/block/sda/device/wwid")).stdout.trim();

    const { stdout, exitCode } = await type(stage, "do retire-disk h3 sda --yes");
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain("pull it out of h3.lab.example: sda, scsi_debug");
    expect((await h3.run("ls /sys/block")).stdout).not.toContain("sda");
    expect((await h3.run("dmsetup ls")).stdout).toContain("No devices found");
    for (const name of ALL) {
      const disk = await instanceDisk(lab, name);
      const side = [disk.primary, disk.secondary].find(({ node }) => node === "h3");
      expect(await procDrbd(lab, side ?? disk.primary)).toMatch(/cs:Connected .* ds:Diskless\/UpToDate/);
    }
    expect(await statuses()).toContain(`${WEB2}:running:h3.lab.example`); // by the network
    expect(await statuses()).toContain(`${WEB3}:running:h1.lab.example`); // migrated, while its copy still worked
    console.log(`retire-disk: ${stepTimes(await newestRun(stage, "retire-disk"))}`);
  },
);

proof(
  "a new disk becomes the volume group though the agent is killed in the middle, and no disk that bears anything does",
  async () => {
    const h3 = stage.lab.node("h3");
    newDisk = await plugDisk(h3);
    await stage.vigie.until("it is seen", () => adoption("--dry-run", [0, REFUSED]), 30);
    await h3.run(`mke2fs -q -t ext4 /dev/${newDisk} 64M`); // somebody's
    const refused = await adoption("--yes");
    expect(refused).toMatch(/signatures: ext4/);
    expect((await h3.run("vgs --noheadings -o vg_name")).stdout.trim()).toBe("");
    await h3.run(`wipefs -qa /dev/${newDisk}`);

    await h3.script(DIE_AFTER_PVCREATE);
    await adoption("--yes", [FROZEN]);
    await h3.run("ln -sf lvm /usr/sbin/pvcreate");
    const left = "pvs --noheadings -o pv_name,vg_name";
    expect((await h3.run(left)).stdout.trim()).toBe(`/dev/${newDisk}`); // a physical volume, in no group
    const { id } = await newestRun(stage, "adopt-disk");
    await type(stage, `run retry ${id}`);
    expect((await type(stage, `run follow ${id}`)).stdout).toContain("succeeded");
    expect((await h3.run("pvs --noheadings -o pv_name,vg_name")).stdout.trim()).toMatch(
      new RegExp(`^/dev/${newDisk} +kvmvg$`),
    );
    await stage.vigie.until(
      "nothing is open of the new disk, though it has the old one's name",
      async () => {
        const open = (await stage.vigie.incidents()).filter(({ state }) => state !== "closed");
        return open.some(({ subject }) => subject.device === newDisk) ? undefined : true;
      },
      10,
    );
    console.log(`adopt-disk: ${stepTimes(await newestRun(stage, "adopt-disk"))}`);
  },
);

/** The agent is killed when the disk is a physical volume, and before it is in a group. */
const DIE_AFTER_PVCREATE = `
rm /usr/sbin/pvcreate
cat > /usr/sbin/pvcreate <<'END'
#!/bin/sh
/usr/sbin/lvm pvcreate "$@"
kill -KILL $PPID
END
chmod 755 /usr/sbin/pvcreate`;

/** @returns what it said, where it ended with one of these codes */
async function adoption(option: string, codes?: readonly number[]): Promise<string> {
  const { stdout, exitCode } = await type(
    stage,
    `do adopt-disk h3 ${newDisk} 'replaces=${oldDisk}' ${option}`,
  );
  if (codes !== undefined && !codes.includes(exitCode)) throw new Error(stdout);
  return stdout;
}

proof(
  "every disk that lost a copy has two again, with what was written on both, and the guests run",
  async () => {
    const { lab } = stage;
    const { stdout, exitCode } = await type(stage, "do rebuild-redundancy h3 at_once=2 --yes");
    expect(exitCode, stdout).toBe(0);
    console.log(`rebuild-redundancy: ${stepTimes(await newestRun(stage, "rebuild-redundancy"))}`);
    for (const name of ALL) {
      await waitForHealthy(lab, await instanceDisk(lab, name));
      const { primary, secondary } = await contentHash(lab, name);
      expect([primary, secondary], name).toEqual([written.get(name), written.get(name)]);
      expect(await statuses()).toContain(`${name}:running:`);
    }
    const allHealthy = async (): Promise<true | undefined> => {
      const { resources_total, resources_healthy } = await stage.vigie.status();
      return resources_healthy === resources_total ? true : undefined;
    };
    await stage.vigie.until("all are seen healthy", allHealthy, 30);
  },
);
