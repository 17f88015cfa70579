/**
 * What must hold at every moment of every scenario. Checked on the world itself, not on what the agents say of it.
 */
import { ConnectionState, Role } from "@vigie/proto";
import type { World } from "./world.js";

const CUT_MAX_MS = 65_000; // TTL at most 60 s, and 5 s more (I17)

export interface InvariantWatch {
  /** @returns what is broken now, each beginning with its number */
  readonly look: () => string[];
}

export function watchInvariants(world: World): InvariantWatch {
  const standingSinceMs = new Map<string, number>();
  return {
    look: () => [
      ...cutsOfOneLink(world),
      ...cutsThatStay(world, standingSinceMs),
      ...cutsAtOnce(world),
      ...primaries(world),
    ],
  };
}

/** I18: a cut is of one peer and one DRBD port, of a link between this very node and that peer. */
function cutsOfOneLink(world: World): string[] {
  return [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()]
      .filter(
        (entry) =>
          !world.disks.some((disk) =>
            disk.ends.some(
              (own, i) =>
                own.node === node.name &&
                entry === `${world.nodes.get(disk.ends[1 - i]?.node ?? "")?.address},tcp:${disk.port}`,
            ),
          ),
      )
      .map((entry) => `I18: ${node.name} cuts ${entry}, which is no DRBD link of its own`),
  );
}

function cutsThatStay(world: World, sinceMs: Map<string, number>): string[] {
  const standing = [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()].map((entry) => `${node.name} ${entry}`),
  );
  for (const key of sinceMs.keys()) if (!standing.includes(key)) sinceMs.delete(key);
  for (const key of standing) if (!sinceMs.has(key)) sinceMs.set(key, world.clock.monotonicMs());
  return [...sinceMs]
    .filter(([, since]) => world.clock.monotonicMs() - since > CUT_MAX_MS)
    .map(([key]) => `I17: ${key} was cut for more than ${CUT_MAX_MS / 1000} s`);
}

/** I9: at most one at a time between two nodes; with three nodes, that is one or none of each pair. */
function cutsAtOnce(world: World): string[] {
  const pairs = [...world.nodes.values()].flatMap((node) =>
    [...node.cuts.keys()].map((entry) => [node.address, entry.split(",")[0] ?? ""].toSorted().join(" ")),
  );
  return pairs.length === new Set(pairs).size
    ? []
    : [`I9: two cuts between the same nodes: ${pairs.join("; ")}`];
}

/** I6: nobody made a Primary; and a StandAlone end stays as it is until a person acts (I8). */
function primaries(world: World): string[] {
  return world.disks
    .filter(
      (disk) =>
        disk.ends.some((end) => end.connection === ConnectionState.STAND_ALONE) &&
        disk.ends.every((end) => end.role === Role.UNSPECIFIED),
    )
    .map((disk) => `I6: ${disk.instance} lost its roles`);
}
