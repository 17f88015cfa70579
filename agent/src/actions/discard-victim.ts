/**
 * One side of a split brain gives its data up (W4): it becomes Secondary, stops to connect, and is Inconsistent from
 * then on; when Ganeti connects it, it gets all from the other side. Each command is sent only where it is needed,
 * and none has a forced form (I5).
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  Role,
  roleWord,
  Source,
  VigieError,
  type DiscardVictim,
  type DrbdMinor,
} from "@vigie/proto";
import { checkEnd, checkGeneration, checkHostName, checkLvmName } from "../argument-types.js";
import { judgeDiscard } from "../guards/discard-victim.js";
import type { Snapshot } from "../guards/sound-snapshot.js";
import type { ActionDefinition, Look } from "./action.js";
import { identityOfEnd } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";
import { disconnect, invalidate, secondary } from "./drbdsetup.js";
import { holdersOf } from "./look-at-holders.js";
import { currentGeneration, peerAgeMs } from "./seen-for-loss.js";

const SNAPSHOT_SEEN_MS = 10_000;

export const discardVictim: ActionDefinition<DiscardVictim> = {
  name: "discardVictim",
  about: ({ end }) => end?.node ?? "",
  check: ({ end, typedNode, currentUuid, survivorUuid, snapshotName }) => {
    checkEnd(end);
    checkHostName(typedNode, "node that was typed");
    checkGeneration(currentUuid, "generation");
    checkGeneration(survivorUuid, "survivor's generation");
    if (snapshotName !== "") checkLvmName(snapshotName, "snapshot");
  },
  identityOf: (params) => ({ ...params, peer: undefined }),
  locks: ({ end }) => [minorLock(end)],
  factsMaxAgeMs: 10_000, // holders and LVM; the minor is looked at last, and judged by its own age
  guard: async (params, look) => {
    const { end, peer, snapshotName } = params;
    const minor = end?.minor ?? -1;
    const [held, config, { cuts, unknown }, currentUuid, snapshot] = await Promise.all([
      holdersOf(minor, look),
      look.drbdConfig(minor),
      look.cuts(),
      currentGeneration(minor, look),
      findSnapshot(end?.dataLv ?? "", snapshotName, look),
    ]);
    const seen = await look.drbdMinor(minor);
    return judgeDiscard(params, {
      bootId: look.bootId,
      config,
      own: seen.minor,
      ownUnknownBecause: seen.unknown,
      ownAgeMs: look.host.monotonicMs() - seen.readAtMs,
      currentUuid,
      held,
      peerAgeMs: peerAgeMs(peer, look),
      snapshot,
      cuts,
      cutsUnknownBecause: unknown,
    });
  },
  holds: async ({ end }, look) => {
    const { minor } = await look.drbdMinor(end?.minor ?? -1);
    return minor !== undefined && isDiscarded(minor) && { message: described(minor) };
  },
  identity: ({ end }, look) => identityOfEnd(end, look, { link: "perhaps" }),
  /** Both can be taken back: nothing is given up yet. */
  prepare: {
    isSeen: true,
    steps: ({ end }) =>
      end === undefined
        ? []
        : [
            { run: secondary(end.minor), needed: isSo(end.minor, (minor) => minor.role !== Role.SECONDARY) },
            {
              run: disconnect(end),
              needed: isSo(end.minor, (minor) => minor.connection !== ConnectionState.STAND_ALONE),
            },
          ],
  },
  steps: ({ end }) =>
    end === undefined
      ? []
      : [
          {
            run: invalidate(end.minor),
            needed: isSo(end.minor, (minor) => minor.disk !== DiskState.INCONSISTENT),
          },
        ],
  verify: async ({ end }, look) => {
    const { minor, unknown } = await look.drbdMinor(end?.minor ?? -1);
    if (minor === undefined) return { done: "unknown", message: unknown };
    return { done: isDiscarded(minor), message: described(minor) };
  },
};

/** @throws VigieError SOURCE_FAILED where it cannot be seen: then nothing more is sent (I11) */
function isSo(minor: number, holds: (minor: DrbdMinor) => boolean): (look: Look) => Promise<boolean> {
  return async (look) => {
    const seen = await look.drbdMinor(minor);
    if (seen.minor === undefined) throw new VigieError("SOURCE_FAILED", seen.unknown);
    return holds(seen.minor);
  };
}

/** Whether it is StandAlone is not asked: Ganeti may have connected it since. */
function isDiscarded({ role, disk }: DrbdMinor): boolean {
  return role === Role.SECONDARY && disk === DiskState.INCONSISTENT;
}

function described({ connection, role, disk }: DrbdMinor): string {
  return `${connectionWord(connection)}, ${roleWord(role)}, ${diskWord(disk)}`;
}

/**
 * Beside the volume whose data it keeps; its name tells whose it is. Nobody else removes it within seconds, and LVM
 * takes as long to answer where a node is busy: then all else that the guard saw would be too old.
 */
async function findSnapshot(dataLv: string, name: string, look: Look): Promise<Snapshot | string> {
  if (name === "") return "none was named";
  const { facts, reason } = await look.recent(Source.LVM, SNAPSHOT_SEEN_MS);
  if (facts?.$case !== "lvm") return `LVM: ${reason}`;
  const [vg] = dataLv.split("/");
  const found = facts.value.logicalVolumes.find(({ vgName, lvName }) => vgName === vg && lvName === name);
  return found ?? "LVM does not list it";
}
