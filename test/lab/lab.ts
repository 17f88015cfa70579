/** A running lab, as tests and the command see it. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runHost, streamLines, type Ran, type RunOptions } from "./host/exec.js";
import { INSIDE } from "./host/network.js";
import { diskFolder, kernelRootIn, LAB_NAME, RUN_DIR } from "./host/paths.js";
import { isAlive, killSession, type ProcessIdentity } from "./host/process-identity.js";
import { answersLogin, controlPath, endConnection, runInNode, sshArgv, type Login } from "./host/ssh.js";
import { LabProblem, withWords } from "./host/problem.js";
import { readState, recordKernel } from "./host/state.js";
import { KERNEL_MARK, startKernel } from "./host/user-mode-kernel.js";
import { factsOf, NODES, type NodeName } from "./nodes.js";
import { takeDown } from "./down.js";

export interface LabNode {
  readonly name: NodeName;
  readonly fqdn: string;
  readonly ip: string;
  /** One shell command line, as root. Rejects on a non-zero exit unless `allowFailure`. */
  readonly run: (command: string, options?: RunOptions) => Promise<Ran>;
  /** A bash script with arguments. Its text is the program's input, so no quoting is needed. */
  readonly script: (text: string, args?: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** A command that goes on: each line of its output as it comes. @returns ends it */
  readonly stream: (command: string, onLine: (line: string) => void) => () => void;
  /** The host's argv of a command there, for who speaks with it over its input and output. */
  readonly argvOf: (command: string) => readonly string[];
  /** Copy a file of the host. */
  readonly put: (localPath: string, remotePath: string, mode?: number) => Promise<void>;
  /** Write a file. */
  readonly write: (remotePath: string, text: string, mode?: number) => Promise<void>;
  readonly isPowered: () => boolean;
  /** Its processes end at once, in the middle of whatever they do. Its disk, which is memory, is empty afterwards. */
  readonly powerCut: () => Promise<void>;
  /** Start the kernel and wait for a login; Ganeti's daemons follow by themselves. */
  readonly powerOn: () => Promise<void>;
}

export interface Lab {
  readonly nodes: readonly LabNode[];
  readonly node: (name: NodeName) => LabNode;
  /** Run a program of the host inside the lab's network, where the nodes' addresses are reachable. */
  readonly netnsExec: (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** A UNIX socket of the host that leads to a TCP port of a node's loopback or own address. */
  readonly forward: (name: NodeName, port: number, address?: string) => Promise<string>;
  readonly down: () => Promise<void>;
}

const LOGIN_DEADLINE_MS = 90_000;

export function attach(cacheFolder: string): Lab {
  const nodes = NODES.map((facts) =>
    labNode({ node: facts, keyFile: join(cacheFolder, "id_rsa") }, cacheFolder),
  );
  const node = (name: NodeName): LabNode => {
    const found = nodes.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  return {
    nodes,
    node,
    netnsExec: (argv, options) => runHost([...INSIDE, ...argv], options),
    forward: (name, port, address) =>
      forward({ node: factsOf(name), keyFile: join(cacheFolder, "id_rsa") }, port, address),
    down: takeDown,
  };
}

function labNode(login: Login, cacheFolder: string): LabNode {
  const { name, fqdn, ip } = login.node;
  const run = (command: string, options?: RunOptions): Promise<Ran> => runInNode(login, command, options);
  return {
    name,
    fqdn,
    ip,
    run,
    script: (text, args = [], options = {}) =>
      run(["bash -s --", ...args.map(quote)].join(" "), { ...options, input: text }),
    stream: (command, onLine) => streamLines([...sshArgv(login), command], onLine),
    argvOf: (command) => [...sshArgv(login), command],
    put: (localPath, remotePath, mode) => receive(run, { file: localPath }, remotePath, mode),
    write: (remotePath, text, mode) => receive(run, text, remotePath, mode),
    isPowered: () => isPowered(name),
    powerCut: () => powerCut(login),
    powerOn: () => powerOn(login, cacheFolder),
  };
}

export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function receive(
  run: LabNode["run"],
  input: string | { file: string },
  path: string,
  mode = 0o644,
): Promise<void> {
  const target = quote(path);
  const octal = mode.toString(8);
  await run(`mkdir -p "$(dirname ${target})" && cat > ${target} && chmod ${octal} ${target}`, { input });
}

function isPowered(name: NodeName): boolean {
  const kernel = readState()?.kernels[name];
  return kernel !== undefined && isAlive(kernel);
}

async function powerCut(login: Login): Promise<void> {
  const kernel = readState()?.kernels[login.node.name];
  if (kernel !== undefined) await killSession(kernel, KERNEL_MARK);
  await endConnection(login);
}

/** Start the node from its own changed blocks; a node without any starts from the base image. */
export async function powerOn(login: Login, cacheFolder: string): Promise<void> {
  if (isPowered(login.node.name)) return;
  mkdirSync(diskFolder(), { recursive: true, mode: 0o700 });
  const changes = join(diskFolder(), `${login.node.name}.cow`);
  const kernel = await startKernel(
    login.node,
    { base: join(cacheFolder, "base.img"), changes },
    kernelRootIn(cacheFolder),
  );
  await recordOrEnd(login.node.name, kernel);
  await waitForLogin(login);
}

/** A kernel that no state names could never be ended: `down` may have run while this one was started. */
async function recordOrEnd(name: NodeName, kernel: ProcessIdentity): Promise<void> {
  try {
    recordKernel(name, kernel);
  } catch (error) {
    await killSession(kernel, KERNEL_MARK);
    throw error;
  }
}

/** What the kernel printed, to its end. */
function consoleOf(name: NodeName): string {
  const file = join(RUN_DIR, `${name}.console`);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

async function waitForLogin(login: Login): Promise<void> {
  const deadline = Date.now() + LOGIN_DEADLINE_MS;
  while (!(await answersLogin(login))) {
    if (!isPowered(login.node.name))
      throw new LabProblem(
        withWords(`the kernel of ${login.node.name} ended while it started`, consoleOf(login.node.name)),
        "try again; a kernel that ends so may not suit this machine's own",
      );
    if (Date.now() > deadline)
      throw new LabProblem(
        withWords(
          `${login.node.name} gives no login after ${String(LOGIN_DEADLINE_MS / 1000)} s`,
          consoleOf(login.node.name),
        ),
        "try again when the machine is less busy",
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** ssh listens on the socket, so it is reachable from outside of the lab's network namespace. */
async function forward(login: Login, port: number, address = login.node.ip): Promise<string> {
  const socket = join(tmpdir(), `${LAB_NAME}-${login.node.name}-${String(port)}-${String(process.pid)}.sock`);
  rmSync(socket, { force: true });
  if (!existsSync(controlPath(login.node))) await runInNode(login, "true");
  await runHost(sshArgv(login, "-O", "forward", "-L", `${socket}:${address}:${String(port)}`));
  return socket;
}
