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
    const there = new Set(volumes.map(fullName));
    const missing = wantedOn(inventory, node.name).filter(({ volume }) => !there.has(volume));
    return findings(
      node,
      missing,
      Severity.CRITICAL,
      (list) => `${list} of Ganeti's configuration`,
      "is missing",
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
    if (hasHiddenDisks(inventory)) return "unknown"; // a damaged instance's volumes would look like orphans
    const wanted = new Set(wantedOn(inventory, node.name).map(({ volume }) => volume));
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

function wantedOn({ instances }: GanetiFacts, node: string): Wanted[] {
  return instances.flatMap((instance) =>
    instance.disks
      .filter((disk) => isOn(disk, instance.primaryNode, node))
      .flatMap(({ dataLv, metaLv }) => [dataLv, metaLv])
      .filter((volume) => volume !== "")
      .map((volume) => ({ volume, instance: instance.name })),
  );
}

function isOn(
  disk: { readonly type: string; readonly nodeA: string; readonly nodeB: string },
  primaryNode: string,
  node: string,
): boolean {
  return disk.type === "drbd" ? disk.nodeA === node || disk.nodeB === node : primaryNode === node;
}

function hasHiddenDisks({ instances }: GanetiFacts): boolean {
  return instances.some(({ disks, diskTemplate }) => disks.length === 0 && diskTemplate !== "diskless");
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
