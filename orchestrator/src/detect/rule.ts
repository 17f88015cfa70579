/**
 * What a rule is: a pure question about one mirrored disk or one node. Its answer is findings, "clear" or "unknown".
 * Unknown neither opens nor closes anything: an incident does not end because a node went silent.
 */
import type { Evidence, IncidentKind, Severity, Subject } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import type { NodeView } from "../view/node-view.js";

export interface Finding {
  readonly key: string; // what else beside rule and subject tells two findings apart; usually empty
  readonly subject: Subject;
  readonly summary: string; // one line for people
  readonly severity: Severity;
  readonly evidence: readonly Evidence[];
  readonly lastProgressMs?: number; // monotonic; stalled-sync only
  readonly things?: number; // that it is about: more of them is worse
  readonly holdDownMs?: number; // longer than the rule's: it is expected to pass
}

/** No findings: clear. */
export type Answer = readonly Finding[] | "unknown" | FoundSoFar;

/** A part of the evidence is missing: what is found is found, and of some of the rest it is not known. */
export interface FoundSoFar {
  readonly found: readonly Finding[];
  readonly unknown: ReadonlySet<string> | "rest"; // by a finding's key
}

/** @returns what is found, however much else is not known */
export function foundBy(answer: Answer): readonly Finding[] {
  if (answer === "unknown") return [];
  return "found" in answer ? answer.found : answer;
}

/** Whether what is not found is known not to be: of all, or of one finding's key. */
export function isKnown(answer: Answer, key?: string): boolean {
  if (answer === "unknown") return false;
  if (!("found" in answer)) return true;
  const { unknown } = answer;
  return unknown !== "rest" && (key === undefined ? unknown.size === 0 : !unknown.has(key));
}

interface RuleBase {
  readonly kind: IncidentKind;
  /** A finding must have stood this long before an incident opens. */
  readonly holdDownMs: number;
  /** It must have been clear for this long before the incident closes. */
  readonly clearMs: number;
}

export interface ResourceRule extends RuleBase {
  readonly about: "resource";
  readonly judge: (
    resource: Resource,
    ends: readonly EndView[],
    view: ClusterView,
    settings: DetectSettings,
  ) => Answer;
}

export interface NodeRule extends RuleBase {
  readonly about: "node";
  readonly judge: (node: NodeView, view: ClusterView, nowMs: number, settings: DetectSettings) => Answer;
}

export type Rule = ResourceRule | NodeRule;

export interface DetectSettings {
  readonly stallAfterMs: number; // both ends of a resync have not moved for this long
  readonly silentAfterMs: number; // a node has not reported for this long
  readonly resyncSlowAfterMs: number; // a resync that will take longer is told
  readonly expectAllAfterMs: number; // monotonic: until then, a node that was never seen may still be on its way
}
