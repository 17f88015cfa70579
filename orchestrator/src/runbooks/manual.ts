/**
 * The commands as a person would type them, with the node to type them on: "h1# iptables …". A test holds them
 * against what the agent really runs.
 */
import type { DrbdEnd } from "@vigie/proto";

const MATCHES = [
  ["-s", "--dport", "--rsource"],
  ["-d", "--dport", "--rdest"],
  ["-s", "--sport", "--rsource"],
  ["-d", "--sport", "--rdest"],
];

export function manualCut(end: DrbdEnd, ttlS: number): string[] {
  const { peerAddress, port } = end;
  const iptables = tablesFor(end);
  const chain = `VIGIE-CUT-${port}`;
  const list = `vigie-cut,${peerAddress},${port},${ttlS},RUN`;
  const rule = ([address, direction, side]: string[], what: string, then: string): string =>
    `${iptables} -A ${chain} ${address} ${peerAddress} -p tcp ${direction} ${port} ${what} -m recent --name ${list} --rcheck --seconds ${ttlS} ${side} -j ${then}`;
  const peer = peerAddress.includes(":") ? `[${peerAddress}]` : peerAddress;
  const lines = [
    `${iptables} -N ${chain}`,
    `${iptables} -F ${chain}`,
    ...MATCHES.slice(0, 2).map((match) => rule(match, "--syn", "DROP")),
    ...MATCHES.map((match) => rule(match, "--tcp-flags RST NONE", "REJECT --reject-with tcp-reset")),
    `${iptables} -I INPUT 1 -j ${chain}`,
    `${iptables} -I OUTPUT 1 -j ${chain}`,
    `echo +${peerAddress} > /proc/net/xt_recent/${list}`,
    `ss -K -n -H -t ${typed(`dst ${peer} and ( sport = :${port} or dport = :${port} )`)}`,
  ];
  return lines.map((line) => `${end.node}# ${line}`);
}

export function manualRestore(end: DrbdEnd): string[] {
  const iptables = tablesFor(end);
  const chain = `VIGIE-CUT-${end.port}`;
  return [`-F ${chain}`, `-D INPUT -j ${chain}`, `-D OUTPUT -j ${chain}`, `-X ${chain}`].map(
    (args) => `${end.node}# ${iptables} ${args}`,
  );
}

function tablesFor({ peerAddress }: DrbdEnd): string {
  return peerAddress.includes(":") ? "ip6tables" : "iptables";
}

/** Anchored, for `grep 18:` also finds 118: and ns:…18:. */
export function manualLook(node: string, minor: number): string {
  return `${node}# grep -A3 '^ *${minor}: cs:' /proc/drbd`;
}

/** A word as a shell reads it again: the world-wide name of many a disk has blanks in it. */
export function typed(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
