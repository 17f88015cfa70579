/**
 * Puts prepared files on the nodes and restarts units. One tar stream a node, all nodes at once; what the
 * files are is the caller's business.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runHost } from "./host/exec.js";
import type { Lab, LabNode } from "./lab.js";
import type { NodeName } from "./nodes.js";

export interface DeployedFile {
  readonly from: string; // a file or a folder of the host
  readonly to: string; // absolute, in the node
  readonly mode?: number; // of a file; as it is on the host when absent
  readonly nodes?: readonly NodeName[]; // all when absent
}

export interface DeployedUnit {
  readonly name: string; // enabled and restarted, in the given order
  readonly nodes?: readonly NodeName[];
}

export interface Deployment {
  readonly files: readonly DeployedFile[];
  readonly units?: readonly DeployedUnit[];
  /** A shell command line that runs on each node between the files and the units. */
  readonly prepare?: string;
}

const UNPACK_TIMEOUT_MS = 60_000;

export async function deploy(lab: Lab, deployment: Deployment): Promise<void> {
  await Promise.all(lab.nodes.filter((node) => node.isPowered()).map((node) => deployTo(node, deployment)));
}

async function deployTo(node: LabNode, { files, units = [], prepare = "true" }: Deployment): Promise<void> {
  const concerns = (item: { readonly nodes?: readonly NodeName[] }): boolean =>
    item.nodes?.includes(node.name) ?? true;
  await sendFiles(node, files.filter(concerns));
  const names = units.filter(concerns).map((unit) => unit.name);
  const restart = names.map((name) => `systemctl restart ${name}`);
  // To read all units again costs a starting node a second or two, so it is done once, by the line that follows.
  const enable = names.length === 0 ? [] : [`systemctl --quiet --no-reload enable ${names.join(" ")}`];
  await node.script(["set -e", prepare, ...enable, "systemctl daemon-reload", ...restart].join("\n"));
}

async function sendFiles(node: LabNode, files: readonly DeployedFile[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vigie-lab-deploy-"));
  try {
    const tree = join(folder, "tree");
    mkdirSync(tree);
    for (const file of files) stage(tree, file);
    const archive = join(folder, "tree.tar");
    await runHost(["tar", "--owner=0", "--group=0", "--no-same-owner", "-C", tree, "-cf", archive, "."]);
    const unpack = "tar -C / -x --no-overwrite-dir -f -";
    await node.run(unpack, { input: { file: archive }, timeoutMs: UNPACK_TIMEOUT_MS });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stage(tree: string, { from, to, mode }: DeployedFile): void {
  const target = join(tree, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target, { recursive: true, dereference: true });
  if (mode !== undefined) chmodSync(target, mode);
}
