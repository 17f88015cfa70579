/** What runs, for a person: power, login, load, and each node's DRBD minors. */
import type { Lab, LabNode } from "./lab.js";

export async function describeLab(lab: Lab): Promise<string> {
  const parts = await Promise.all(lab.nodes.map(describeNode));
  return parts.join("\n");
}

async function describeNode(node: LabNode): Promise<string> {
  const title = `${node.name}  ${node.ip}`;
  if (!node.isPowered()) return `${title}  no power`;
  const command = "cut -d. -f1 /proc/uptime; cut -d' ' -f1 /proc/loadavg; grep -E '^ *[0-9]+: ' /proc/drbd";
  const ran = await node.run(command, { timeoutMs: 5_000, allowFailure: true });
  if (ran.exitCode === 124 || ran.exitCode === 255) return `${title}  no answer`;
  const [uptime, load, ...minors] = ran.stdout.trimEnd().split("\n");
  return [`${title}  up ${String(uptime)} s, load ${String(load)}`, ...minors].join("\n");
}
