/**
 * One identity in an action taken for another one: sdb for sda, 10 for 0, another link's port, another node's boot.
 * Only what a kernel can be asked about: an instance's name is on no device.
 */
import type { Action, DiskIdentity, DrbdEnd, VolumeMap } from "@vigie/proto";

export type Kind = NonNullable<Action["kind"]>;

/** What there is in the cluster to be taken for something else. */
export interface Others {
  readonly minors: readonly number[];
  readonly ports: readonly number[];
  readonly addresses: readonly string[];
  readonly volumes: readonly string[];
  readonly nodes: readonly string[];
  readonly boots: readonly string[];
  readonly disks: readonly DiskIdentity[];
  readonly maps: readonly VolumeMap[];
}

export interface Swapped {
  readonly kind: Kind;
  readonly what: string; // "end.minor: 0 → 10"
}

type Field<T> = readonly [keyof T & string, (others: Others) => readonly unknown[]];

const OF_END: readonly Field<DrbdEnd>[] = [
  ["minor", ({ minors }) => minors],
  ["port", ({ ports }) => ports],
  ["localAddress", ({ addresses }) => addresses],
  ["peerAddress", ({ addresses }) => addresses],
  ["dataLv", ({ volumes }) => volumes],
  ["node", ({ nodes }) => nodes],
  ["bootId", ({ boots }) => boots],
];

/** Of an end that is StandAlone: its kernel has no port and no addresses then, and no command names them. */
const ALONE = OF_END.filter(([field]) => !["port", "localAddress", "peerAddress"].includes(field));

/** Held against the peer's own report, where the action has one. */
const OF_PEER: readonly Field<DrbdEnd>[] = [
  ["peerMinor", ({ minors }) => minors],
  ["peerNode", ({ nodes }) => nodes],
  ["peerBootId", ({ boots }) => boots],
];

const OF_DISK: readonly Field<DiskIdentity>[] = [
  ...(["name", "dev", "wwid", "serial", "scsiAddress"] as const).map((field): Field<DiskIdentity> => [
    field,
    ({ disks }) => disks.map((disk) => disk[field]),
  ]),
  ["model", () => ["ST4000 other"]],
  ["sizeBytes", () => [4_000_787_030_016]],
  ["node", ({ nodes }) => nodes],
  ["bootId", ({ boots }) => boots],
];

const OF_PV: readonly Field<DiskIdentity>[] = [
  ["pvUuid", ({ disks }) => disks.map(({ pvUuid }) => pvUuid)],
  ["vgUuid", ({ disks }) => disks.map(({ vgUuid }) => vgUuid)],
];

/** @param pick a whole number below its argument; undefined: this action names nothing that could be swapped */
export function swap(kind: Kind, others: Others, pick: (below: number) => number): Swapped | undefined {
  switch (kind.$case) {
    case "cutDrbdLink":
    case "detachMinor":
      return ofEnd(kind, [...OF_END, ...OF_PEER], others, pick);
    case "unmapPartitions":
    case "downMinor":
      return ofEnd(kind, OF_END, others, pick);
    case "snapshotVolume":
      return ofEnd(kind, ALONE, others, pick);
    case "discardVictim":
      return pick(4) === 0 ? ofVictim(kind, others, pick) : ofEnd(kind, [...ALONE, ...OF_PEER], others, pick);
    case "setDiskOffline":
      return pick(2) === 0
        ? ofMinors(kind, others, pick)
        : ofDisk(kind, [...OF_DISK, ...OF_PV], others, pick);
    case "removeVolumeMaps":
      return pick(2) === 0 ? ofMaps(kind, others, pick) : ofDisk(kind, OF_DISK, others, pick);
    case "deleteDisk":
    case "adoptDisk":
      return ofDisk(kind, OF_DISK, others, pick);
    case "restoreDrbdLink": // never refused: an open link is the safe side (I17)
    case "submitGanetiJob":
    case "killMigrationJob":
    case "restartGaneti":
    case "pauseWatcher":
    case "continueWatcher":
    case "readdNode":
    case "rebalance":
    case "locateDisk":
      return undefined;
  }
}

function changed<T extends object>(
  of: T,
  fields: readonly Field<T>[],
  others: Others,
  pick: (below: number) => number,
): { readonly value: T; readonly what: string } | undefined {
  const [field, candidates] = fields[pick(fields.length)] ?? [];
  if (field === undefined || candidates === undefined) return undefined;
  const different = candidates(others).filter((each) => each !== of[field] && each !== "");
  const other = different[pick(different.length)];
  if (other === undefined) return undefined;
  return {
    value: { ...of, [field]: other },
    what: `${field}: ${JSON.stringify(of[field])} → ${JSON.stringify(other)}`,
  };
}

type WithEnd = Extract<Kind, { value: { end: DrbdEnd | undefined } }>;

function ofEnd(
  kind: WithEnd,
  fields: readonly Field<DrbdEnd>[],
  others: Others,
  pick: (below: number) => number,
): Swapped | undefined {
  const { end } = kind.value;
  const made = end && changed(end, fields, others, pick);
  if (made === undefined) return undefined;
  return { kind: { ...kind, value: { ...kind.value, end: made.value } } as Kind, what: `end.${made.what}` };
}

type WithDisk = Extract<Kind, { value: { disk: DiskIdentity | undefined } }>;

function ofDisk(
  kind: WithDisk,
  fields: readonly Field<DiskIdentity>[],
  others: Others,
  pick: (below: number) => number,
): Swapped | undefined {
  const { disk } = kind.value;
  const made = disk && changed(disk, fields, others, pick);
  if (made === undefined) return undefined;
  return { kind: { ...kind, value: { ...kind.value, disk: made.value } } as Kind, what: `disk.${made.what}` };
}

/** One minor of the disk too few, or one of them taken for another. */
function ofMinors(
  kind: Extract<Kind, { $case: "setDiskOffline" }>,
  others: Others,
  pick: (below: number) => number,
): Swapped | undefined {
  const { minors } = kind.value;
  const at = pick(minors.length);
  const end = minors[at];
  if (end === undefined) return undefined;
  const made = pick(3) === 0 ? undefined : changed(end, [...OF_END, ...OF_PEER], others, pick);
  const rest = made === undefined ? minors.toSpliced(at, 1) : minors.toSpliced(at, 1, made.value);
  const what = made === undefined ? `minors without ${end.minor}` : `minors[${at}].${made.what}`;
  return { kind: { ...kind, value: { ...kind.value, minors: rest } }, what };
}

function ofMaps(
  kind: Extract<Kind, { $case: "removeVolumeMaps" }>,
  others: Others,
  pick: (below: number) => number,
): Swapped | undefined {
  const at = pick(kind.value.maps.length);
  const map = kind.value.maps[at];
  const made =
    map && changed<VolumeMap>(map, [["uuid", ({ maps }) => maps.map(({ uuid }) => uuid)]], others, pick);
  if (made === undefined) return undefined;
  const maps = kind.value.maps.toSpliced(at, 1, made.value);
  return { kind: { ...kind, value: { ...kind.value, maps } }, what: `maps[${at}].${made.what}` };
}

/** What the person saw and typed. */
function ofVictim(
  kind: Extract<Kind, { $case: "discardVictim" }>,
  { nodes }: Others,
  pick: (below: number) => number,
): Swapped {
  const { value } = kind;
  const typedNode = nodes.find((node) => node !== value.typedNode) ?? "";
  const which = pick(3);
  if (which === 0) return { kind: { ...kind, value: { ...value, typedNode } }, what: `typed ${typedNode}` };
  const survivorUuid = value.survivorUuid.replace(/^./, "F");
  if (which === 1)
    return { kind: { ...kind, value: { ...value, survivorUuid } }, what: `survivor ${survivorUuid}` };
  const currentUuid = value.currentUuid.replace(/^./, "F");
  return { kind: { ...kind, value: { ...value, currentUuid } }, what: `generation ${currentUuid}` };
}
