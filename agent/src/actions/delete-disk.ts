/** The kernel forgets a disk that is offline, and it can be pulled out (W2). There is no undo but a rescan. */
import { BlockDevice, explain, Source, type DeleteDisk, type DiskIdentity } from "@vigie/proto";
import { checkDisk } from "../argument-types.js";
import { judgeDelete } from "../guards/delete-disk.js";
import { twinsAmong } from "../guards/twins.js";
import type { ActionDefinition, Look } from "./action.js";
import { identityOfGone } from "./identity.js";
import { usersOf } from "./look-at-content.js";
import { diskLock, hostUse, seenDisk, stackOf } from "./look-at-disk.js";

export const deleteDisk: ActionDefinition<DeleteDisk> = {
  name: "deleteDisk",
  about: ({ disk }) => disk?.node ?? "",
  check: ({ disk }) => checkDisk(disk),
  locks: ({ disk }) => [diskLock(disk)],
  opens: ({ disk }) => disk?.name ?? "",
  factsMaxAgeMs: 6_000, // every process's open files; the disk itself is looked at last
  guard: async (params, look) => {
    const { disk } = params;
    if (disk === undefined) return judgeDelete(params, NOT_NAMED);
    const stack = await stackOf(disk, look).catch((error: unknown) => explain(error));
    const users = typeof stack === "string" ? NOT_NAMED.users : await usersOf(stack, look.host);
    const use = await hostUse(look.host);
    return judgeDelete(params, { ...(await seenDisk(disk, look)), stack, use, users });
  },
  holds: async ({ disk }, look) => {
    const there = await isThere(disk, look);
    return there === false && { message: `no disk of the node has the wwid of ${disk?.name}` };
  },
  identity: ({ disk }, look) => identityOfGone(disk, look),
  steps: ({ disk }) =>
    disk === undefined
      ? []
      : [{ write: { attribute: "delete", text: "1" }, path: `/sys/block/${disk.name}/device/delete` }],
  verify: async ({ disk }, look) => {
    const there = await isThere(disk, look);
    if (typeof there === "string") return { done: "unknown", message: there };
    return { done: !there, message: there ? `${disk?.name} is still there` : `${disk?.name} is gone` };
  },
};

/**
 * By what it says of itself: its name may be another's by now. A text: nobody can say, for what tells no wwid, or cannot
 * be read, may be it (I11).
 */
async function isThere(disk: DiskIdentity | undefined, look: Look): Promise<boolean | string> {
  if (disk === undefined || disk.wwid === "") return "the disk has no wwid";
  const { facts, reason, damaged } = await look.read(Source.BLOCK_DEVICES);
  if (facts?.$case !== "blockDevices") return `disks: ${reason}`;
  const { devices } = facts.value;
  if (devices.some(({ wwid }) => wwid === disk.wwid)) return true;
  const gone = BlockDevice.create({ ...disk, name: "" }); // of whatever name
  const [perhaps] = twinsAmong(gone, devices, damaged);
  return perhaps === undefined ? false : `disks: ${perhaps}`;
}

const NOT_NAMED = {
  bootId: "",
  device: undefined,
  unknownBecause: "not named",
  twins: [],
  ageMs: 0,
  stack: "not named",
  use: { mounts: [], swaps: [], unknownBecause: "not looked at" },
  users: { users: [], unknownBecause: "not looked at" },
};
