/**
 * What the administrators wrote on Ganeti's own objects: `vigie:MODE` and `vigie:MODE:KIND`, MODE being observe, ask or
 * auto. The nearest object that says anything wins (instance, node, group, cluster); of several tags on one object
 * the more careful. Ganeti's `ganeti:watcher:autorepair:*` are limits: what they do not allow is asked for.
 * Source of those: ganeti doc/design-autorepair.rst.
 */
import type { PolicyMode } from "../config.js";

/** How far a runbook goes, on Ganeti's ladder. */
export const RUNGS = ["none", "fix-storage", "migrate", "failover", "reinstall"] as const;
export type Rung = (typeof RUNGS)[number];

/** The tags of what an incident is about, nearest first: instance, its nodes, their groups, the cluster. */
export type TagLevels = readonly (readonly string[])[];

const CAREFUL: readonly PolicyMode[] = ["observe", "ask", "auto"];
const VIGIE = /^vigie:(?<mode>observe|ask|auto)(?::(?<kind>[a-z-]+))?$/;
const AUTOREPAIR = /^ganeti:watcher:autorepair:(?<what>fix-storage|migrate|failover|reinstall)$/;
const SUSPEND = /^ganeti:watcher:autorepair:suspend(?::(?<untilUnixS>\d+))?$/;

/** @param kind "stalled-sync" @returns undefined where no tag says anything */
export function modeByTags(kind: string, levels: TagLevels): PolicyMode | undefined {
  for (const tags of levels) {
    const said = tags
      .map((tag) => VIGIE.exec(tag)?.groups)
      .filter((groups) => groups !== undefined && (groups["kind"] ?? kind) === kind)
      .map((groups) => groups?.["mode"]);
    const mode = CAREFUL.find((candidate) => said.includes(candidate));
    if (mode !== undefined) return mode;
  }
  return undefined;
}

/** What is done to several things at once is done as the most careful word on any of them allows. */
export function mostCareful(modes: readonly PolicyMode[]): PolicyMode | undefined {
  return CAREFUL.find((candidate) => modes.includes(candidate));
}

/** Why Ganeti's own tags ask for a person; empty: they do not. */
export function ganetiLimits(rung: Rung, levels: TagLevels, nowUnixS: number): string[] {
  const reasons: string[] = [];
  const suspended = levels.flat().find((tag) => {
    const found = SUSPEND.exec(tag);
    const until = found?.groups?.["untilUnixS"];
    return found !== null && (until === undefined || Number(until) > nowUnixS);
  });
  if (suspended !== undefined) reasons.push(`Ganeti's tag ${suspended} suspends repairs`);
  const allowed = nearest(levels);
  if (allowed !== undefined && RUNGS.indexOf(rung) > RUNGS.indexOf(allowed))
    reasons.push(`Ganeti's tags allow repairs up to ${allowed}, and this is ${rung}`);
  return reasons;
}

/** Of several on one object the least destructive, as Ganeti's harep reads them. */
function nearest(levels: TagLevels): Rung | undefined {
  for (const tags of levels) {
    const named = tags.map((tag) => AUTOREPAIR.exec(tag)?.groups?.["what"]);
    const rung = RUNGS.find((candidate) => named.includes(candidate));
    if (rung !== undefined) return rung;
  }
  return undefined;
}
