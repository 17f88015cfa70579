/**
 * Turns the rules' answers into incidents that open, stand and close. A finding must stand for its rule's hold-down
 * before it opens one, and be clear for a while before that closes; "unknown" changes nothing. Pure: the state goes
 * in and comes out.
 */
import type { IncidentKind, Subject } from "@vigie/proto";
import { hasLeft, isInventoryWhole, type ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import { isAbout } from "./evidence.js";
import { foundBy, isKnown, type Answer, type DetectSettings, type Finding, type Rule } from "./rule.js";
import { RULES } from "./rules/index.js";

/** One finding over time, by its key. */
export interface Standing {
  readonly key: string;
  readonly kind: IncidentKind;
  readonly sinceMs: number;
  readonly clearSinceMs: number | undefined; // undefined: it stands
  readonly open: boolean;
  readonly finding: Finding; // the newest
  readonly told: Told | undefined; // what its incident says; undefined: there is none yet
}

interface Told {
  readonly finding: Finding;
  readonly atMs: number;
}

export type DetectState = ReadonlyMap<string, Standing>;

export type DetectChange =
  | { readonly change: "open"; readonly standing: Standing }
  | { readonly change: "follow"; readonly standing: Standing } // it is open, and says something else now
  | { readonly change: "close"; readonly standing: Standing };

export interface Judged {
  readonly scope: string; // rule and subject: every finding's key begins with it
  readonly rule: Rule;
  readonly answer: Answer;
}

/**
 * Judges one node and the disks that have an end on it.
 *
 * @param stands whether anything stands about a node's name or a disk's key: where nothing does, an answer
 *   without a finding changes nothing, and is left out: a thousand nodes give a hundred thousand of them a second
 */
export function judgeNode(
  view: ClusterView,
  name: string,
  nowMs: number,
  settings: DetectSettings,
  stands: (subject: string) => boolean = () => true,
): Judged[] {
  const node = view.nodes.get(name);
  const judged: Judged[] = [];
  for (const rule of RULES)
    if (rule.about === "node" && node !== undefined) add(name, rule, rule.judge(node, view, nowMs, settings));
  for (const resource of view.resourcesByNode.get(name) ?? []) {
    const ends = endViews(view, resource, nowMs);
    for (const rule of RULES)
      if (rule.about === "resource") add(resource.key, rule, rule.judge(resource, ends, view, settings));
  }
  return judged;

  function add(subject: string, rule: Rule, answer: Answer): void {
    if (foundBy(answer).length > 0 || stands(subject))
      judged.push({ scope: `${rule.kind}|${subject}|`, rule, answer });
  }
}

/**
 * What stands and is answered for by nobody else: a disk or a node that is in the view no more is clear. It was
 * removed, or is known by Ganeti's name since: a minor that Ganeti was not asked about yet has a name of its own.
 */
export function judgeGone(view: ClusterView, subject: string, nowMs: number): Judged[] {
  if (view.nodes.has(subject) || view.resources.has(subject) || !isInventoryWhole(view, nowMs)) return [];
  return RULES.map((rule) => ({ scope: `${rule.kind}|${subject}|`, rule, answer: [] }));
}

/** The node's name or the disk's key in a scope, or in a standing's key. */
export function subjectOf(scope: string): string {
  return scope.slice(scope.indexOf("|") + 1, scope.lastIndexOf("|"));
}

/** Asks the rule of one kind about one subject again: what an incident of an earlier life looks like now. */
export function judgeSubject(
  view: ClusterView,
  kind: IncidentKind,
  subject: Subject,
  nowMs: number,
  settings: DetectSettings,
): Answer {
  const rule = RULES.find((candidate) => candidate.kind === kind);
  if (rule === undefined) return "unknown";
  if (rule.about === "node") {
    const node = view.nodes.get(subject.node);
    if (node === undefined) return hasLeft(view, subject.node) ? [] : "unknown";
    return rule.judge(node, view, nowMs, settings);
  }
  const resource = [...view.resources.values()].find((r) => isAbout(r, subject));
  if (resource !== undefined) return rule.judge(resource, endViews(view, resource, nowMs), view, settings);
  const removed = subject.instance !== "" && isInventoryWhole(view, nowMs);
  return removed ? [] : "unknown";
}

/** @param isHeld a standing that must not close now, by its key */
export function fold(
  state: DetectState,
  judged: readonly Judged[],
  nowMs: number,
  isHeld: (key: string) => boolean = () => false,
): { readonly state: DetectState; readonly changes: readonly DetectChange[] } {
  const next = new Map(state);
  const changes: DetectChange[] = [];
  const standingByScope = Map.groupBy(state.values(), ({ key }) => key.slice(0, key.lastIndexOf("|") + 1));
  for (const { scope, rule, answer } of judged) {
    const standing = standingByScope.get(scope) ?? [];
    const found = new Map(foundBy(answer).map((finding) => [`${scope}${finding.key}`, finding]));
    for (const [key, finding] of found) stand(key, finding, rule);
    for (const known of standing)
      if (!found.has(known.key) && isKnown(answer, known.key.slice(scope.length))) clear(known, rule);
  }
  return { state: next, changes };

  function stand(key: string, finding: Finding, rule: Rule): void {
    const known = state.get(key);
    const sinceMs = known?.sinceMs ?? nowMs;
    const open = known?.open ?? false;
    const holdDownMs = Math.max(rule.holdDownMs, finding.holdDownMs ?? 0);
    const opens = !open && nowMs - sinceMs >= holdDownMs;
    const follows = open && isNews(known?.told, finding, nowMs - sinceMs, nowMs);
    const told = opens || follows ? { finding, atMs: nowMs } : known?.told;
    const standing: Standing = {
      key,
      kind: rule.kind,
      sinceMs,
      clearSinceMs: undefined,
      open: open || opens,
      finding,
      told,
    };
    next.set(key, standing);
    if (opens) changes.push({ change: "open", standing });
    if (follows) changes.push({ change: "follow", standing });
  }

  function clear(standing: Standing, rule: Rule): void {
    if (!standing.open) return void next.delete(standing.key);
    const clearSinceMs = standing.clearSinceMs ?? nowMs;
    if (nowMs - clearSinceMs < rule.clearMs || isHeld(standing.key))
      return void next.set(standing.key, { ...standing, clearSinceMs });
    next.delete(standing.key);
    changes.push({ change: "close", standing });
  }
}

const FIGURES_AT_LEAST_MS = 60_000;
const FIGURES_AT_MOST_MS = 3_600_000;

/**
 * An incident follows its evidence. Another severity, more or fewer things and other words are news at once; figures, which may grow each
 * second for weeks, the more rarely the longer it stands.
 */
function isNews(told: Told | undefined, finding: Finding, standsMs: number, nowMs: number): boolean {
  if (told === undefined) return true;
  if (told.finding.severity !== finding.severity || told.finding.things !== finding.things) return true;
  if (told.finding.summary === finding.summary) return false;
  if (withoutFigures(told.finding.summary) !== withoutFigures(finding.summary)) return true;
  const everyMs = Math.min(Math.max(standsMs / 10, FIGURES_AT_LEAST_MS), FIGURES_AT_MOST_MS);
  return nowMs - told.atMs >= everyMs;
}

/** "3 I/O errors" and "500 I/O errors" are the same words. */
export function withoutFigures(text: string): string {
  return text.replaceAll(/\d+(?:\.\d+)?/g, "N");
}
