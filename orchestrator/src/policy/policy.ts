/**
 * What may be done about an incident without asking: nothing, ask a person, or act. Every reason is in the answer,
 * for the incident shows it. Only a kind that is configured "auto" and has a runbook acts; every limit that is
 * reached turns acting into asking (I8, I9, I34).
 */
import type { Incident, Run } from "@vigie/proto";
import { modeOf, type PolicyConfig } from "../config.js";

export interface Decision {
  readonly act: "observe" | "ask" | "run";
  readonly reasons: readonly string[];
}

export interface PolicyFacts {
  readonly leads: boolean;
  readonly leadReason: string;
  readonly recentRuns: readonly RecentRun[]; // automatic ones, newest first
  readonly openRuns: readonly Run[];
  readonly planRefusals: readonly string[]; // of the plan that would be run
  readonly twoPrimaries: boolean;
}

export interface RecentRun {
  readonly resourceKey: string;
  readonly nodes: readonly string[];
  readonly agoMs: number;
}

/** @param runbook that mends this kind of incident; empty: there is none */
export function decide(
  incident: Incident,
  runbook: string,
  resourceKey: string,
  nodes: readonly string[],
  config: PolicyConfig,
  facts: PolicyFacts,
): Decision {
  const mode = modeOf(config, incident.kind);
  const said = `policy for this kind is ${mode}`;
  if (runbook === "")
    return { act: "observe", reasons: [said, "there is no runbook for it: a person decides"] };
  if (mode === "observe") return { act: "observe", reasons: [said] };
  const obstacles = [...standingObstacles(facts), ...limits(resourceKey, nodes, config, facts)];
  if (mode === "ask" || obstacles.length > 0) return { act: "ask", reasons: [said, ...obstacles] };
  return {
    act: "run",
    reasons: [said, "no limit is reached", "every guard held when it was planned"],
  };
}

function standingObstacles(facts: PolicyFacts): string[] {
  const reasons: string[] = [...facts.planRefusals];
  if (!facts.leads) reasons.push(`this orchestrator may not act: ${facts.leadReason}`);
  if (facts.twoPrimaries) reasons.push("both ends are Primary: a person decides (I8)");
  return reasons;
}

function limits(
  resourceKey: string,
  nodes: readonly string[],
  config: PolicyConfig,
  facts: PolicyFacts,
): string[] {
  const reasons: string[] = [];
  const own = facts.recentRuns.find((run) => run.resourceKey === resourceKey);
  if (own !== undefined && own.agoMs < config.per_resource_every_s * 1000)
    reasons.push(
      `it came back: a run for this disk began ${seconds(own.agoMs)} ago, and one an ${seconds(config.per_resource_every_s * 1000)} is allowed`,
    );
  const sameNode = facts.recentRuns.find(
    (run) => run.resourceKey !== resourceKey && run.nodes.some((n) => nodes.includes(n)),
  );
  if (sameNode !== undefined && sameNode.agoMs < config.per_node_every_s * 1000)
    reasons.push(`a run on the same node began ${seconds(sameNode.agoMs)} ago (I34)`);
  const lastHour = facts.recentRuns.filter((run) => run.agoMs < 3_600_000).length;
  if (lastHour >= config.per_cluster_per_hour)
    reasons.push(`${lastHour} automatic runs in the last hour: the storm stop (I34)`);
  const clash = facts.openRuns.find((run) =>
    [run.plan?.end?.node, run.plan?.peerEnd?.node].some((n) => n !== undefined && nodes.includes(n)),
  );
  if (clash !== undefined) reasons.push(`${clash.id} is open on the same nodes (I9)`);
  return reasons;
}

function seconds(ms: number): string {
  const s = Math.round(ms / 1000);
  return s % 3600 === 0 && s > 0 ? `${s / 3600} h` : `${s} s`;
}
