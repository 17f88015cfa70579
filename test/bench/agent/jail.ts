/**
 * Runs the agent with another folder as its root, in mount namespace of its own: nothing that is mounted for it is
 * seen outside, and all of it is gone with the process.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { start, type Child } from "../child.js";
import { bundleOf, NODE, unitSettings } from "../programs.js";

const LIBRARIES = ["usr/lib", "usr/lib64", "usr/bin"]; // for Node.js itself, and sh and cat of the fake tools
const DEVICES = ["null", "urandom"];

/** Without root, in a user namespace where one is root. */
const NAMESPACE = [
  "unshare",
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
  "--mount",
  "--propagation",
  "private",
];

export function jailObstacle(): string | undefined {
  const tried = spawnSync(NAMESPACE[0] ?? "", [...NAMESPACE.slice(1), "true"], { encoding: "utf8" });
  return tried.status === 0
    ? undefined
    : `no mount namespace can be made here: ${(tried.stderr ?? "").trim() || String(tried.error)}`;
}

/** @param root an absolute path, of a folder that fake-node.ts wrote @param config as the agent sees it */
export function startJailedAgent(root: string, config: string, nodeFlags: readonly string[]): Child {
  for (const folder of [...LIBRARIES, "opt/vigie", "tmp", "run"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const link of ["lib", "lib64", "bin"]) symlinkSync(`usr/${link}`, join(root, link));
  for (const device of DEVICES) writeFileSync(join(root, "dev", device), "");
  writeFileSync(join(root, "opt/vigie/node"), "");
  copyFileSync(bundleOf("agent"), join(root, "opt/vigie/agent.cjs"));

  const { flags, environment } = unitSettings("agent");
  const mounts = [
    ...LIBRARIES.map((folder) => mount(`/${folder}`, join(root, folder))),
    ...DEVICES.map((device) => mount(`/dev/${device}`, join(root, "dev", device))),
    mount(NODE, join(root, "opt/vigie/node")),
  ];
  const agent = ["/opt/vigie/node", ...flags, ...nodeFlags, "/opt/vigie/agent.cjs", config];
  const script = ["set -e", ...mounts, `exec chroot '${root}' "$@"`].join("\n");
  return start([...NAMESPACE, "sh", "-c", script, "sh", ...agent], environment);
}

function mount(from: string, to: string): string {
  return `[ ! -e '${from}' ] || mount --bind '${from}' '${to}'`;
}
