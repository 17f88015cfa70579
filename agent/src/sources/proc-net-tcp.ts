/**
 * The TCP connections of this node, by /proc/net/tcp and tcp6: readable whatever DRBD's own tool does. Addresses are
 * words of four bytes in the machine's order, hexadecimal; ports are not swapped. Source: Linux
 * Documentation/networking/proc_net_tcp.rst.
 */
import { SocketAddress } from "node:net";

const LINE =
  /^\s*\d+: (?<own>[0-9A-F]{8}|[0-9A-F]{32}):(?<ownPort>[0-9A-F]{4}) (?<peer>[0-9A-F]{8}|[0-9A-F]{32}):(?<peerPort>[0-9A-F]{4}) (?<state>[0-9A-F]{2}) /;
const ESTABLISHED = "01";

export interface TcpConnection {
  readonly ownAddress: string;
  readonly ownPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/** @returns the established ones; a line that is no such line is left out: it proves nothing */
export function parseProcNetTcp(text: string): TcpConnection[] {
  return text.split("\n").flatMap((line) => {
    const found = LINE.exec(line)?.groups;
    if (found === undefined || found["state"] !== ESTABLISHED) return [];
    return [
      {
        ownAddress: addressOf(found["own"] ?? ""),
        ownPort: Number.parseInt(found["ownPort"] ?? "", 16),
        peerAddress: addressOf(found["peer"] ?? ""),
        peerPort: Number.parseInt(found["peerPort"] ?? "", 16),
      },
    ];
  });
}

function addressOf(hexadecimal: string): string {
  const bytes = Buffer.from(hexadecimal, "hex").swap32();
  if (bytes.length === 4) return [...bytes].join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
