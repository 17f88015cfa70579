import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseProcNetTcp } from "./proc-net-tcp.js";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const line = (own: string, peer: string, state: string): string =>
  `   0: ${own} ${peer} ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000\n`;

test("a DRBD connection of IPv4 is read in the machine's byte order", () => {
  expect(parseProcNetTcp(`${HEADER}${line("0C004D0A:80E5", "0D004D0A:2AF8", "01")}`)).toEqual([
    { ownAddress: "10.77.0.12", ownPort: 32_997, peerAddress: "10.77.0.13", peerPort: 11_000 },
  ]);
});

test("a connection of IPv6 is spelt as the kernel's tools spell it", () => {
  const own = "B80D0120000000000000000001000000";
  expect(parseProcNetTcp(line(`${own}:2AF8`, `${own}:80E5`, "01"))[0]?.ownAddress).toBe("2001:db8::1");
});

test.each(["0A", "06", "02"])("a socket in state %s is not a connection", (state) => {
  expect(parseProcNetTcp(line("0C004D0A:2AF8", "00000000:0000", state))).toEqual([]);
});

test("whatever the text is, it is read without an error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => void parseProcNetTcp(text)),
    { numRuns: 500 },
  );
});
