/**
 * The fence that cuts one DRBD link: an ipset whose entries the kernel expires by itself, and four static rules
 * that refuse what matches it by tcp-reset. The rules are the wiki's four (either node may have connected, so the
 * DRBD port is the source or the destination port, in either direction), but they match {peer address, port, tcp}
 * and never a port alone: DRBD and VNC ports come from one pool, and a freed one is soon another customer's (I18).
 *
 * Resets themselves pass. The wiki's rules refuse these too, so the end that holds them swallows its own reset and
 * goes on for DRBD's ping time, ten seconds and more (safety F6); let through, both ends hear at their next packet.
 *
 * A new connection is not refused but met with silence. An end whose connection is refused waits for connect-int, ten
 * seconds, before it tries again (drbd_receiver.c, conn_connect); one that hears nothing goes on trying, and TCP sends
 * its SYN again after 1, 3 and 7 s. So the ends meet soon after the cut is gone, and Ganeti's migration, which gives a
 * disk up that is unconnected for 15 s (lib/backend.py, DrbdWaitSync), goes on.
 *
 * Why an ipset: a cut must be gone when its time is over even if this agent was killed, the disk is full or the
 * orchestrator is away (I17). The kernel forgets the entry; the rules stay and match nothing.
 */
import { isIPv6 } from "node:net";
import type { Command } from "./host.js";

export const CHAIN = "VIGIE-CUT";
const TIMEOUT_MS = 5_000;
const LOCK_WAIT_S = "3"; // iptables -w: another user of the xtables lock is waited for (I20)

interface Family {
  readonly set: string;
  readonly inet: "inet" | "inet6";
  readonly iptables: string;
}

const IPV4: Family = { set: "vigie-cut", inet: "inet", iptables: "/usr/sbin/iptables" };
const IPV6: Family = { set: "vigie-cut6", inet: "inet6", iptables: "/usr/sbin/ip6tables" };

export const CUT_SETS: readonly string[] = [IPV4.set, IPV6.set];

/** Which end of a packet is the peer, and which port of it is DRBD's: `src,dst` reads {source address, destination port}. */
const MATCHES = ["src,dst", "src,src", "dst,dst", "dst,src"];

/** A new connection goes to DRBD's port, whichever end opens it. */
const MATCHES_OF_A_NEW_ONE = ["src,dst", "dst,dst"];

const NEW = ["-p", "tcp", "--syn"];
const NOT_A_RESET = ["-p", "tcp", "--tcp-flags", "RST", "NONE"];
const REFUSE = ["-j", "REJECT", "--reject-with", "tcp-reset"];

export interface Cut {
  readonly peerAddress: string; // a literal IP
  readonly port: number; // TCP
}

export function addCut(cut: Cut, ttlS: number, runId: string): Command {
  return ipset("add", familyOf(cut).set, entry(cut), "timeout", String(ttlS), "comment", runId);
}

/** Succeeds also where there is no such entry. */
export function removeCut(cut: Cut): Command {
  return ipset("del", familyOf(cut).set, entry(cut), "-exist");
}

export function listCuts(set: string): Command {
  return ipset("list", set, "-output", "save");
}

/** Commands that make the fence, each with the question whether it is needed; safe to repeat. */
export function fenceSteps(cut: Cut): readonly { readonly unless?: Command; readonly run: Command }[] {
  const { set, inet, iptables: file } = familyOf(cut);
  const rule = (...args: string[]): Command => iptables(file, ...args);
  return [
    { run: ipset("create", set, "hash:ip,port", "family", inet, "timeout", "30", "comment", "-exist") },
    { unless: rule("-S", CHAIN), run: rule("-N", CHAIN) },
    ...MATCHES.map((match) => {
      const what = [...NOT_A_RESET, "-m", "set", "--match-set", set, match, ...REFUSE];
      return { unless: rule("-C", CHAIN, ...what), run: rule("-A", CHAIN, ...what) };
    }),
    ...MATCHES_OF_A_NEW_ONE.map((match) => {
      const what = [...NEW, "-m", "set", "--match-set", set, match, "-j", "DROP"];
      return { unless: rule("-C", CHAIN, ...what), run: rule("-I", CHAIN, "1", ...what) }; // before what refuses
    }),
    ...["INPUT", "OUTPUT"].map((hook) => ({
      unless: rule("-C", hook, "-j", CHAIN),
      run: rule("-I", hook, "1", "-j", CHAIN),
    })),
  ];
}

/** Commands that take everything of ours away; each may fail because it is not there. */
export function dismantleSteps(): readonly Command[] {
  return [IPV4, IPV6].flatMap(({ set, iptables: file }) => [
    ipset("flush", set),
    iptables(file, "-D", "INPUT", "-j", CHAIN),
    iptables(file, "-D", "OUTPUT", "-j", CHAIN),
    iptables(file, "-F", CHAIN),
    iptables(file, "-X", CHAIN),
    ipset("destroy", set),
  ]);
}

/** Ends every cut at once; the rules stay. Fails where the set does not exist. */
export function flushCuts(set: string): Command {
  return ipset("flush", set);
}

function familyOf(cut: Cut): Family {
  return isIPv6(cut.peerAddress) ? IPV6 : IPV4;
}

function entry(cut: Cut): string {
  return `${cut.peerAddress},tcp:${cut.port}`;
}

function ipset(...args: string[]): Command {
  return { file: "/usr/sbin/ipset", args, timeoutMs: TIMEOUT_MS };
}

function iptables(file: string, ...args: string[]): Command {
  return { file, args: ["-w", LOCK_WAIT_S, ...args], timeoutMs: TIMEOUT_MS };
}
