/**
 * Ganeti's intent against what LVM has: volumes that the configuration names and a node does not have, and volumes that
 * look like Ganeti's and that it does not name. One finding a node and volume group: a dead disk is one incident.
 */
import { Evidence, IncidentKind, Severity, Source, Subject } from "@vigie/proto";
import { freshFacts } from "../../view/fresh-facts.js";
import { intentOf, isOdd, listedIn, orphansOn, type Wanted } from "../../view/ganeti-volumes.js";
import type { NodeView } from "../../view/node-view.js";
import type { Finding, NodeRule } from "../rule.js";

const NAMED = 3; // in a summary

export const missingVolume: NodeRule = {
  about: "node",
  kind: IncidentKind.MISSING_VOLUME,
  holdDownMs: 120_000, // a job makes and removes them, and LVM is read every 30 s
  clearMs: 3_000,
  judge: (node, { inventory }, nowMs) => {
    const { facts, damaged } = freshFacts(node, Source.LVM, "lvm", nowMs);
    if (facts === undefined || inventory === undefined) return "unknown";
    const { whole, partial } = listedIn(facts);
    const missing = intentOf(inventory)
      .on(node.name)
      .filter(({ volume }) => !whole.has(volume) && (partial.has(volume) || !isOdd(damaged, volume)));
    const found = findings(
      node,
      missing,
      Severity.CRITICAL,
      (list) => `${list} of Ganeti's configuration`,
      missing.some(({ volume }) => partial.has(volume))
        ? "lacks a part, or all: a physical volume is gone"
        : "is missing",
    );
    return damaged.length === 0 ? found : { found, unknown: "rest" };
  },
};

export const orphanVolume: NodeRule = {
  about: "node",
  kind: IncidentKind.ORPHAN_VOLUME,
  holdDownMs: 600_000, // replace-disks keeps the old ones under another name until the new are whole
  clearMs: 3_000,
  judge: (node, view, nowMs) => {
    const { volumes, unknown } = orphansOn(view, node.name, nowMs);
    if (unknown !== "") return "unknown";
    const orphans = volumes.map((volume) => ({ volume, instance: "" }));
    return findings(node, orphans, Severity.NOTICE, (list) => list, "is not named by Ganeti");
  },
};

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
      things: of.length,
    };
  });
}
