/**
 * What may be done about an incident without asking: nothing, ask a person, wait, or act. Every reason is in the answer,
 * for the incident shows it. Only a kind that is configured "auto" and has a runbook acts. An obstacle that passes by
 * itself (another run at work there, a stop, a window that opens later) is waited for; every other one turns acting into
 * asking (I8, I9, I34).
 *
 * A heal of a link loses no data. Its limits are its own: of many stalls between two nodes one is healed first, and the
 * others side by side once it is seen to have helped; none is repeated on a disk that stalls again; and once several did
 * not help a person is asked, for then the error may be ours.
 */
import type { Incident, Lock } from "@vigie/proto";
import { modeOf, type PolicyConfig } from "../config.js";
import type { Redundancy } from "../view/redundancy.js";
import { nodesIn } from "./lock-names.js";
import { ganetiLimits, modeByTags, mostCareful, type Rung, type TagLevels } from "./tags.js";
import { isInWindow } from "./windows.js";

export interface Decision {
  readonly act: "observe" | "ask" | "wait" | "run";
  readonly reasons: readonly string[];
  /** It is waited for, and passes only when a person does something elsewhere. */
  readonly needsPerson: boolean;
}

export interface PolicyFacts {
  readonly leads: boolean;
  readonly leadReason: string;
  /** What the plan would hold: "instance web1", "node h1", "disk UUID"; empty without a plan. */
  readonly locks: readonly string[];
  readonly recentRuns: readonly RecentRun[]; // automatic ones of the last hour and more, newest first
  readonly lockInTheWay: Lock | undefined; // that the plan would need
  readonly planRefusals: readonly string[]; // of the plan that would be run
  readonly destructive: boolean;
  readonly typedWord: string; // that the plan asks a person for; empty: none
  readonly rung: Rung; // of the runbook
  /** Of each thing that the incident or the plan is about. */
  readonly tags: readonly TagLevels[];
  readonly stopped: string; // the kill switch; empty: it is not thrown
  readonly twoPrimaries: boolean;
  readonly elsewhere: Redundancy; // of what the plan does not hold
  readonly nowUnixMs: number;
}

export interface RecentRun {
  readonly locks: readonly string[]; // of its plan
  readonly agoMs: number;
  readonly destructive: boolean;
  readonly sent: boolean; // anything of it: one that could not be begun has not been tried
  readonly refused: boolean; // by a guard, before anything was changed
  readonly end: "helped" | "did not help" | "given up" | "at work";
}

interface Obstacle {
  readonly reason: string;
  readonly passes: boolean; // it is looked at again
  readonly needsPerson: boolean; // it passes when a person has acted elsewhere, and not by itself
}

/** @param runbook that mends this kind of incident; empty: there is none */
export function decide(
  incident: Incident,
  runbook: string,
  config: PolicyConfig,
  facts: PolicyFacts,
): Decision {
  const kind = incident.kind.replace("INCIDENT_KIND_", "").toLowerCase().replaceAll("_", "-");
  const configured = modeOf(config, incident.kind);
  const modes = facts.tags.map((levels) => modeByTags(kind, levels));
  const mode = mostCareful(modes.map((tagged) => tagged ?? configured)) ?? configured;
  const said = `policy for this kind is ${mode}${modes.includes(mode) ? ", by a tag in Ganeti" : ""}`;
  if (runbook === "")
    return {
      act: "observe",
      reasons: [said, "there is no runbook for it: a person decides"],
      needsPerson: false,
    };
  if (mode === "observe") return { act: "observe", reasons: [said], needsPerson: false };
  const obstacles = [...standingObstacles(facts), ...limits(config, facts)];
  const reasons = [said, ...obstacles.map(({ reason }) => reason)];
  if (mode === "ask" || obstacles.some(({ passes }) => !passes))
    return { act: "ask", reasons, needsPerson: true };
  if (obstacles.length > 0)
    return { act: "wait", reasons, needsPerson: obstacles.some(({ needsPerson }) => needsPerson) };
  return {
    act: "run",
    reasons: [said, "no limit is reached", "every guard held when it was planned"],
    needsPerson: false,
  };
}

function standingObstacles(facts: PolicyFacts): Obstacle[] {
  const obstacles = facts.planRefusals.map(forPerson);
  if (!facts.leads) obstacles.push(waitsFor(`this orchestrator may not act: ${facts.leadReason}`));
  if (facts.stopped !== "") obstacles.push(waitsFor(`everything is stopped: ${facts.stopped} (I33)`));
  if (facts.typedWord !== "")
    obstacles.push(forPerson(`its plan asks a person to type the word ${facts.typedWord}`));
  if (facts.twoPrimaries) obstacles.push(forPerson("both ends are Primary: a person decides (I8)"));
  return obstacles;
}

function limits(config: PolicyConfig, facts: PolicyFacts): Obstacle[] {
  const byTags = facts.tags.flatMap((levels) => ganetiLimits(facts.rung, levels, facts.nowUnixMs / 1000));
  const obstacles = [...new Set(byTags)].map(forPerson);
  // A heal does not come back because a rebuild began whose resync stalls now, and a rebuild not because of a heal.
  const ofDisk = facts.recentRuns.filter(
    (run) => shares("disk ", run, facts) && run.destructive === facts.destructive,
  );
  const own = ofDisk.find(({ sent }) => sent);
  if (own !== undefined && own.agoMs < config.per_resource_every_s * 1000)
    obstacles.push(
      forPerson(
        `it came back: a run for this disk began ${seconds(own.agoMs)} ago, and one an ${seconds(config.per_resource_every_s * 1000)} is allowed`,
      ),
    );
  const unsent = ofDisk.filter(({ sent, agoMs }) => !sent && agoMs < HOUR_MS);
  const newest = Math.min(...unsent.map(({ agoMs }) => agoMs));
  if (newest < unsent.length * NOT_BEGUN_AGAIN_MS) obstacles.push(triedAgain(unsent));
  obstacles.push(...(facts.destructive ? destructiveLimits(config, facts) : healLimits(config, facts)));
  if (facts.lockInTheWay !== undefined) obstacles.push(waitsForLock(facts.lockInTheWay));
  return obstacles;
}

/** What a guard refused is a person's to look at, and passes too where the world changes. */
function triedAgain(unsent: readonly RecentRun[]): Obstacle {
  const newest = unsent.toSorted((a, b) => a.agoMs - b.agoMs)[0];
  const refused = newest?.refused === true;
  const what = refused ? "a run that was refused" : "a run that could not be begun";
  const reason = `${what} is tried again after ${unsent.length} min, and later each time`;
  return { reason, passes: true, needsPerson: refused };
}

/** A run that is paused or frozen holds what it holds until somebody looks at it. */
function waitsForLock({ runId, name, expiresUnixMs }: Lock): Obstacle {
  if (expiresUnixMs > 0) return waitsFor(`waits for its turn: ${runId} is at work on ${name} (I9)`);
  const reason = `${runId} holds ${name}, and waits for a person: vigie run show ${runId} (I9)`;
  return { reason, passes: true, needsPerson: true };
}

function destructiveLimits(config: PolicyConfig, facts: PolicyFacts): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const runs = facts.recentRuns.filter(({ destructive, sent }) => destructive && sent);
  const nodes = nodesIn(facts.locks);
  const sameNode = runs.find((run) => nodesIn(run.locks).some((node) => nodes.includes(node)));
  if (sameNode !== undefined && sameNode.agoMs < config.per_node_every_s * 1000)
    obstacles.push(
      waitsFor(`a run on the same node began less than ${seconds(config.per_node_every_s * 1000)} ago (I34)`),
    );
  const lastHour = runs.filter((run) => run.agoMs < HOUR_MS).length;
  if (lastHour >= config.per_cluster_per_hour)
    obstacles.push(forPerson(`${lastHour} automatic runs in the last hour: the storm stop (I34)`));
  obstacles.push(...storm(config, facts.elsewhere));
  if (!isInWindow(config.windows, facts.nowUnixMs))
    obstacles.push(waitsFor(`waits for a maintenance window: ${config.windows.join("; ")} (UTC)`));
  return obstacles;
}

function healLimits(config: PolicyConfig, facts: PolicyFacts): Obstacle[] {
  const heals = facts.recentRuns.filter(
    ({ destructive, sent, agoMs }) => !destructive && sent && agoMs < HOUR_MS,
  );
  const failed = heals.filter(({ end }) => end === "did not help").length;
  if (failed >= config.failed_heals_per_hour)
    return [
      forPerson(`${failed} of the last hour's ${heals.length} heals did not help: the cause is another one`),
    ];
  if (heals.length >= config.heals_per_hour)
    return [forPerson(`${heals.length} heals in the last hour: the storm stop`)];
  return healsBeside(config, heals, facts);
}

/** Whether it may be one of several between two nodes. */
function healsBeside(config: PolicyConfig, heals: readonly RecentRun[], facts: PolicyFacts): Obstacle[] {
  const between = heals.filter((run) => shares("pair ", run, facts));
  const atWork = between.filter(({ end }) => end === "at work").length;
  if (atWork === 0) return [];
  const helped = between.some(({ end, agoMs }) => end === "helped" && agoMs < WAVE_MS);
  if (!helped) return [waitsFor("waits until the first heal between these nodes is seen to have helped")];
  if (atWork < config.heals_at_once) return [];
  return [waitsFor(`waits for its turn: ${atWork} heals between these nodes are at work`)];
}

const HOUR_MS = 3_600_000;
const NOT_BEGUN_AGAIN_MS = 60_000;
const WAVE_MS = 10 * 60_000; // what helped so long ago says little of what stalls now

function waitsFor(reason: string): Obstacle {
  return { reason, passes: true, needsPerson: false };
}

function forPerson(reason: string): Obstacle {
  return { reason, passes: false, needsPerson: true };
}

/** While much of the cluster lives from one copy, the next thing that goes wrong loses data: a person decides (I9). */
function storm({ storm_percent: limit }: PolicyConfig, { active, single }: Redundancy): Obstacle[] {
  if (active === 0 || (single / active) * 100 <= limit) return [];
  return [
    forPerson(
      `elsewhere ${single} of ${active} mirrored disks have one copy only, over ${limit} %: the storm stop (I9)`,
    ),
  ];
}

/** @param what "disk " */
function shares(what: string, run: RecentRun, { locks }: PolicyFacts): boolean {
  return run.locks.some((lock) => lock.startsWith(what) && locks.includes(lock));
}

function seconds(ms: number): string {
  const s = Math.round(ms / 1000);
  return s % 3600 === 0 && s > 0 ? `${s / 3600} h` : `${s} s`;
}
