/**
 * What may be done about an incident without asking: nothing, ask a person, or act. Every reason is in the answer,
 * for the incident shows it. Only a kind that is configured "auto" and has a runbook acts; every limit that is
 * reached turns acting into asking (I8, I9, I34).
 */
import type { Incident } from "@vigie/proto";
import { modeOf, type PolicyConfig } from "../config.js";
import type { Redundancy } from "../view/redundancy.js";
import { ganetiLimits, modeByTags, type Rung, type TagLevels } from "./tags.js";
import { isInWindow } from "./windows.js";

export interface Decision {
  readonly act: "observe" | "ask" | "run";
  readonly reasons: readonly string[];
}

export interface PolicyFacts {
  readonly leads: boolean;
  readonly leadReason: string;
  /** What the plan would hold: "instance web1", "node h1", "disk UUID"; empty without a plan. */
  readonly locks: readonly string[];
  readonly recentRuns: readonly RecentRun[]; // automatic ones, newest first
  readonly lockInTheWay: string; // whose lock the plan would need; empty: none
  readonly planRefusals: readonly string[]; // of the plan that would be run
  readonly destructive: boolean;
  readonly typedWord: string; // that the plan asks a person for; empty: none
  readonly rung: Rung; // of the runbook
  readonly tags: TagLevels;
  readonly stopped: string; // the kill switch; empty: it is not thrown
  readonly twoPrimaries: boolean;
  readonly elsewhere: Redundancy; // of what the plan does not hold
  readonly nowUnixMs: number;
}

export interface RecentRun {
  readonly locks: readonly string[]; // of its plan
  readonly agoMs: number;
}

/** @param runbook that mends this kind of incident; empty: there is none */
export function decide(
  incident: Incident,
  runbook: string,
  config: PolicyConfig,
  facts: PolicyFacts,
): Decision {
  const kind = incident.kind.replace("INCIDENT_KIND_", "").toLowerCase().replaceAll("_", "-");
  const tagged = modeByTags(kind, facts.tags);
  const mode = tagged ?? modeOf(config, incident.kind);
  const said = `policy for this kind is ${mode}${tagged === undefined ? "" : ", by a tag in Ganeti"}`;
  if (runbook === "")
    return { act: "observe", reasons: [said, "there is no runbook for it: a person decides"] };
  if (mode === "observe") return { act: "observe", reasons: [said] };
  const obstacles = [...standingObstacles(facts), ...limits(config, facts)];
  if (mode === "ask" || obstacles.length > 0) return { act: "ask", reasons: [said, ...obstacles] };
  return {
    act: "run",
    reasons: [said, "no limit is reached", "every guard held when it was planned"],
  };
}

function standingObstacles(facts: PolicyFacts): string[] {
  const reasons: string[] = [...facts.planRefusals];
  if (!facts.leads) reasons.push(`this orchestrator may not act: ${facts.leadReason}`);
  if (facts.stopped !== "") reasons.push(`everything is stopped: ${facts.stopped} (I33)`);
  if (facts.typedWord !== "") reasons.push(`its plan asks a person to type the word ${facts.typedWord}`);
  if (facts.twoPrimaries) reasons.push("both ends are Primary: a person decides (I8)");
  return reasons;
}

function limits(config: PolicyConfig, facts: PolicyFacts): string[] {
  const reasons = ganetiLimits(facts.rung, facts.tags, facts.nowUnixMs / 1000);
  const own = facts.recentRuns.find((run) => shares("disk ", run, facts));
  if (own !== undefined && own.agoMs < config.per_resource_every_s * 1000)
    reasons.push(
      `it came back: a run for this disk began ${seconds(own.agoMs)} ago, and one an ${seconds(config.per_resource_every_s * 1000)} is allowed`,
    );
  const sameNode = facts.recentRuns.find((run) => run !== own && shares("node ", run, facts));
  if (sameNode !== undefined && sameNode.agoMs < config.per_node_every_s * 1000)
    reasons.push(`a run on the same node began ${seconds(sameNode.agoMs)} ago (I34)`);
  const lastHour = facts.recentRuns.filter((run) => run.agoMs < 3_600_000).length;
  if (lastHour >= config.per_cluster_per_hour)
    reasons.push(`${lastHour} automatic runs in the last hour: the storm stop (I34)`);
  if (facts.destructive) reasons.push(...storm(config, facts.elsewhere));
  if (facts.lockInTheWay !== "") reasons.push(facts.lockInTheWay);
  if (facts.destructive && !isInWindow(config.windows, facts.nowUnixMs))
    reasons.push(`it is outside of the maintenance windows: ${config.windows.join("; ")}`);
  return reasons;
}

/** While much of the cluster lives from one copy, the next thing that goes wrong loses data: a person decides (I9). */
function storm({ storm_percent: limit }: PolicyConfig, { active, single }: Redundancy): string[] {
  if (active === 0 || (single / active) * 100 <= limit) return [];
  return [
    `elsewhere ${single} of ${active} mirrored disks have one copy only, over ${limit} %: the storm stop (I9)`,
  ];
}

/** @param what "disk " or "node " */
function shares(what: string, run: RecentRun, { locks }: PolicyFacts): boolean {
  return run.locks.some((lock) => lock.startsWith(what) && locks.includes(lock));
}

function seconds(ms: number): string {
  const s = Math.round(ms / 1000);
  return s % 3600 === 0 && s > 0 ? `${s / 3600} h` : `${s} s`;
}
