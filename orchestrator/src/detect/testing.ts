/** What the rules' tests share: asking a rule about web1's disk, or about a node. */
import type { GanetiFacts } from "@vigie/proto";
import {
  foundBy,
  isKnown,
  type Answer,
  type DetectSettings,
  type NodeRule,
  type ResourceRule,
} from "./rule.js";
import { endViews } from "../view/end-view.js";
import { cluster, NOW_MS, type Says } from "../view/testing.js";

export const SETTINGS: DetectSettings = {
  stallAfterMs: 7_000,
  silentAfterMs: 5_000,
  resyncSlowAfterMs: 86_400_000,
  expectAllAfterMs: 0,
};

export function aboutDisk(
  rule: ResourceRule,
  says: Readonly<Record<string, Says>>,
  key = "d1",
  inventory?: GanetiFacts,
): Answer {
  const view = cluster(says, inventory);
  const resource = view.resources.get(key);
  if (resource === undefined) throw new Error(`there is no disk ${key}`);
  return rule.judge(resource, endViews(view, resource, NOW_MS), view, SETTINGS);
}

export function aboutNode(
  rule: NodeRule,
  says: Readonly<Record<string, Says>>,
  name: string,
  settings: Partial<DetectSettings> = {},
  inventory?: GanetiFacts,
): Answer {
  const view = cluster(says, inventory);
  const node = view.nodes.get(name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return rule.judge(node, view, NOW_MS, { ...SETTINGS, ...settings });
}

/** "clear", "unknown", or the summaries. */
export function short(answer: Answer): string | string[] {
  const found = foundBy(answer);
  if (found.length > 0) return found.map(({ summary }) => summary);
  return isKnown(answer) ? "clear" : "unknown";
}
