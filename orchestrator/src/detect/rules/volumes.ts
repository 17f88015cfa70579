/**
 * Ganeti's intent against what LVM has: volumes that the configuration names and a node does not have, and volumes that
 * look like Ganeti's and that it does not name. One finding a node and volume group: a dead disk is one incident.
 */
import {
  Evidence,
  IncidentKind,
  Severity,
  Source,
  Subject,
  type GanetiFacts,
  type LogicalVolume,
} from "@vigie/proto";
import { factsOf, type NodeView } from "../../view/node-view.js";
import { isWhole } from "../../view/whole-volume.js";
import type { Finding, NodeRule } from "../rule.js";

const GANETIS = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.disk\d+(?:_data|_meta)?$/;
const NAMED = 3; // in a summary

export const missingVolume: NodeRule = {
  about: "node",
  kind: IncidentKind.MISSING_VOLUME,
  holdDownMs: 120_000, // a job makes and removes them, and LVM is read every 30 s
  clearMs: 3_000,
  judge: (node, { inventory }) => {
    const volumes = factsOf(node, Source.LVM, "lvm")?.logicalVolumes;
    if (volumes === undefined || inventory === undefined) return "unknown";
    const there = new Set(volumes.filter(isWhole).map(fullName));
    const partial = new Set(volumes.map(fullName).filter((volume) => !there.has(volume)));
    const missing = wantedOf(inventory)
      .on(node.name)
      .filter(({ volume }) => !there.has(volume));
    return findings(
      node,
      missing,
      Severity.CRITICAL,
      (list) => `${list} of Ganeti's configuration`,
      missing.some(({ volume }) => partial.has(volume))
        ? "lacks a part, or all: a physical volume is gone"
        : "is missing",
    );
  },
};

export const orphanVolume: NodeRule = {
  about: "node",
  kind: IncidentKind.ORPHAN_VOLUME,
  holdDownMs: 600_000, // replace-disks keeps the old ones under another name until the new are whole
  clearMs: 3_000,
  judge: (node, { inventory }) => {
    const volumes = factsOf(node, Source.LVM, "lvm")?.logicalVolumes;
    if (volumes === undefined || inventory === undefined) return "unknown";
    const { on, someHidden } = wantedOf(inventory);
    if (someHidden) return "unknown"; // a damaged instance's volumes would look like orphans
    const wanted = new Set(on(node.name).map(({ volume }) => volume));
    const orphans = volumes
      .filter((lv) => lv.vgName === inventory.vgName && GANETIS.test(lv.lvName) && !wanted.has(fullName(lv)))
      .map((lv) => ({ volume: fullName(lv), instance: "" }));
    return findings(node, orphans, Severity.NOTICE, (list) => list, "is not named by Ganeti");
  },
};

interface Wanted {
  readonly volume: string; // "VG/LV"
  readonly instance: string;
}

interface Intent {
  readonly on: (node: string) => readonly Wanted[];
  readonly someHidden: boolean; // an instance whose disks are not known
}

/** By inventory: a thousand reports a second must not each go through every instance. */
const intents = new WeakMap<GanetiFacts, Intent>();

function wantedOf(inventory: GanetiFacts): Intent {
  const known = intents.get(inventory) ?? intentOf(inventory);
  intents.set(inventory, known);
  return known;
}

function intentOf({ instances }: GanetiFacts): Intent {
  const byNode = new Map<string, Wanted[]>();
  for (const { name, disks, primaryNode } of instances)
    for (const { type, nodeA, nodeB, dataLv, metaLv } of disks)
      for (const node of type === "drbd" ? [nodeA, nodeB] : [primaryNode]) {
        const wanted = byNode.get(node) ?? [];
        for (const volume of [dataLv, metaLv]) if (volume !== "") wanted.push({ volume, instance: name });
        byNode.set(node, wanted);
      }
  return {
    on: (node) => byNode.get(node) ?? [],
    someHidden: instances.some(
      ({ disks, diskTemplate }) => disks.length === 0 && diskTemplate !== "diskless",
    ),
  };
}

function findings(
  node: NodeView,
  volumes: readonly Wanted[],
  severity: Severity,
  whose: (list: string) => string,
  what: string,
): Finding[] {
  const byGroup = Map.groupBy(volumes, ({ volume }) => volume.slice(0, volume.indexOf("/")));
  return [...byGroup].map(([vg, of]) => {
    const more = of.length > NAMED ? ` and ${of.length - NAMED} more` : "";
    const list = `${of
      .slice(0, NAMED)
      .map(({ volume }) => volume)
      .join(", ")}${more}`;
    const instances = [...new Set(of.map(({ instance }) => instance))].filter((name) => name !== "");
    return {
      key: vg,
      subject: Subject.create({ node: node.name, device: of[0]?.volume ?? vg }),
      summary: `${node.name}: ${whose(list)} ${what}`,
      severity,
      evidence: [Evidence.create({ node: node.name, text: instances.join(", ") })],
    };
  });
}

function fullName({ vgName, lvName }: LogicalVolume): string {
  return `${vgName}/${lvName}`;
}
