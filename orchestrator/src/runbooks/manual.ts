/**
 * The commands as a person would type them, with the node to type them on: "h1# ipset add …". A test holds them
 * against what the agent really runs.
 */
import type { DrbdEnd } from "@vigie/proto";

const MATCHES = ["src,dst", "src,src", "dst,dst", "dst,src"];
const MATCHES_OF_A_NEW_ONE = ["src,dst", "dst,dst"];

export function manualCut(end: DrbdEnd, ttlS: number): string[] {
  const v6 = end.peerAddress.includes(":");
  const set = v6 ? "vigie-cut6" : "vigie-cut";
  const iptables = v6 ? "ip6tables" : "iptables";
  const lines = [
    `ipset create ${set} hash:ip,port family ${v6 ? "inet6" : "inet"} timeout 30 comment -exist`,
    `${iptables} -N VIGIE-CUT`,
    ...MATCHES.map(
      (m) =>
        `${iptables} -A VIGIE-CUT -p tcp --tcp-flags RST NONE -m set --match-set ${set} ${m} -j REJECT --reject-with tcp-reset`,
    ),
    ...MATCHES_OF_A_NEW_ONE.map(
      (m) => `${iptables} -I VIGIE-CUT 1 -p tcp --syn -m set --match-set ${set} ${m} -j DROP`,
    ),
    `${iptables} -I INPUT 1 -j VIGIE-CUT`,
    `${iptables} -I OUTPUT 1 -j VIGIE-CUT`,
    `ipset add ${set} ${end.peerAddress},tcp:${end.port} timeout ${ttlS} comment RUN`,
  ];
  return lines.map((line) => `${end.node}# ${line}`);
}

export function manualRestore(end: DrbdEnd): string[] {
  const set = end.peerAddress.includes(":") ? "vigie-cut6" : "vigie-cut";
  return [`${end.node}# ipset del ${set} ${end.peerAddress},tcp:${end.port} -exist`];
}

/** Anchored, for `grep 18:` also finds 118: and ns:…18:. */
export function manualLook(node: string, minor: number): string {
  return `${node}# grep -A3 '^ *${minor}: cs:' /proc/drbd`;
}

/** A word as a shell reads it again: the world-wide name of many a disk has blanks in it. */
export function typed(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
