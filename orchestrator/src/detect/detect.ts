/**
 * Turns the rules' answers into incidents that open, stand and close. A finding must stand for its rule's hold-down
 * before it opens one, and be clear for a while before that closes; "unknown" changes nothing. Pure: the state goes
 * in and comes out.
 */
import type { IncidentKind } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import type { NodeView } from "../view/node-view.js";
import type { Answer, DetectSettings, Finding, Rule } from "./rule.js";
import { RULES } from "./rules/index.js";

/** One finding over time, by its key. */
export interface Standing {
  readonly key: string;
  readonly kind: IncidentKind;
  readonly sinceMs: number;
  readonly clearSinceMs: number | undefined; // undefined: it stands
  readonly open: boolean;
  readonly finding: Finding; // the newest
}

export type DetectState = ReadonlyMap<string, Standing>;

export type DetectChange =
  | { readonly change: "open"; readonly standing: Standing }
  | { readonly change: "close"; readonly standing: Standing };

/** What is judged: one node and the disks that have an end on it. */
export function judgeNode(
  view: ClusterView,
  name: string,
  nowMs: number,
  settings: DetectSettings,
): Judged[] {
  const node = view.nodes.get(name);
  const ofNode =
    node === undefined ? [] : RULES.flatMap((rule) => judgeOne(rule, node, undefined, view, nowMs, settings));
  const resources = view.resourcesByNode.get(name) ?? [];
  return [
    ...ofNode,
    ...resources.flatMap((r) => RULES.flatMap((rule) => judgeOne(rule, undefined, r, view, nowMs, settings))),
  ];
}

export interface Judged {
  readonly scope: string; // rule and subject: every finding's key begins with it
  readonly rule: Rule;
  readonly answer: Answer;
}

function judgeOne(
  rule: Rule,
  node: NodeView | undefined,
  resource: Resource | undefined,
  view: ClusterView,
  nowMs: number,
  settings: DetectSettings,
): Judged[] {
  if (rule.about === "node") {
    if (node === undefined) return [];
    return [{ scope: `${rule.kind}|${node.name}`, rule, answer: rule.judge(node, view, nowMs, settings) }];
  }
  if (resource === undefined) return [];
  const ends = endViews(view, resource, nowMs);
  return [
    { scope: `${rule.kind}|${resource.key}`, rule, answer: rule.judge(resource, ends, view, settings) },
  ];
}

export function fold(
  state: DetectState,
  judged: readonly Judged[],
  nowMs: number,
): { state: DetectState; changes: DetectChange[] } {
  if (state.size === 0 && judged.every(({ answer }) => answer === "unknown" || answer.length === 0))
    return { state, changes: [] };
  const next = new Map(state);
  const changes: DetectChange[] = [];
  for (const { scope, rule, answer } of judged) {
    if (answer === "unknown") continue;
    const found = new Map(answer.map((finding) => [`${scope}|${finding.key}`, finding]));
    for (const [key, finding] of found) stand(key, finding, rule);
    for (const [key, standing] of state)
      if (key.startsWith(`${scope}|`) && !found.has(key)) clear(standing, rule);
  }
  return { state: next, changes };

  function stand(key: string, finding: Finding, rule: Rule): void {
    const known = state.get(key);
    const sinceMs = known?.sinceMs ?? nowMs;
    const open = known?.open ?? false;
    const opens = !open && nowMs - sinceMs >= rule.holdDownMs;
    const standing = { key, kind: rule.kind, sinceMs, clearSinceMs: undefined, open: open || opens, finding };
    next.set(key, standing);
    if (opens) changes.push({ change: "open", standing });
  }

  function clear(standing: Standing, rule: Rule): void {
    if (!standing.open) return void next.delete(standing.key);
    const clearSinceMs = standing.clearSinceMs ?? nowMs;
    if (nowMs - clearSinceMs < rule.clearMs)
      return void next.set(standing.key, { ...standing, clearSinceMs });
    next.delete(standing.key);
    changes.push({ change: "close", standing });
  }
}
