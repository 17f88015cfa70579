/**
 * Whether two ends may be connected. Ganeti sets after-sb-0pri and after-sb-1pri, so DRBD may give a side up by itself
 * when they meet (F10): nothing of ours connects ends that each have writes of their own, or that are StandAlone (I8).
 */
import {
  ConnectionState,
  connectionWord,
  DiskState,
  diskWord,
  Role,
  roleWord,
  Source,
  type DrbdEnd,
  type DrbdGenerations,
  type DrbdMinor,
  type MayConnect,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { isLinked } from "../../view/node-view.js";
import { never, NOT_YET, notYet, seen, type Ask, type ConditionDefinition, type Seen } from "./condition.js";
import { notOurs } from "./identity.js";
import { minorAt } from "./minors.js";

type Place = readonly [node: string, minor: number];

/** Whose data may be newer than the other's; all other states have nothing that the peer could lack. */
const HAS_DATA: ReadonlySet<DiskState> = new Set([
  DiskState.UP_TO_DATE,
  DiskState.OUTDATED,
  DiskState.CONSISTENT,
]);

export const mayConnect: ConditionDefinition<MayConnect> = {
  asks: ({ end, givenUpAt }, view) => {
    const both = placesOf(end);
    const states: Ask[] = both.map(([node]) => ({ node, source: Source.PROC_DRBD }));
    const known = both.map(([node, minor]) => view.nodes.get(node)?.minors.get(minor)?.drbd);
    const asked = givenUpAt === "" && known.every((drbd) => drbd !== undefined && HAS_DATA.has(drbd.disk));
    if (!asked || known.every((drbd) => drbd !== undefined && isLinked(drbd))) return states;
    return [
      ...states,
      ...both.map(([node, minor]) => ({ node, source: Source.DRBD_GENERATIONS, about: { minor } })),
    ];
  },
  watch:
    ({ end, givenUpAt }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end);
      if (lost !== "") return never(lost);
      const minors = placesOf(end).map(([node, minor]) => minorAt(view, node, minor, sinceMs));
      const [own, peer] = minors;
      if (own === undefined || peer === undefined || own === "unknown" || peer === "unknown") return NOT_YET;
      const linked = own !== "none" && peer !== "none" && isLinked(own) && isLinked(peer);
      if (linked) return seen(`${end?.instance} disk/${end?.diskIndex} is connected`);
      if (givenUpAt !== "") return isGivenUp(givenUpAt === end?.node ? own : peer, givenUpAt);
      const inactive = placesOf(end).find((_place, i) => isInactive(minors[i]));
      if (inactive !== undefined) return seen(`minor ${inactive[1]} of ${inactive[0]} is not active`);
      return own === "none" || peer === "none" ? NOT_YET : apart(view, end, [own, peer], sinceMs);
    },
};

function placesOf(end: DrbdEnd | undefined): readonly Place[] {
  return [
    [end?.node ?? "", end?.minor ?? -1],
    [end?.peerNode ?? "", end?.peerMinor ?? -1],
  ];
}

function isInactive(minor: DrbdMinor | "none" | "unknown" | undefined): boolean {
  if (minor === "none") return true;
  return typeof minor === "object" && minor.connection === ConnectionState.UNCONFIGURED;
}

function isGivenUp(minor: DrbdMinor | "none", node: string): Seen {
  if (minor === "none") return notYet(`the copy on ${node} is not active`);
  const words = `${node}: ${connectionWord(minor.connection)} ${roleWord(minor.role)} ${diskWord(minor.disk)}`;
  const isEmpty = minor.disk === DiskState.INCONSISTENT && minor.role === Role.SECONDARY;
  return isEmpty ? seen(words) : notYet(words);
}

function apart(
  view: ClusterView,
  end: DrbdEnd | undefined,
  minors: readonly [DrbdMinor, DrbdMinor],
  sinceMs: number,
): Seen {
  const places = placesOf(end);
  const alone = places.find((_place, i) => minors[i]?.connection === ConnectionState.STAND_ALONE);
  const what = `${end?.instance} disk/${end?.diskIndex}`;
  if (alone !== undefined) return notYet(`${what} is StandAlone on ${alone[0]} (I8)`);
  const empty = places.find((_place, i) => !HAS_DATA.has(minors[i]?.disk ?? DiskState.UNSPECIFIED));
  if (empty !== undefined) return seen(`${what} has nothing on ${empty[0]} that its peer lacks`);
  const [own, peer] = places.map(([node, minor]) => {
    const answered = view.nodes.get(node)?.generations.get(minor);
    return answered !== undefined && answered.readAtMs >= sinceMs ? answered.value : undefined;
  });
  if (own === undefined || peer === undefined) return NOT_YET;
  if (isAncestor(own, peer) || isAncestor(peer, own)) return seen(`${what}: one end goes on from the other`);
  return never(
    `${what}: both ends have writes of their own, generations ${own.currentUuid} and ${peer.currentUuid} (I8); vigie do resolve-split-brain ${end?.instance}`,
  );
}

/** Nothing was written here since the other end began its generation (drbd_receiver.c, drbd_uuid_compare). */
function isAncestor(older: DrbdGenerations, newer: DrbdGenerations): boolean {
  const uuids = [newer.currentUuid, newer.bitmapUuid, ...newer.historyUuids].map(withoutRole);
  return uuids.includes(withoutRole(older.currentUuid));
}

/** The lowest bit says whether the end was Primary. */
function withoutRole(uuid: string): string {
  const last = Number.parseInt(uuid.slice(-1), 16);
  return `${uuid.slice(0, -1)}${(last & ~1).toString(16)}`.toUpperCase();
}
