/**
 * Would a cut be one? Its chain must be complete and this run's own, for the kernel has a list only where a rule names
 * it; and it must be the first that a packet meets in INPUT and OUTPUT: a site's own ACCEPT above the jump would let
 * DRBD's packets through, and the cut would be none.
 */
import type { GuardFact } from "@vigie/proto";
import { chainOf, HOOKS, listOf, type Cut, type TimedCut } from "../link-fence.js";
import { fact } from "./fact.js";

export interface FenceSeen {
  /** What `iptables -S` prints of each, line by line. */
  readonly hooks: Readonly<Record<(typeof HOOKS)[number], readonly string[]>>;
  readonly chain: readonly string[];
}

const RULES = 6;
const TEXT_MAX = 120;

export function fenceFacts(cut: TimedCut, { hooks, chain }: FenceSeen): GuardFact[] {
  const rules = chain.filter((line) => line.startsWith(`-A ${chainOf(cut)} `));
  const ours = rules.filter((line) => line.split(" ").includes(listOf(cut)));
  const others = rules.length - ours.length;
  const value = `${ours.length} of ${RULES}${others === 0 ? "" : `, and ${others} of another run`}`;
  return [
    fact("rules of the cut", value, ours.length === RULES && others === 0, ""),
    ...HOOKS.map((hook) => firstFact(cut, hook, hooks[hook])),
  ];
}

/** Jumps to our other cuts may be above it. */
function firstFact(cut: Cut, hook: string, lines: readonly string[]): GuardFact {
  const rules = lines.filter((line) => line.startsWith(`-A ${hook} `));
  const at = rules.indexOf(`-A ${hook} -j ${chainOf(cut)}`);
  if (at < 0) return fact(`the cut in ${hook}`, "not jumped to", false, "");
  const above = rules.slice(0, at).find((line) => !/ -j VIGIE-CUT-\d+$/.test(line));
  const value = above === undefined ? "comes first" : `behind ${above.slice(0, TEXT_MAX)}`;
  return fact(`the cut in ${hook}`, value, above === undefined, "");
}
