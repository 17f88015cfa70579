/** The partition maps that kpartx left on a guest's disk go, so that it can be closed (W3). */
import type { UnmapPartitions } from "@vigie/proto";
import { checkEnd } from "../argument-types.js";
import { judgeUnmap } from "../guards/unmap-partitions.js";
import type { Command } from "../host.js";
import type { ActionDefinition } from "./action.js";
import { identityOfEnd } from "./identity.js";
import { minorLock } from "./cut-drbd-link.js";
import { hostUse } from "./look-at-disk.js";
import { partitionMaps } from "./look-at-maps.js";

const TIMEOUT_MS = 10_000;

export const unmapPartitions: ActionDefinition<UnmapPartitions> = {
  name: "unmapPartitions",
  about: ({ end }) => end?.node ?? "",
  check: ({ end }) => checkEnd(end),
  locks: ({ end }) => [minorLock(end)],
  factsMaxAgeMs: 6_000, // dmsetup's two answers; the kernel itself refuses a map that is open
  guard: async ({ end }, look) => {
    const minor = end?.minor ?? -1;
    const [config, maps, use] = await Promise.all([
      look.drbdConfig(minor),
      partitionMaps(minor, look),
      hostUse(look.host),
    ]);
    return judgeUnmap(end, { bootId: look.bootId, config, maps, use });
  },
  holds: async ({ end }, look) => {
    const maps = await partitionMaps(end?.minor ?? -1, look);
    return Array.isArray(maps) && maps.length === 0 && { message: "kpartx has no map on it" };
  },
  identity: ({ end }, look) => identityOfEnd(end, look, { disk: "perhaps", link: "perhaps" }),
  steps: ({ end }) => (end === undefined ? [] : [{ run: unmap(end.minor) }]),
  verify: async ({ end }, look) => {
    const maps = await partitionMaps(end?.minor ?? -1, look);
    if (typeof maps === "string") return { done: "unknown", message: maps };
    const names = maps.map(({ name }) => name).join(", ");
    return { done: maps.length === 0, message: names === "" ? "no map is left" : `still there: ${names}` };
  },
};

function unmap(minor: number): Command {
  return { file: "/usr/sbin/kpartx", args: ["-d", `/dev/drbd${minor}`], timeoutMs: TIMEOUT_MS };
}
