/** The lab command's verbs, one row each. */
import { join } from "node:path";
import { bundlePrograms } from "../../deploy/programs.js";
import { ensureInstance } from "./cluster/instance.js";
import { takeDown } from "./down.js";
import { runAttached } from "./host/exec.js";
import { LabProblem } from "./host/problem.js";
import { sshArgv } from "./host/ssh.js";
import { readState } from "./host/state.js";
import { wantedSuite } from "./host/suite.js";
import { attach, type Lab } from "./lab.js";
import { factsOf, isNodeName, type NodeName } from "./nodes.js";
import { startProgress } from "./host/progress.js";
import { describeLab } from "./status.js";
import { troubleNamed, troubles } from "./troubles/index.js";
import type { TroubleParams } from "./troubles/trouble.js";
import { bringUp } from "./up.js";
import { installVigie } from "./vigie/install.js";

export interface VerbOptions {
  readonly suite?: string | undefined;
  readonly instance?: string | undefined;
  readonly node?: string | undefined;
  readonly peer?: string | undefined;
  readonly daemon?: string | undefined;
}

export interface Verb {
  readonly name: string;
  readonly usage: string;
  readonly cleansUp?: boolean; // an interruption takes the lab down
  /** @returns the exit code */
  readonly run: (words: readonly string[], options: VerbOptions) => Promise<number>;
}

const report = (line: string): void => console.log(line);

export const verbs: readonly Verb[] = [
  {
    name: "up",
    usage:
      "up [--suite RELEASE]   start the lab, from the golden state where there is one, with Vigie of this tree",
    cleansUp: true,
    run: up,
  },
  {
    name: "golden",
    usage: "golden                 start it and make its golden state again",
    cleansUp: true,
    run: golden,
  },
  { name: "down", usage: "down                   end it and remove all but the cache", run: down },
  { name: "status", usage: "status                 what runs", run: status },
  { name: "ssh", usage: "ssh NODE [COMMAND …]   a shell in a node, or one command", run: ssh },
  {
    name: "instance",
    usage: "instance [NAME]        make a DRBD instance (web1.lab.example) on h2 and h3",
    run: instance,
  },
  { name: "break", usage: "break TROUBLE          make a trouble, for real", run: makeTrouble },
  { name: "mend", usage: "mend TROUBLE           take it back", run: mendTrouble },
  {
    name: "deploy",
    usage: "deploy                 put the built agent and orchestrator on the nodes",
    run: deployTree,
  },
];

export const HELP = [
  "npm run lab -- VERB [--suite bookworm|trixie] [--instance NAME] [--node NODE] [--peer NODE] [--daemon NAME]",
  "",
  ...verbs.map((verb) => `  ${verb.usage}`),
  "",
  "Troubles:",
  ...troubles.map((trouble) => `  ${trouble.name.padEnd(18)} ${trouble.about}`),
].join("\n");

async function up(_words: readonly string[], options: VerbOptions): Promise<number> {
  const lab = await bringUp(report, { suite: wantedSuite(options.suite) });
  await startProgress(report).step("Vigie of this tree on the nodes", () => deployTo(lab));
  return 0;
}

async function golden(_words: readonly string[], options: VerbOptions): Promise<number> {
  await bringUp(report, { suite: wantedSuite(options.suite), fresh: true });
  return 0;
}

async function down(): Promise<number> {
  await takeDown();
  return 0;
}

async function status(): Promise<number> {
  const state = readState();
  if (state === undefined) {
    report("no lab runs");
    return 1;
  }
  report(`Debian ${state.suite}`);
  report(await describeLab(attach(state.cacheFolder)));
  return 0;
}

async function ssh(words: readonly string[]): Promise<number> {
  const [name = "", ...command] = words;
  if (!isNodeName(name)) throw new LabProblem("ssh needs a node", "name h1, h2 or h3");
  const keyFile = join(requireState().cacheFolder, "id_rsa");
  const terminal = command.length === 0 ? ["-t"] : [];
  return runAttached([...sshArgv({ node: factsOf(name), keyFile }, ...terminal), ...command]);
}

async function instance(words: readonly string[]): Promise<number> {
  const disk = await ensureInstance(requireLab(), words[0] ?? "web1.lab.example");
  report(JSON.stringify(disk, null, 2));
  return 0;
}

async function makeTrouble(words: readonly string[], options: VerbOptions): Promise<number> {
  report(await troubleNamed(words[0] ?? "").make(requireLab(), troubleParams(options)));
  return 0;
}

async function mendTrouble(words: readonly string[], options: VerbOptions): Promise<number> {
  await troubleNamed(words[0] ?? "").mend(requireLab(), troubleParams(options));
  return 0;
}

/** What is deployed is told by the tree itself: deploy/lab.ts, where there is one. */
async function deployTree(): Promise<number> {
  await deployTo(requireLab());
  return 0;
}

async function deployTo(lab: Lab): Promise<void> {
  await bundlePrograms();
  await installVigie(lab);
}

function requireState() {
  const state = readState();
  if (state === undefined) throw new LabProblem("no lab runs", "start one with npm run lab -- up");
  return state;
}

function requireLab(): Lab {
  return attach(requireState().cacheFolder);
}

function troubleParams(options: VerbOptions): TroubleParams {
  const { instance: name, daemon } = options;
  const node = nodeOption(options.node);
  const peer = nodeOption(options.peer);
  return {
    ...(name === undefined ? {} : { instance: name }),
    ...(daemon === undefined ? {} : { daemon }),
    ...(node === undefined ? {} : { node }),
    ...(peer === undefined ? {} : { peer }),
  };
}

function nodeOption(text: string | undefined): NodeName | undefined {
  if (text === undefined || isNodeName(text)) return text;
  throw new LabProblem(`no node ${text}`, "name h1, h2 or h3");
}
