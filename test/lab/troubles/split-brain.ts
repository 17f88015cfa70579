/** Both ends wrote as Primary while they did not see each other; they meet and refuse each other's data. */
import type { DiskSide, InstanceDisk } from "../cluster/configuration.js";
import { connect, disconnect, procDrbd, waitForMinor } from "../cluster/drbd.js";
import { waitForHealthy } from "../cluster/instance.js";
import type { Lab } from "../lab.js";
import { diskOf, type Trouble } from "./trouble.js";

const NOTICED_MS = 60_000;
const APART = "cs:(StandAlone|WFConnection)";

export const splitBrain: Trouble = {
  name: "split-brain",
  about:
    "both ends wrote as Primary while apart; StandAlone after they met (mending drops the secondary's data)",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const said = await timesSaid(lab, disk);
    await disconnect(lab, disk, disk.primary);
    await disconnect(lab, disk, disk.secondary);
    await write(lab, disk.primary);
    const minor = String(disk.secondary.minor);
    const peer = lab.node(disk.secondary.node);
    await peer.run(`drbdsetup primary ${minor} --force`);
    await write(lab, disk.secondary);
    await peer.run(`drbdsetup secondary ${minor}`);
    await connect(lab, disk, disk.primary);
    await connect(lab, disk, disk.secondary);
    await logged(lab, disk, said + 1);
    return (await procDrbd(lab, disk.primary)) + (await procDrbd(lab, disk.secondary));
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const apart = (side: DiskSide): Promise<void> =>
      waitForMinor(lab, side, "cs:(StandAlone|Connected|Sync)", 20_000);
    await leaveWaiting(lab, disk, disk.secondary);
    await apart(disk.secondary);
    await lab.node(disk.secondary.node).run(`drbdsetup secondary ${String(disk.secondary.minor)}`); // a test may have made it Primary
    await connect(lab, disk, disk.secondary, "--discard-my-data");
    await connect(lab, disk, disk.primary);
    await waitForHealthy(lab, disk);
  },
};

async function write(lab: Lab, side: DiskSide): Promise<void> {
  const command = `dd if=/dev/urandom of=${side.device} bs=4k count=16 oflag=direct conv=notrunc status=none`;
  await lab.node(side.node).run(command);
}

/** Of both kernels: one end notices, and the other may only be hung up on. */
async function timesSaid(lab: Lab, { primary, secondary }: InstanceDisk): Promise<number> {
  const count = "dmesg | grep -c 'Split-Brain detected'";
  const said = [primary, secondary].map(({ node }) => lab.node(node).run(count, { allowFailure: true }));
  return (await Promise.all(said)).reduce((sum, { stdout }) => sum + Number(stdout), 0);
}

async function logged(lab: Lab, disk: InstanceDisk, times: number): Promise<void> {
  const endMs = Date.now() + NOTICED_MS;
  while ((await timesSaid(lab, disk)) < times) {
    if (Date.now() > endMs) throw new Error("neither kernel noticed the split brain");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await waitForMinor(lab, disk.primary, APART);
  await waitForMinor(lab, disk.secondary, APART);
}

async function leaveWaiting(lab: Lab, disk: InstanceDisk, side: DiskSide): Promise<void> {
  if (/cs:WFConnection/.test(await procDrbd(lab, side))) await disconnect(lab, disk, side);
}
