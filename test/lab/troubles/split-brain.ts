/** Both ends wrote as Primary while they did not see each other; they meet and refuse each other's data. */
import type { DiskSide, InstanceDisk } from "../cluster/configuration.js";
import { connect, disconnect, procDrbd, waitForMinor } from "../cluster/drbd.js";
import { waitForHealthy } from "../cluster/instance.js";
import type { Lab } from "../lab.js";
import { diskOf, type Trouble } from "./trouble.js";

export const splitBrain: Trouble = {
  name: "split-brain",
  about:
    "both ends wrote as Primary while apart; StandAlone after they met (mending drops the secondary's data)",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
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
    await logged(lab, disk);
    return (await procDrbd(lab, disk.primary)) + (await procDrbd(lab, disk.secondary));
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const apart = (side: DiskSide): Promise<void> =>
      waitForMinor(lab, side, "cs:(StandAlone|Connected|Sync)", 20_000);
    await leaveWaiting(lab, disk, disk.secondary);
    await apart(disk.secondary);
    await connect(lab, disk, disk.secondary, "--discard-my-data");
    await connect(lab, disk, disk.primary);
    await waitForHealthy(lab, disk);
  },
};

async function write(lab: Lab, side: DiskSide): Promise<void> {
  const command = `dd if=/dev/urandom of=${side.device} bs=4k count=16 oflag=direct conv=notrunc status=none`;
  await lab.node(side.node).run(command);
}

/** The kernel says it on the end that noticed; the other may be left waiting. */
async function logged(lab: Lab, disk: InstanceDisk): Promise<void> {
  const ended = "cs:(StandAlone|WFConnection)";
  await waitForMinor(lab, disk.primary, ended);
  const seen = `for i in $(seq 100); do dmesg | grep -q 'Split-Brain detected' && exit 0; sleep 0.1; done; exit 1`;
  await lab.node(disk.primary.node).run(seen);
  await waitForMinor(lab, disk.primary, ended);
}

async function leaveWaiting(lab: Lab, disk: InstanceDisk, side: DiskSide): Promise<void> {
  if (/cs:WFConnection/.test(await procDrbd(lab, side))) await disconnect(lab, disk, side);
}
