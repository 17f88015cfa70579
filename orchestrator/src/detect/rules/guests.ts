/**
 * Where guests run against where Ganeti wants them: one that runs beside its primary node, or on two nodes at once, and
 * guests that should run and run nowhere, as after a power failure that took all nodes. What is not known of a node, or
 * old, opens and closes nothing; nor does an instance that a job of Ganeti's works on.
 */
import { Evidence, IncidentKind, Severity, Source, Subject, type GanetiInstance } from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { freshFacts, GUESTS_FRESH_MS } from "../../view/fresh-facts.js";
import { runsOn, type Runs } from "../../view/guest-runs.js";
import type { NodeRule } from "../rule.js";

const NAMED = 3; // in a summary
const STARTS_MS = 3_600_000; // a job that works on it for longer does not start it either

export const guestWrongNode: NodeRule = {
  about: "node",
  kind: IncidentKind.GUEST_WRONG_NODE,
  holdDownMs: 30_000, // the end of a migration, and Ganeti's configuration after it
  clearMs: 10_000,
  judge: (node, view, nowMs) => {
    const { facts } = freshFacts(node, Source.GUESTS, "guests", nowMs);
    if (facts === undefined || !isIntentKnown(view, nowMs)) return "unknown";
    const unknown = new Set(
      facts.guests.map(({ instance }) => instance).filter((name) => isAtWork(view, name)),
    );
    const found = facts.guests.flatMap(({ instance: name }) => {
      const primary = view.instances.get(name)?.primaryNode ?? "";
      if (primary === "" || primary === node.name || unknown.has(name)) return [];
      const twice = runsOn(view.nodes.get(primary), name, nowMs - GUESTS_FRESH_MS) === "yes";
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
    return { found, unknown };
  },
};

export const guestDown: NodeRule = {
  about: "node",
  kind: IncidentKind.GUEST_DOWN,
  holdDownMs: 660_000, // Ganeti's watcher starts it within five minutes, or ten
  clearMs: 10_000,
  judge: (node, view, nowMs) => {
    if (!isIntentKnown(view, nowMs)) return "unknown";
    const wanted = (view.inventory?.instances ?? []).filter(
      ({ primaryNode, adminState }) => primaryNode === node.name && adminState === "up",
    );
    const answers = wanted.map((instance) => ({
      name: instance.name,
      runs: runsSomewhere(view, instance, nowMs),
    }));
    const down = answers.filter(({ runs }) => runs === "no");
    if (down.length === 0) return answers.some(({ runs }) => runs === "unknown") ? "unknown" : [];
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
        things: names.length,
        ...(names.every((name) => isAtWork(view, name)) ? { holdDownMs: STARTS_MS } : {}),
      },
    ];
  },
};

/** Where Ganeti may have it, and wherever else a node says so. A node that Ganeti marks offline runs nothing for it. */
function runsSomewhere(
  view: ClusterView,
  { name, primaryNode, secondaryNodes }: GanetiInstance,
  nowMs: number,
): Runs {
  const sinceMs = nowMs - GUESTS_FRESH_MS;
  if (runsOn(view.nodes.get(primaryNode), name, sinceMs) === "yes") return "yes"; // as nearly all do
  if ([...view.nodes.values()].some((node) => runsOn(node, name, sinceMs) === "yes")) return "yes";
  const places = [primaryNode, ...secondaryNodes].filter((node) => !isOffline(view, node));
  return places.every((node) => runsOn(view.nodes.get(node), name, sinceMs) === "no") ? "no" : "unknown";
}

/** What the master's agent told of Ganeti is of now. */
function isIntentKnown({ nodes, ssconf, inventory }: ClusterView, nowMs: number): boolean {
  const master = nodes.get(ssconf?.masterNode ?? "");
  return inventory !== undefined && freshFacts(master, Source.GANETI, "ganeti", nowMs).facts !== undefined;
}

function isOffline({ ssconf }: ClusterView, node: string): boolean {
  return ssconf?.offlineNodes.includes(node) === true;
}

/** Where it runs changes now. A job that only waits in the queue, for hours perhaps, changes nothing yet. */
function isAtWork({ inventory }: ClusterView, instance: string): boolean {
  return (inventory?.jobs ?? []).some(
    ({ status, instances }) => status === "running" && instances.includes(instance),
  );
}
