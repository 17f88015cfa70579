/** Let one minor go on without its disk (W2). A detach that hangs keeps its minor: nothing is sent to it any more. */
import { connectionWord, DiskState, diskWord, type DetachMinor } from "@vigie/proto";
import { checkEnd } from "../argument-types.js";
import { fact } from "../guards/fact.js";
import { judgeDetach } from "../guards/lose-copy.js";
import type { ActionDefinition } from "./action.js";
import { identityOfEnd } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";
import { detach } from "./drbdsetup.js";
import { seenForLoss } from "./seen-for-loss.js";

export const detachMinor: ActionDefinition<DetachMinor> = {
  name: "detachMinor",
  about: ({ end }) => end?.node ?? "",
  check: ({ end }) => checkEnd(end),
  identityOf: (params) => ({ ...params, peer: undefined }),
  locks: ({ end }) => [minorLock(end)],
  factsMaxAgeMs: 6_000, // drbdsetup's two answers; /proc/drbd is read last, and judged by its own age
  guard: async ({ end, peer }, look) => {
    const [seen] = await seenForLoss([end], [peer], look);
    return seen === undefined ? [fact("which end", "not named", false, "I13")] : judgeDetach(end, peer, seen);
  },
  holds: async ({ end }, look) => {
    const { minor } = await look.drbdMinor(end?.minor ?? -1);
    return minor?.disk === DiskState.DISKLESS && { message: `minor ${minor.minor} is Diskless` };
  },
  identity: ({ end }, look) => identityOfEnd(end, look, { disk: "perhaps" }),
  steps: ({ end }) => (end === undefined ? [] : [{ run: detach(end.minor) }]),
  verify: async ({ end }, look) => {
    const { minor, unknown } = await look.drbdMinor(end?.minor ?? -1);
    if (minor === undefined) return { done: "unknown", message: unknown };
    const message = `${connectionWord(minor.connection)}, ${diskWord(minor.disk)}/${diskWord(minor.peerDisk)}`;
    return { done: minor.disk === DiskState.DISKLESS, message };
  },
};
