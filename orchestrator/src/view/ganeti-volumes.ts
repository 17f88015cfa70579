/**
 * The volumes that Ganeti's configuration names on each node, and those that only look like its own. An orphan is
 * offered to people with lvremove, so nothing is one that may be a copy which was not understood (I11).
 */
import { Source, type Damaged, type GanetiFacts, type LogicalVolume, type LvmFacts } from "@vigie/proto";
import { isInventoryWhole, type ClusterView } from "./cluster-view.js";
import { freshFacts } from "./fresh-facts.js";
import { isWhole } from "./whole-volume.js";

const DISK = String.raw`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.disk\d+(?:_data|_meta)?`;
const OF_GANETI = new RegExp(`^${DISK}$`);
/** Of an export, ".snap" (lib/backend.py, BlockdevSnapshot); of replace-disks, "_replaced-TIME" (TLReplaceDisks). */
const LEFT_BEHIND = new RegExp(String.raw`^${DISK}(?:\.snap|_replaced-\d+(?:\.\d+)?)$`);
const MAKES_THEM = /BACKUP_|REPLACE_DISKS|NODE_EVAC/;

export interface Wanted {
  readonly volume: string; // "VG/LV"
  readonly instance: string;
}

export interface Intent {
  readonly on: (node: string) => readonly Wanted[];
  readonly names: (node: string, volume: string) => boolean;
  readonly someHidden: boolean; // an instance whose disks are not known
}

/** By inventory: a thousand reports a second must not each go through every instance. */
const intents = new WeakMap<GanetiFacts, Intent>();

export function intentOf(inventory: GanetiFacts): Intent {
  const known = intents.get(inventory) ?? readIntent(inventory);
  intents.set(inventory, known);
  return known;
}

/** The volumes of one reading of LVM, each "VG/LV". */
export interface Listed {
  readonly whole: ReadonlySet<string>;
  readonly partial: ReadonlySet<string>;
  readonly likeGanetis: readonly LikeGanetis[];
}

interface LikeGanetis {
  readonly volume: string;
  readonly vgName: string;
  readonly leftBehind: boolean; // by an export or by replace-disks, if by anybody
}

/** By LVM's facts: a node reports each second, and reads LVM twice a minute. */
const lists = new WeakMap<LvmFacts, Listed>();

export function listedIn(facts: LvmFacts): Listed {
  const known = lists.get(facts) ?? readListed(facts);
  lists.set(facts, known);
  return known;
}

function readListed({ logicalVolumes }: LvmFacts): Listed {
  const whole = new Set(logicalVolumes.filter(isWhole).map(volumeName));
  return {
    whole,
    partial: new Set(logicalVolumes.map(volumeName).filter((volume) => !whole.has(volume))),
    likeGanetis: logicalVolumes
      .map((lv) => ({ volume: volumeName(lv), vgName: lv.vgName, lvName: lv.lvName }))
      .filter(({ lvName }) => OF_GANETI.test(lvName) || LEFT_BEHIND.test(lvName))
      .map(({ volume, vgName, lvName }) => ({ volume, vgName, leftBehind: !OF_GANETI.test(lvName) })),
  };
}

export interface Orphans {
  readonly volumes: readonly string[]; // "VG/LV"
  readonly unknown: string; // why they are not known; empty: they are
}

/** What is in Ganeti's volume group, is named as Ganeti names its volumes, and is of no instance. */
export function orphansOn(view: ClusterView, node: string, nowMs: number): Orphans {
  const { facts, unknown } = freshFacts(view.nodes.get(node), Source.LVM, "lvm", nowMs);
  const { inventory } = view;
  if (facts === undefined) return { volumes: [], unknown };
  if (inventory === undefined || !isInventoryWhole(view, nowMs) || intentOf(inventory).someHidden)
    return { volumes: [], unknown: "not all of Ganeti's configuration is known" };
  const { names } = intentOf(inventory);
  const inUse = inventory.jobs.some(({ summary }) => MAKES_THEM.test(summary));
  return {
    volumes: listedIn(facts)
      .likeGanetis.filter(({ vgName, leftBehind }) => vgName === inventory.vgName && !(inUse && leftBehind))
      .map(({ volume }) => volume)
      .filter((volume) => !names(node, volume)),
    unknown: "",
  };
}

/** LVM has a line about it, or one that names nothing, that was not understood. @param volume "VG/LV" */
export function isOdd(damaged: readonly Damaged[], volume: string): boolean {
  return damaged.some(({ object }) => object === "" || object === volume || volume.endsWith(`/${object}`));
}

export function volumeName({ vgName, lvName }: LogicalVolume): string {
  return `${vgName}/${lvName}`;
}

function readIntent({ instances }: GanetiFacts): Intent {
  const byNode = new Map<string, Wanted[]>();
  for (const { name, disks, primaryNode } of instances)
    for (const { type, nodeA, nodeB, dataLv, metaLv } of disks)
      for (const node of type === "drbd" ? [nodeA, nodeB] : [primaryNode]) {
        const wanted = byNode.get(node) ?? [];
        for (const volume of [dataLv, metaLv]) if (volume !== "") wanted.push({ volume, instance: name });
        byNode.set(node, wanted);
      }
  const namesByNode = new Map(
    [...byNode].map(([node, wanted]) => [node, new Set(wanted.map(({ volume }) => volume))]),
  );
  return {
    on: (node) => byNode.get(node) ?? [],
    names: (node, volume) => namesByNode.get(node)?.has(volume) ?? false,
    someHidden: instances.some(
      ({ disks, diskTemplate }) => disks.length === 0 && diskTemplate !== "diskless",
    ),
  };
}
