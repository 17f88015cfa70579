/** A snapshot of one end's data volume, before its data is given up. It is of the disk, below DRBD. */
import { Source, type SnapshotVolume } from "@vigie/proto";
import { checkEnd, checkLvmName, checkWhole } from "../argument-types.js";
import { judgeSnapshot } from "../guards/snapshot-volume.js";
import { whyNoSnapshotOf, type Snapshot } from "../guards/sound-snapshot.js";
import type { Command } from "../host.js";
import type { ActionDefinition, Look } from "./action.js";
import { identityOfEnd } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";

const TIMEOUT_MS = 60_000; // it waits for the volume's I/O to drain
const SIZE_MIN_KIB = 4_096; // one extent of LVM's default size
const SIZE_MAX_KIB = 2 ** 36; // 64 TiB

export const snapshotVolume: ActionDefinition<SnapshotVolume> = {
  name: "snapshotVolume",
  about: ({ end }) => end?.node ?? "",
  check: ({ end, snapshotName, sizeKib }) => {
    checkEnd(end);
    checkLvmName(snapshotName, "snapshot");
    checkWhole(sizeKib, SIZE_MIN_KIB, SIZE_MAX_KIB, "snapshot's size in KiB");
  },
  locks: ({ end }) => [minorLock(end)],
  factsMaxAgeMs: 20_000, // LVM's three tools, which check it all again themselves
  guard: async (params, look) =>
    judgeSnapshot(params, {
      bootId: look.bootId,
      config: await look.drbdConfig(params.end?.minor ?? -1),
      lvm: await lvmNow(look),
    }),
  holds: async (params, look) => {
    const lvm = await lvmNow(look);
    return (
      typeof lvm !== "string" &&
      lvm.logicalVolumes.some((volume) => isSnapshot(params, volume)) && { message: "it is there" }
    );
  },
  identity: ({ end }, look) => identityOfEnd(end, look, { link: "perhaps" }),
  steps: ({ end, snapshotName, sizeKib }) =>
    end === undefined ? [] : [{ run: snapshot(end.dataLv, snapshotName, sizeKib) }],
  verify: async (params, look) => {
    const lvm = await lvmNow(look);
    if (typeof lvm === "string") return { done: "unknown", message: lvm };
    const done = lvm.logicalVolumes.some((volume) => isSnapshot(params, volume));
    return { done, message: done ? "LVM lists the snapshot" : "LVM lists no such snapshot" };
  },
};

function snapshot(dataLv: string, name: string, sizeKib: number): Command {
  const args = ["--snapshot", "--name", name, "--size", `${sizeKib}k`, dataLv];
  return { file: "/usr/sbin/lvcreate", args, timeoutMs: TIMEOUT_MS };
}

function isSnapshot({ end, snapshotName }: SnapshotVolume, volume: Snapshot): boolean {
  return volume.lvName === snapshotName && whyNoSnapshotOf(end?.dataLv ?? "", volume) === "";
}

async function lvmNow(look: Look) {
  const { facts, reason } = await look.read(Source.LVM);
  return facts?.$case === "lvm" ? facts.value : `LVM: ${reason}`;
}
