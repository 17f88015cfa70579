/**
 * Where guests run against where Ganeti wants them: one that runs beside its primary node, or on two nodes at once, and
 * guests that should run and run nowhere, as after a power failure that took all nodes. What is not known of a node, or
 * old, opens nothing; nor does an instance that a job of Ganeti's works on.
 */
import { Evidence, IncidentKind, Severity, Source, Subject } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { factsOf, type NodeView } from "../../view/node-view.js";
import type { NodeRule } from "../rule.js";

const OLD_MS = 60_000; // guests are read every 10 s
const NAMED = 3; // in a summary

export const guestWrongNode: NodeRule = {
  about: "node",
  kind: IncidentKind.GUEST_WRONG_NODE,
  holdDownMs: 30_000, // the end of a migration, and Ganeti's configuration after it
  clearMs: 10_000,
  judge: (node, view, nowMs) => {
    const guests = guestsOf(node, nowMs);
    if (guests === undefined || view.inventory === undefined) return "unknown";
    return [...guests].flatMap((name) => {
      const primary = view.instances.get(name)?.primaryNode ?? "";
      if (primary === "" || primary === node.name || isAtWork(view, name)) return [];
      const twice = guestsOf(view.nodes.get(primary), nowMs)?.has(name) === true;
      return [
        {
          key: name,
          subject: Subject.create({ instance: name, node: node.name }),
          summary: twice
            ? `${name} runs on ${primary} and on ${node.name} at once: both write to its disks`
            : `${name} runs on ${node.name}, and its primary node is ${primary}`,
          severity: twice ? Severity.CRITICAL : Severity.WARNING,
          evidence: [Evidence.create({ node: node.name, text: "by its hypervisor" })],
        },
      ];
    });
  },
};

export const guestDown: NodeRule = {
  about: "node",
  kind: IncidentKind.GUEST_DOWN,
  holdDownMs: 660_000, // Ganeti's watcher starts it within five minutes, or ten
  clearMs: 10_000,
  judge: (node, view, nowMs) => {
    const guests = guestsOf(node, nowMs);
    if (guests === undefined || view.inventory === undefined) return "unknown";
    if (view.ssconf?.offlineNodes.includes(node.name) === true) return [];
    const down = view.inventory.instances.filter(
      ({ name, primaryNode, adminState }) =>
        primaryNode === node.name &&
        adminState === "up" &&
        !isAtWork(view, name) &&
        !runsAnywhere(view, name, nowMs),
    );
    if (down.length === 0) return [];
    const names = down.map(({ name }) => name);
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const one = names.length === 1;
    return [
      {
        key: "",
        subject: Subject.create({ node: node.name, instance: one ? (names[0] ?? "") : "" }),
        summary: `${node.name}: ${names.slice(0, NAMED).join(", ")}${more} should run, and ${one ? "runs" : "run"} nowhere`,
        severity: Severity.CRITICAL,
        evidence: [Evidence.create({ node: node.name, text: names.join(", ") })],
      },
    ];
  },
};

/** @returns undefined where it is not known, or what is known is old (I11) */
function guestsOf(node: NodeView | undefined, nowMs: number): ReadonlySet<string> | undefined {
  const source = node?.sources.get(Source.GUESTS);
  const guests = factsOf(node, Source.GUESTS, "guests")?.guests;
  if (source === undefined || guests === undefined || nowMs - source.readAtMs > OLD_MS) return undefined;
  return new Set(guests.map(({ instance }) => instance));
}

function runsAnywhere(view: ClusterView, name: string, nowMs: number): boolean {
  return [...view.nodes.values()].some((node) => guestsOf(node, nowMs)?.has(name) === true);
}

function isAtWork({ inventory }: ClusterView, instance: string): boolean {
  return (inventory?.jobs ?? []).some(({ instances }) => instances.includes(instance));
}
