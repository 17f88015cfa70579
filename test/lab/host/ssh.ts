/**
 * Commands inside a node, over ssh. One connection a node is kept open (ControlMaster), so that a call
 * costs a few tens of milliseconds; without it a call still works, only slower.
 */
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NodeFacts } from "../nodes.js";
import { runHost, type Ran, type RunOptions } from "./exec.js";
import { INSIDE } from "./network.js";
import { RUN_DIR } from "./paths.js";

const OPTIONS = [
  "BatchMode=yes",
  "StrictHostKeyChecking=no",
  "UserKnownHostsFile=/dev/null",
  "LogLevel=ERROR",
  "ConnectTimeout=2",
  "ServerAliveInterval=5",
  "ServerAliveCountMax=6",
];

export interface Login {
  readonly node: NodeFacts;
  readonly keyFile: string;
}

export function controlPath(node: NodeFacts): string {
  return join(RUN_DIR, `ssh-${node.name}`);
}

/** The argv of ssh into a node; the caller adds the remote command. */
export function sshArgv({ node, keyFile }: Login, ...options: readonly string[]): string[] {
  const fixed = [...OPTIONS, `ControlPath=${controlPath(node)}`].flatMap((option) => ["-o", option]);
  return [...INSIDE, "ssh", "-F", "/dev/null", "-i", keyFile, ...fixed, ...options, `root@${node.ip}`];
}

/** Run one shell command line as root. Safe to call from many places at once. */
export async function runInNode(login: Login, command: string, options: RunOptions = {}): Promise<Ran> {
  await keepConnection(login);
  return runHost([...sshArgv(login), command], options);
}

/** Does the node answer a login now? One try of at most two seconds. */
export async function answersLogin(login: Login): Promise<boolean> {
  await keepConnection(login);
  const ran = await runHost([...sshArgv(login), "true"], { timeoutMs: 3_000, allowFailure: true });
  return ran.exitCode === 0;
}

/**
 * The kept connection is a process of its own that lives until `endConnection`. It is started apart from
 * any call, because it would hold a call's output open for as long as it lives.
 */
async function keepConnection(login: Login): Promise<void> {
  if (existsSync(controlPath(login.node))) return;
  const { name } = login.node;
  const begun = starting.get(name) ?? startConnection(login).finally(() => starting.delete(name));
  starting.set(name, begun);
  await begun;
}

/** A second one beside the first would find the socket taken, and stay on for nothing. */
const starting = new Map<string, Promise<void>>();

async function startConnection(login: Login): Promise<void> {
  const [file = "", ...args] = sshArgv(login, "-M", "-N", "-f");
  await new Promise<void>((resolve) => {
    const child = spawn(file, args, { stdio: "ignore", detached: true });
    child.on("error", () => resolve());
    child.on("exit", () => resolve()); // with -f it leaves as soon as the login succeeded or failed
  });
}

export async function endConnection(login: Login): Promise<void> {
  if (!existsSync(controlPath(login.node))) return;
  await runHost(sshArgv(login, "-O", "exit"), { timeoutMs: 3_000, allowFailure: true });
  rmSync(controlPath(login.node), { force: true });
}
