/**
 * A folder that looks like a Ganeti node to whoever has it as his root: its /proc, /sys, ssconf and tools. The real
 * agent runs in it unchanged, with no switch of its own for benchmarks; only the kernel's answers are files.
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MASTER } from "../orchestrator/real-orchestrator.js";
import { MINORS, procDrbdText } from "../proc-drbd-text.js";
import { writeSysfs } from "./fake-sysfs.js";
import { toolOutputs } from "./fake-tools.js";

export const NODE_NAME = "h2.bench.example";

const MOVING_MINORS = 8; // of a cluster that idles: most disks rest, a few guests write a little

export function writeFakeNode(root: string): void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("proc/drbd", procDrbdText("connected"));
  write("proc/mounts", "/dev/vda1 / ext4 rw,relatime 0 0\ntmpfs /run tmpfs rw,nosuid 0 0\n");
  write("proc/sys/kernel/random/boot_id", "b9f0a1c2-0000-4000-8000-000000000001\n");
  write("dev/kmsg", "");
  write("etc/hosts", `127.0.0.1 ${MASTER}\n`);
  write("etc/nsswitch.conf", "hosts: files\n");
  for (const [key, text] of Object.entries(ssconf())) write(`var/lib/ganeti/ssconf_${key}`, `${text}\n`);
  writeSysfs(root, MINORS);
  for (const [tool, output] of Object.entries(toolOutputs(MINORS))) writeTool(root, tool, output);
}

/** One second later: a few counters have moved. The file is replaced as a whole, as one read of the kernel's is. */
export function moveCounters(root: string, second: number): void {
  const text = procDrbdText("connected", (minor) => (minor < MOVING_MINORS ? 4 * second : 0));
  writeFileSync(join(root, "proc/drbd.new"), text);
  renameSync(join(root, "proc/drbd.new"), join(root, "proc/drbd"));
}

function ssconf(): Record<string, string> {
  const nodes = [MASTER, NODE_NAME, "h3.bench.example"];
  const addresses = nodes.map((node, i) => `${node} 10.77.0.${11 + i}`).join("\n");
  return {
    cluster_name: "cluster.bench.example",
    cluster_tags: "",
    master_candidates: nodes.join("\n"),
    master_node: MASTER,
    node_list: nodes.join("\n"),
    node_primary_ips: addresses,
    node_secondary_ips: addresses,
    offline_nodes: "",
    release_version: "3.0.2",
  };
}

/** A tool that prints a file; "dmsetup info" is the answer of dmsetup to its first argument "info". */
function writeTool(root: string, tool: string, output: string): void {
  const [path = "", verb] = tool.split(" ");
  const name = path.slice(path.lastIndexOf("/") + 1);
  const answers = join(root, "answers");
  mkdirSync(answers, { recursive: true });
  writeFileSync(join(answers, verb === undefined ? name : `${name}-${verb}`), output);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const file = verb === undefined ? name : `${name}-$1`;
  writeFileSync(join(root, path), `#!/bin/sh\nexec cat "/answers/${file}"\n`);
  chmodSync(join(root, path), 0o755);
}
