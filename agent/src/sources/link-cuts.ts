/**
 * The cuts of ours that the kernel makes now, as it shows them in /proc/net/xt_recent: a list for each, whose name says
 * whose cut it is (link-fence.ts), with a line once the peer was put there. No child is started for it.
 *
 * The line has the time of the cut in jiffies, which nobody outside the kernel can compare with a clock. What is counted
 * instead is the time since this agent first read that line: it is after the cut, so a cut is never taken for over
 * while it is not.
 */
import { Source, type Damaged, type LinkCut, type LinkCutFacts } from "@vigie/proto";
import type { Host } from "../host.js";
import { cutOfList, LIST_PREFIX, LISTS, type TimedCut } from "../link-fence.js";
import { quote } from "./cursor.js";
import { isMissing } from "./reading.js";
import type { Reading, SourceDefinition } from "./source.js";

const ENTRY = /^src=[0-9a-f.:]+ ttl: \d+ last_seen: (?<lastSeen>\d+) oldest_pkt: \d+(?: \d+,?)*\s*$/;

/** What was read of one list, and since when it reads so. */
interface Known {
  readonly text: string;
  readonly sinceMs: number;
}

export function linkCuts(): SourceDefinition {
  let known: ReadonlyMap<string, Known> = new Map();
  let destroys: Promise<boolean> | undefined; // of this boot's kernel
  return {
    source: Source.LINK_CUTS,
    periodMs: 5_000,
    deadlineMs: 4_000,
    read: async (host): Promise<Reading> => {
      const lists = await readLists(host);
      const nowMs = host.monotonicMs();
      known = new Map([...lists].map(([name, text]) => [name, since(known.get(name), text, nowMs)]));
      destroys ??= destroysSockets(host);
      return reading(known, nowMs, { backend: await backendOf(host), destroysSockets: await destroys });
    },
  };
}

/** The same line is the same cut; another one is another. */
function since(before: Known | undefined, text: string, nowMs: number): Known {
  return before?.text === text ? before : { text, sinceMs: nowMs };
}

/** The names of our lists: without a line, a list cuts nothing. */
export async function listNames(host: Pick<Host, "listFolder">): Promise<string[]> {
  try {
    return (await host.listFolder(LISTS)).filter((name) => name.startsWith(LIST_PREFIX)).toSorted();
  } catch (error) {
    if (isMissing(error)) return []; // the module is not loaded: no rule names a list
    throw error;
  }
}

/** @returns the text of each list of ours; one that went meanwhile cuts nothing */
async function readLists(host: Host): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const name of await listNames(host)) {
    const text = await host.readFile(`${LISTS}/${name}`).catch((error: unknown) => {
      if (isMissing(error)) return "";
      throw error;
    });
    if (text !== "") texts.set(name, text);
  }
  return texts;
}

function reading(
  lists: ReadonlyMap<string, Known>,
  nowMs: number,
  means: Pick<LinkCutFacts, "backend" | "destroysSockets">,
): Reading {
  const cuts: LinkCut[] = [];
  const damaged: Damaged[] = [];
  for (const [name, { text, sinceMs }] of lists) {
    const cut = cutOfList(name);
    if (cut === undefined || !ENTRY.test(text)) damaged.push(notUnderstood(name, text));
    else if (nowMs < sinceMs + cut.ttlS * 1000) cuts.push(linkCut(cut, sinceMs + cut.ttlS * 1000 - nowMs));
  }
  return { state: "ok", facts: { $case: "linkCuts", value: { cuts, ...means } }, damaged };
}

function linkCut({ peerAddress, port, runId }: TimedCut, leftMs: number): LinkCut {
  return { peerAddress, port, runId, expiresInS: Math.ceil(leftMs / 1000) };
}

function notUnderstood(name: string, text: string): Damaged {
  return { line: 1, reason: `not understood: ${quote(text.trim())}`, minor: undefined, object: name };
}

/** By the configuration that Debian installs beside its kernels; without one, nobody can say. */
async function destroysSockets(host: Host): Promise<boolean> {
  try {
    const release = (await host.readFile("/proc/sys/kernel/osrelease")).trim();
    return (await host.readFile(`/boot/config-${release}`)).includes("\nCONFIG_INET_DIAG_DESTROY=y\n");
  } catch {
    return false;
  }
}

/** Debian's alternatives say which of the two iptables fills the rules. */
async function backendOf(host: Host): Promise<string> {
  const target = await host.readLink("/etc/alternatives/iptables").catch(() => "iptables");
  return target.slice(target.lastIndexOf("/") + 1);
}
