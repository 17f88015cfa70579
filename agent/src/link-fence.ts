/**
 * The fence that cuts one DRBD link: a chain of its own, whose rules match only while the kernel remembers, in a list
 * of xt_recent, that the peer was put there less than a cut's time ago. The rules alone refuse nothing; writing the
 * peer's address into the list is the cut, and its end needs nobody: no process, no disk, no network, no wall clock
 * (I17, the kernel counts jiffies).
 *
 * The rules are the wiki's four (either node may have connected, so the DRBD port is the source or the destination
 * port, in either direction), but they match {peer address, port, tcp} and never a port alone: DRBD and VNC ports come
 * from one pool, and a freed one is soon another customer's (I18).
 *
 * Resets themselves pass. The wiki's rules refuse these too, so the end that holds them swallows its own reset and
 * goes on for DRBD's ping time, ten seconds and more (safety F6); let through, both ends hear at their next packet.
 *
 * A new connection is not refused but met with silence. An end whose connection is refused waits for connect-int, ten
 * seconds, before it tries again (drbd_receiver.c, conn_connect); one that hears nothing goes on trying, and TCP sends
 * its SYN again after 1, 3 and 7 s. So the ends meet soon after the cut is gone, and Ganeti's migration, which gives a
 * disk up that is unconnected for 15 s (lib/backend.py, DrbdWaitSync), goes on.
 *
 * Why xt_recent, and not an ipset with a timeout: rules that a person saves in the middle of a cut name the set, and
 * at the next boot iptables-restore finds no such set and loads no rule at all, the host's own neither. A list of
 * xt_recent comes with the rule that names it, and is empty: whatever was saved loads, and cuts nothing.
 *
 * The list's name holds all there is to know of the cut, so /proc/net/xt_recent shows the cuts without any tool, and
 * `iptables -S` shows whose they are.
 */
import { isIP, isIPv6 } from "node:net";
import type { Command } from "./host.js";

export const LISTS = "/proc/net/xt_recent";
export const LIST_PREFIX = "vigie-cut";
const CHAIN_PREFIX = "VIGIE-CUT";
const TIMEOUT_MS = 5_000;
const LOCK_WAIT_S = "3"; // iptables -w: another user of the xtables lock is waited for (I20)

export const TABLES = ["/usr/sbin/iptables", "/usr/sbin/ip6tables"] as const;
export const HOOKS = ["INPUT", "OUTPUT"] as const;

export interface Cut {
  readonly peerAddress: string; // a literal IP
  readonly port: number; // TCP; Ganeti gives each only once in a cluster
}

export interface TimedCut extends Cut {
  readonly ttlS: number;
  readonly runId: string;
}

const LIST =
  /^vigie-cut,(?<peerAddress>[0-9a-f.:]{2,39}),(?<port>\d{1,5}),(?<ttl>\d{1,4}),(?<runId>[\w-]{1,64})$/;

/** "vigie-cut,10.0.0.2,11018,30,r-7" */
export function listOf({ peerAddress, port, ttlS, runId }: TimedCut): string {
  return [LIST_PREFIX, peerAddress, port, ttlS, runId].join(",");
}

/** @returns undefined: no list that this agent would make */
export function cutOfList(name: string): TimedCut | undefined {
  const { peerAddress = "", port = "", ttl = "", runId = "" } = LIST.exec(name)?.groups ?? {};
  if (isIP(peerAddress) === 0 || Number(port) < 1 || Number(port) > 65_535 || Number(ttl) < 1)
    return undefined;
  return { peerAddress, port: Number(port), ttlS: Number(ttl), runId };
}

export function chainOf({ port }: Pick<Cut, "port">): string {
  return `${CHAIN_PREFIX}-${port}`;
}

/** A chain of this agent's, or of an earlier release's. */
export function isOurChain(name: string): boolean {
  return name === CHAIN_PREFIX || name.startsWith(`${CHAIN_PREFIX}-`);
}

/** Which end of a packet is the peer and which port of it is DRBD's; a new connection goes to DRBD's port only. */
const MATCHES = [
  { address: "-s", port: "--dport", side: "--rsource" },
  { address: "-d", port: "--dport", side: "--rdest" },
  { address: "-s", port: "--sport", side: "--rsource" },
  { address: "-d", port: "--sport", side: "--rdest" },
];

const NEW = { what: ["--syn"], target: ["-j", "DROP"] };
const NOT_A_RESET = {
  what: ["--tcp-flags", "RST", "NONE"],
  target: ["-j", "REJECT", "--reject-with", "tcp-reset"],
};

/** The rules of one cut, in their order: silence for who connects anew, then a reset for the rest. */
export function rulesOf(cut: TimedCut): readonly (readonly string[])[] {
  const to = MATCHES.filter(({ port }) => port === "--dport");
  return [
    ...to.map((match) => rule(cut, match, NEW)),
    ...MATCHES.map((match) => rule(cut, match, NOT_A_RESET)),
  ];
}

function rule(
  cut: TimedCut,
  match: (typeof MATCHES)[number],
  { what, target }: typeof NEW,
): readonly string[] {
  const packet = [match.address, cut.peerAddress, "-p", "tcp", match.port, String(cut.port), ...what];
  const recent = ["--name", listOf(cut), "--rcheck", "--seconds", String(cut.ttlS), match.side];
  return [...packet, "-m", "recent", ...recent, ...target];
}

/** Commands that make the fence, which refuses nothing yet. `onlyIf` and `unless` are questions to the kernel. */
export interface FenceStep {
  readonly run: Command;
  readonly unless?: Command;
  readonly onlyIf?: Command;
}

/** Also over what an earlier cut of this link left behind. The jumps come first in INPUT and OUTPUT. */
export function fenceSteps(cut: TimedCut): readonly FenceStep[] {
  const chain = chainOf(cut);
  return [
    { unless: tables(cut, "-S", chain), run: tables(cut, "-N", chain) },
    { run: tables(cut, "-F", chain) },
    ...rulesOf(cut).map((words) => ({ run: tables(cut, "-A", chain, ...words) })),
    ...HOOKS.flatMap((hook) => [
      { onlyIf: tables(cut, "-C", hook, "-j", chain), run: tables(cut, "-D", hook, "-j", chain) },
      { run: tables(cut, "-I", hook, "1", "-j", chain) },
    ]),
  ];
}

/** The cut itself: from here on the kernel counts. */
export function makeCut(cut: TimedCut): { readonly write: { readonly text: string }; readonly path: string } {
  return { write: { text: `+${cut.peerAddress}` }, path: `${LISTS}/${listOf(cut)}` };
}

/**
 * The link's connections end now, and both ends hear of it: the kernel tells the own one, and sends a reset to the
 * other, which passes the rules. Where it was not built with CONFIG_INET_DIAG_DESTROY this does nothing, and each end
 * hears at its next packet. The parentheses count: without them ss gives `and` and `or` the same rank.
 */
export function endConnections({ peerAddress, port }: Cut): Command {
  const peer = isIPv6(peerAddress) ? `[${peerAddress}]` : peerAddress;
  const filter = `dst ${peer} and ( sport = :${port} or dport = :${port} )`;
  return { file: "/usr/bin/ss", args: ["-K", "-n", "-H", "-t", filter], timeoutMs: TIMEOUT_MS };
}

/** Everything of one link's cut goes, the refusing rules first. */
export function openSteps(cut: Cut): readonly FenceStep[] {
  const chain = chainOf(cut);
  const isThere = tables(cut, "-S", chain);
  return [
    { onlyIf: isThere, run: tables(cut, "-F", chain) },
    ...HOOKS.map((hook) => ({
      onlyIf: tables(cut, "-C", hook, "-j", chain),
      run: tables(cut, "-D", hook, "-j", chain),
    })),
    { onlyIf: isThere, run: tables(cut, "-X", chain) },
  ];
}

/** What stands in one chain, as `iptables -S` prints it. */
export function rulesIn(cut: Cut, chain: string): Command {
  return tables(cut, "-S", chain);
}

export function tables({ peerAddress }: Pick<Cut, "peerAddress">, ...args: string[]): Command {
  return tablesCommand(isIPv6(peerAddress) ? TABLES[1] : TABLES[0], ...args);
}

export function tablesCommand(file: string, ...args: string[]): Command {
  return { file, args: ["-w", LOCK_WAIT_S, ...args], timeoutMs: TIMEOUT_MS };
}
