/**
 * Nothing of ours outlives its reason (I17, I20). At start and at stop all of it is taken away: a cut that an earlier
 * life of this agent left is nobody's now. Every few seconds what cuts nothing any more goes, so that the host's
 * firewall is as it was once the last cut is over. Every minute a cut that this life did not make is removed and told.
 *
 * The kernel ends a cut by itself. What is swept here are rules that match nothing.
 */
import { explain, type Damaged, type LinkCut } from "@vigie/proto";
import type { Host } from "./host.js";
import type { Journal } from "./journal.js";
import { chainOf, cutOfList, isOurChain, LISTS, TABLES, tablesCommand } from "./link-fence.js";
import { listNames } from "./sources/link-cuts.js";

export const SWEEP_PERIOD_MS = 60_000;
export const TIDY_PERIOD_MS = 5_000;

export async function sweepAtStart(
  host: Host,
  journal: Journal,
  standing: readonly LinkCut[],
): Promise<void> {
  if (standing.length > 0) tell(journal, { why: "agent start", cuts: standing }, host.wallUnixMs());
  await removeAll(host);
}

/** Also by a process of its own, after an agent that was killed and does not start again. */
export async function removeAll(host: Host): Promise<void> {
  await forget(host, () => true);
  await removeChains(host, () => true);
}

/**
 * Rules that cut nothing any more go.
 * @param unmade also those whose cut was never made; a step that was too late comes again and finds them
 */
export async function tidy(host: Host, standing: readonly LinkCut[], unmade: boolean): Promise<void> {
  const used = new Set(standing.map(chainOf));
  const over = new Set<string>();
  for (const name of await listNames(host)) {
    const cut = cutOfList(name);
    if (cut === undefined || used.has(chainOf(cut))) continue;
    const text = await host.readFile(`${LISTS}/${name}`).catch(() => "");
    if (unmade || text !== "") over.add(chainOf(cut));
  }
  if (over.size > 0) await removeChains(host, (chain) => over.has(chain));
}

/**
 * @param madeHere the run ids whose cuts this life of the agent made
 * @returns the cuts that were removed because nobody answers for them
 */
export async function sweepUnknown(
  host: Host,
  journal: Journal,
  standing: readonly LinkCut[],
  madeHere: (runId: string) => boolean,
): Promise<readonly LinkCut[]> {
  const unknown = standing.filter((cut) => !madeHere(cut.runId));
  if (unknown.length === 0) return [];
  tell(journal, { why: "nobody answers for it", cuts: unknown }, host.wallUnixMs());
  const chains = new Set(unknown.map(chainOf));
  await forget(host, (name) => chains.has(chainOf(cutOfList(name) ?? { port: 0 })));
  await removeChains(host, (chain) => chains.has(chain));
  return unknown;
}

/** What is not understood among our lists cuts something, and nobody knows what: all of it goes (I20). */
export async function sweepAll(host: Host, journal: Journal, damaged: readonly Damaged[]): Promise<void> {
  tell(journal, { why: "not understood", damaged }, host.wallUnixMs());
  await removeAll(host);
}

/** The links are open from here on, whatever becomes of the rules. "/" empties a list (xt_recent.c). */
async function forget(host: Host, which: (name: string) => boolean): Promise<void> {
  const names = await listNames(host).catch(() => []); // the rules go all the same
  for (const name of names.filter(which))
    await host.writeFile(`${LISTS}/${name}`, "/").catch((error: unknown) => explain(error));
}

/** Each with every jump to it, wherever somebody put one; a command may fail because it is not there any more. */
async function removeChains(host: Host, which: (chain: string) => boolean): Promise<void> {
  for (const file of TABLES) {
    const { stdout } = await host.run(tablesCommand(file, "-S"));
    const rules = stdout.split("\n");
    const chains = rules.flatMap((line) => /^-N (\S+)$/.exec(line)?.[1] ?? []).filter(isOurChain);
    for (const chain of chains.filter(which)) await removeChain(host, file, chain, rules);
  }
}

async function removeChain(host: Host, file: string, chain: string, rules: readonly string[]): Promise<void> {
  const run = (...args: string[]) => host.run(tablesCommand(file, ...args));
  await run("-F", chain);
  for (const line of rules) {
    const jump = /^-A (?<hook>\S+) -j (?<to>\S+)$/.exec(line)?.groups;
    if (jump?.["to"] === chain) await run("-D", jump["hook"] ?? "", "-j", chain);
  }
  await run("-X", chain);
}

/** A journal that cannot be written stops every action, but not this: an open link is the safe side (I17, I24). */
function tell(journal: Journal, detail: unknown, wallUnixMs: number): void {
  try {
    journal.append({ kind: "sweep", detail }, wallUnixMs);
  } catch {
    // the journal is broken now, and each report says so
  }
}
