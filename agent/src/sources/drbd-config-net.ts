/** The network half of a resource in `drbdsetup show`: both addresses, the protocol, and how long DRBD waits. */
import { isIP } from "node:net";
import type { DrbdConfig } from "@vigie/proto";
import { refuse } from "./cursor.js";
import { sections, valueOf, type Statement } from "./drbd-config-syntax.js";

export type NetConfig = Pick<
  DrbdConfig,
  | "localAddress"
  | "localPort"
  | "peerAddress"
  | "peerPort"
  | "protocol"
  | "allowTwoPrimaries"
  | "pingIntervalS"
  | "pingTimeoutDs"
  | "timeoutDs"
  | "koCount"
>;

interface Address {
  readonly address: string;
  readonly port: number;
}

const NO_ADDRESS: Address = { address: "", port: 0 };
const UINT32_MAX = 2 ** 32 - 1;

/** @param body of the resource: 9 keeps its net sections below `connection`, 8.x at the top */
export function netConfigOf(body: readonly Statement[]): NetConfig {
  const connections = sections(body, "connection");
  if (connections.length > 1) refuse("more than one peer");
  const scope = connections[0]?.body ?? body;
  const net = sections(scope, "net").flatMap((section) => section.body ?? []);
  const { local, peer } = addressesOf(body, scope);
  return {
    localAddress: local.address,
    localPort: local.port,
    peerAddress: peer.address,
    peerPort: peer.port,
    protocol: protocolOf(valueOf(net, "protocol") ?? valueOf(body, "protocol"), peer),
    allowTwoPrimaries: isOn(valueOf(net, "allow-two-primaries")),
    // The defaults of drbd_limits.h in 8.4; 8.3 prints its own, each marked _is_default.
    pingIntervalS: numberOf(net, "ping-int", 10),
    pingTimeoutDs: numberOf(net, "ping-timeout", 5),
    timeoutDs: numberOf(net, "timeout", 60),
    koCount: numberOf(net, "ko-count", 7),
  };
}

/** 8.x: `_this_host { address …; }`. 9: `path { _this_host ipv4 …; _remote_host ipv4 …; }`. */
function addressesOf(
  body: readonly Statement[],
  scope: readonly Statement[],
): { local: Address; peer: Address } {
  const paths = sections(scope, "path");
  if (paths.length > 1) refuse("more than one path");
  const path = paths[0]?.body;
  if (path !== undefined)
    return { local: addressIn(path, "_this_host"), peer: addressIn(path, "_remote_host") };
  return { local: addressBelow(body, "_this_host"), peer: addressBelow(body, "_remote_host") };
}

function addressIn(path: readonly Statement[], host: string): Address {
  return parseAddress(valueOf(path, host));
}

function addressBelow(body: readonly Statement[], host: string): Address {
  const hosts = sections(body, host);
  if (hosts.length > 1) refuse(`more than one ${host}`);
  return parseAddress(valueOf(hosts[0]?.body ?? [], "address"));
}

/** "ipv4 192.0.2.1:11000", "ipv6 [2001:db8::1]:11000"; 8.0 leaves the family out. */
function parseAddress(words: readonly string[] | undefined): Address {
  if (words === undefined) return NO_ADDRESS;
  const [family, text] = words.length === 1 ? ["ipv4", words[0]] : words;
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text ?? "");
  const { v6, v4, port } = match?.groups ?? {};
  const address = v6 ?? v4 ?? "";
  const expected = family === "ipv4" ? 4 : 6;
  const known = words.length <= 2 && (family === "ipv4" || family === "ipv6") && isIP(address) === expected;
  const portNumber = Number(port);
  if (!known || portNumber < 1 || portNumber > 65_535) refuse("an address is not understood");
  return { address, port: portNumber };
}

function protocolOf(words: readonly string[] | undefined, peer: Address): string {
  if (words === undefined) return peer === NO_ADDRESS ? "" : "C"; // the default of 8.4 and 9
  const [letter = ""] = words;
  return words.length === 1 && /^[ABC]$/.test(letter) ? letter : refuse("the protocol is not A, B or C");
}

/** 8.3 prints the bare word, 8.4 and 9 `yes` or `no`. */
function isOn(words: readonly string[] | undefined): boolean {
  if (words === undefined) return false;
  const [word = "yes"] = words;
  return word === "yes" || (word === "no" ? false : refuse("allow-two-primaries is neither yes nor no"));
}

function numberOf(net: readonly Statement[], key: string, ifNotShown: number): number {
  const words = valueOf(net, key);
  if (words === undefined) return ifNotShown;
  const [digits = ""] = words;
  const value = words.length === 1 && /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  return value <= UINT32_MAX ? value : refuse(`${key} is not a number`);
}
