/** The kernel sends a failing disk no more I/O (W2): only where every volume on it is whole elsewhere (I1, I2, I3). */
import { explain, VigieError, type DiskIdentity, type SetDiskOffline } from "@vigie/proto";
import { checkDisk, checkEnd, must } from "../argument-types.js";
import { judgeDiskOffline, type SeenForOffline } from "../guards/disk-offline.js";
import { partsToLookAt } from "../guards/disk-content.js";
import type { ActionDefinition, Look, WriteStep } from "./action.js";
import { identityOfDisk } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";
import { contentsOf, usersOf } from "./look-at-content.js";
import { diskLock, hostUse, lvmOf, seenDisk, stackOf, stateByWwid } from "./look-at-disk.js";
import { seenForLoss } from "./seen-for-loss.js";

export const setDiskOffline: ActionDefinition<SetDiskOffline> = {
  name: "setDiskOffline",
  about: ({ disk }) => disk?.node ?? "",
  check: ({ disk, minors }) => {
    checkDisk(disk);
    for (const end of minors) {
      checkEnd(end);
      must(end.node === disk.node, "end's node", end.node);
    }
  },
  identityOf: (params) => ({ ...params, peers: undefined }),
  locks: ({ disk, minors }) => [diskLock(disk), ...minors.map(minorLock)],
  opens: ({ disk }) => disk?.name ?? "",
  factsMaxAgeMs: 10_000, // LVM, and a question to drbdsetup for each minor; the disk and the minors are looked at last
  guard: async (params, look) => judgeDiskOffline(params, await seenForOffline(params, look)),
  holds: async ({ disk }, look) => {
    const state = await stateByWwid(disk, look);
    return state === "offline" && { message: `${disk?.name} is offline` };
  },
  identity: ({ disk }, look) => identityOfDisk(disk, look),
  steps: ({ disk }) => (disk === undefined ? [] : [offlineStep(disk)]),
  verify: async ({ disk }, look) => {
    try {
      const state = (await look.device?.read("device/state"))?.trim() ?? "not told";
      return { done: state === "offline", message: `${disk?.name} is ${state}` };
    } catch (error) {
      return { done: "unknown", message: `the state of ${disk?.name}: ${explain(error)}` };
    }
  },
};

function offlineStep({ name }: DiskIdentity): WriteStep {
  return { write: { attribute: "state", text: "offline" }, path: `/sys/block/${name}/device/state` };
}

/** Slow and steady things first; the minors, which move, last (I14). */
async function seenForOffline({ disk, minors, peers }: SetDiskOffline, look: Look): Promise<SeenForOffline> {
  if (disk === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no disk");
  const onDisk = await seenOnDisk(disk, look).catch((error: unknown) => ({
    ...NOTHING_SEEN,
    volumesUnknownBecause: explain(error),
  }));
  const use = await hostUse(look.host);
  const seen = await seenDisk(disk, look);
  const ends = await seenForLoss(minors, peers, look);
  return { ...seen, ...onDisk, hostUse: use, minors: ends };
}

type SeenOnDisk = Pick<
  SeenForOffline,
  "volumes" | "volumesUnknownBecause" | "pvs" | "lvm" | "contents" | "users"
>;

async function seenOnDisk(disk: DiskIdentity, look: Look): Promise<SeenOnDisk> {
  const stack = await stackOf(disk, look);
  const { volumes, pvs, lvm } = await lvmOf(disk, stack, look);
  const contents = await contentsOf(partsToLookAt(stack, disk, pvs), look.host);
  const users = await usersOf(stack, look.host);
  return { volumes: { stack, volumes }, volumesUnknownBecause: "", pvs, lvm, contents, users };
}

const NOTHING_SEEN: SeenOnDisk = {
  volumes: undefined,
  volumesUnknownBecause: "",
  pvs: [],
  lvm: { word: "unknown", because: "not asked" },
  contents: [],
  users: { users: [], unknownBecause: "not looked at" },
};
