/**
 * Packet rules that make network troubles. Each trouble has a chain of its own, told apart from Vigie's
 * by its name, so that mending removes exactly what was made.
 */
import type { LabNode } from "../lab.js";

export type Chain = "LAB-STALL" | "LAB-PORT" | "LAB-CUT";

/** Packets that carry data; DRBD's keep-alives and handshakes are smaller. */
export const BULK = "-m length --length 600:65535";

/** Shell lines that make an empty chain which every packet in and out passes first. */
export function layChain(chain: Chain): string {
  return `
iptables -w -N ${chain} 2>/dev/null || iptables -w -F ${chain}
for hook in INPUT OUTPUT; do
  iptables -w -C $hook -j ${chain} 2>/dev/null || iptables -w -I $hook -j ${chain}
done
`;
}

/** @param rules what follows `iptables -A CHAIN`, one a line */
export async function addRules(node: LabNode, chain: Chain, rules: readonly string[]): Promise<void> {
  const lines = rules.map((rule) => `iptables -w -A ${chain} ${rule}`);
  await node.script(["set -e", layChain(chain), ...lines].join("\n"));
}

/** Safe to run twice. */
export async function removeRules(node: LabNode, chain: Chain): Promise<void> {
  await node.script(`
for hook in INPUT OUTPUT; do iptables -w -D $hook -j ${chain}; done
iptables -w -F ${chain}
iptables -w -X ${chain}
exit 0`);
}
