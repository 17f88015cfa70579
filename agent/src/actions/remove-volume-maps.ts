/** The maps of a dead disk's volumes go, one by one, so that the kernel can forget the disk (W2). */
import { explain, VigieError, type RemoveVolumeMaps, type VolumeMap } from "@vigie/proto";
import { checkDisk, checkMap } from "../argument-types.js";
import { judgeRemoval } from "../guards/remove-maps.js";
import type { Command } from "../host.js";
import type { ActionDefinition, ActionStep, Look } from "./action.js";
import { identityOfGone } from "./identity.js";
import { diskLock, seenDisk, stackOf } from "./look-at-disk.js";
import { allMaps } from "./look-at-maps.js";

const TIMEOUT_MS = 10_000;

export const removeVolumeMaps: ActionDefinition<RemoveVolumeMaps> = {
  name: "removeVolumeMaps",
  about: ({ disk }) => disk?.node ?? "",
  check: ({ disk, maps }) => {
    checkDisk(disk);
    for (const { name, uuid } of maps) checkMap(name, uuid);
  },
  locks: ({ disk }) => [diskLock(disk)],
  opens: ({ disk }) => disk?.name ?? "",
  factsMaxAgeMs: 6_000, // dmsetup's two answers; it refuses a map that is open itself, and the disk is looked at last
  guard: async (params, look) => {
    const { disk } = params;
    const maps = await allMaps(look);
    if (disk === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no disk");
    const stack = await stackOf(disk, look).catch((error: unknown) => explain(error));
    return judgeRemoval(params, { ...(await seenDisk(disk, look)), stack, maps });
  },
  holds: async ({ maps }, look) => {
    const left = await mapsLeft(maps, look);
    return typeof left !== "string" && left.length === 0 && maps.length > 0 && { message: "they are gone" };
  },
  identity: ({ disk }, look) => identityOfGone(disk, look),
  steps: ({ maps }) => maps.map(removal),
  verify: async ({ maps }, look) => {
    const left = await mapsLeft(maps, look);
    if (typeof left === "string") return { done: "unknown", message: left };
    const message = left.length === 0 ? `${maps.length} are gone` : `still there: ${left.join(", ")}`;
    return { done: left.length === 0, message };
  },
};

/** Looked at again before each: the name could be another's by then (I4). */
function removal({ name, uuid }: VolumeMap): ActionStep {
  const run: Command = { file: "/usr/sbin/dmsetup", args: ["remove", name], timeoutMs: TIMEOUT_MS };
  return {
    run,
    needed: async (look) => {
      const maps = await allMaps(look);
      if (typeof maps === "string") throw new VigieError("SOURCE_FAILED", maps);
      return maps.some((map) => map.name === name && map.uuid === uuid && map.openCount === 0);
    },
  };
}

/** By UUID: one that has only the name is another. */
async function mapsLeft(maps: readonly VolumeMap[], look: Look): Promise<string[] | string> {
  const known = await allMaps(look);
  if (typeof known === "string") return known;
  const left = maps.filter(({ uuid }) => known.some((map) => map.uuid === uuid));
  return left.map(({ name }) => name);
}
