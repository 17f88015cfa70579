/** The gnt-* command lines: what each puts into the queue, or does at once. */
import type { CommandOutcome } from "@vigie/agent";
import { ended, JobFailed, kill, submit, type JobSpec, type JobWork } from "./ganeti-jobs.js";
import type { InstanceModel } from "./ganeti-model.js";
import { activateDisks, replaceHere, replaceSecondary } from "./job-disks.js";
import { remove, shutdown, startup } from "./job-life.js";
import { changed, cleanup, failover, migrate } from "./job-moves.js";
import { outcome } from "./outcome.js";
import type { NodeModel } from "./node-model.js";
import { nodeOf, type World } from "./world.js";

const STARTS_MS = 300; // Python
const READD_MS = 38_000; // as in the lab

export async function gntCommand(
  world: World,
  node: NodeModel,
  program: string,
  args: readonly string[],
  endedBy?: AbortSignal,
): Promise<CommandOutcome> {
  if (args[0] === "list") return outcome(1, "", "Cannot communicate with the master daemon\n");
  await world.clock.sleep(STARTS_MS);
  if (node.name !== world.master) return outcome(11, "", "This is not the master node\n");
  if (program === "gnt-cluster") return watcher(world, args);
  if (program === "gnt-job") return cancel(world, Number(args.at(-1)));
  if (program === "hbal") return hbal(world, node, reasonsIn(args), endedBy);
  if (args[0] === "add") return readd(world, args.at(-1) ?? "");
  if (world.ganeti.queueDrained) return outcome(1, "", "Job queue is drained, refusing job\n");
  const spec = program === "gnt-node" ? nodeJob(world, args) : instanceJob(world, args);
  if (spec === undefined) return outcome(1, "", `not understood: ${args.join(" ")}\n`);
  return outcome(0, `${submit(world, spec).id}\n`);
}

function instanceJob(world: World, args: readonly string[]): JobSpec | undefined {
  const instance = world.ganeti.instances.find(({ name }) => name === args.at(-1));
  if (instance === undefined) return undefined; // it was removed meanwhile
  const of = (opcode: string, work: (work: JobWork) => Promise<void>): JobSpec => ({
    opcode,
    subject: instance.name,
    instances: [instance.name],
    locks: [`instance ${instance.name}`],
    reasons: reasonsIn(args),
    work: async (job) => {
      if (!world.ganeti.instances.includes(instance))
        throw new JobFailed(`Instance '${instance.name}' not known`);
      await work(job);
    },
  });
  const wants = (flag: string): boolean => args.includes(flag);
  switch (args[0] ?? "") {
    case "migrate":
      if (!wants("-f")) return undefined; // it asks, and nobody answers
      return of("INSTANCE_MIGRATE", (work) => (wants("--cleanup") ? cleanup : migrate)(instance, work));
    case "failover":
      return of("INSTANCE_FAILOVER", (work) => failover(instance, work));
    case "activate-disks":
      return of("INSTANCE_ACTIVATE_DISKS", (work) => activateDisks(instance, work));
    case "replace-disks":
      return of("INSTANCE_REPLACE_DISKS", (work) => replace(instance, args, work));
    case "shutdown":
      return of("INSTANCE_SHUTDOWN", (work) => shutdown(instance, work));
    case "startup":
      return of("INSTANCE_STARTUP", (work) => startup(instance, work));
    case "remove":
      return of("INSTANCE_REMOVE", (work) => remove(instance, work));
    default:
      return undefined;
  }
}

function replace(instance: InstanceModel, args: readonly string[], work: JobWork): Promise<void> {
  const disks = args.find((arg) => arg.startsWith("--disks="))?.slice("--disks=".length);
  const indices = disks?.split(",").map(Number);
  if (args.includes("-a")) return replaceHere(instance, "faulty", indices, work);
  if (args.includes("-p")) return replaceHere(instance, "primary", indices, work);
  if (args.includes("-s")) return replaceHere(instance, "secondary", indices, work);
  const to = args.includes("-n") ? (args[args.indexOf("-n") + 1] ?? "") : "";
  return replaceSecondary(instance, to, work);
}

function nodeJob(world: World, args: readonly string[]): JobSpec | undefined {
  const storage = args[0] === "modify-storage";
  const name = (storage ? args.at(-3) : args.at(-1)) ?? "";
  const node = nodeOf(world, name);
  return {
    opcode: storage ? "NODE_MODIFY_STORAGE" : "NODE_SET_PARAMS",
    subject: name,
    instances: [],
    locks: [`node ${name}`],
    reasons: reasonsIn(args),
    work: async ({ sleep, reasons }) => {
      await sleep(STARTS_MS);
      if (storage) return setAllocatable(node, args.at(-1) ?? "", args.includes("yes"));
      const yes = args.includes("yes");
      if (args.includes("-O")) setOffline(world, node, yes, reasons);
      if (args.includes("-D")) node.drained = yes;
      changed(world.ganeti, node);
    },
  };
}

export function setOffline(
  world: World,
  node: NodeModel,
  offline: boolean,
  reasons: readonly string[] = [],
): void {
  world.flags(node, offline, reasons);
  node.offline = offline;
}

function setAllocatable(node: NodeModel, path: string, allocatable: boolean): void {
  const pv = node.disks.find((disk) => disk.pv?.path === path && disk.state === "running")?.pv;
  if (pv === undefined) throw new JobFailed(`Physical volume ${path} not found on ${node.name}`);
  pv.allocatable = allocatable;
}

function watcher({ clock, ganeti }: World, [, verb, duration = ""]: readonly string[]): CommandOutcome {
  const nowS = Math.floor(clock.wallUnixMs() / 1000);
  ganeti.watcherPausedUntilUnixS = verb === "pause" ? nowS + Number.parseInt(duration, 10) : 0;
  return outcome(0);
}

/** `service ganeti restart`: what has no process of its own ends with the daemons. */
export function restartDaemons({ ganeti }: World): CommandOutcome {
  if (isBefore212(ganeti.release)) for (const job of ganeti.jobs) kill(job);
  return outcome(0);
}

function isBefore212(release: string): boolean {
  return /^2\.(?:\d|1[01])\./.test(release);
}

function cancel({ ganeti }: World, id: number): CommandOutcome {
  if (isBefore212(ganeti.release)) return outcome(2, "", "gnt-job: error: no such option: --kill\n");
  const job = ganeti.jobs.find((each) => each.id === id);
  if (job === undefined) return outcome(1, "", `Job ${id} not found\n`);
  kill(job);
  return outcome(0);
}

/** Keys and configuration anew; its flags are cleared. */
async function readd(world: World, name: string): Promise<CommandOutcome> {
  const node = nodeOf(world, name);
  await world.clock.sleep(READD_MS);
  if (!node.up) return outcome(1, "", `Failure: can't connect to ${name}\n`);
  setOffline(world, node, false);
  node.drained = false;
  changed(world.ganeti, node);
  return outcome(0);
}

async function hbal(
  world: World,
  node: NodeModel,
  reasons: readonly string[],
  endedBy: AbortSignal | undefined,
): Promise<CommandOutcome> {
  world.balancing.add(reasons);
  try {
    return await balance(world, node, reasons, endedBy);
  } finally {
    world.balancing.delete(reasons);
  }
}

/** Guests go from the node with most to one that has two fewer and a copy; it waits for each job. */
async function balance(
  world: World,
  node: NodeModel,
  reasons: readonly string[],
  endedBy: AbortSignal | undefined,
): Promise<CommandOutcome> {
  for (;;) {
    const takesMs = world.takesMs(node, ["/usr/bin/hbal"]);
    if (takesMs > 0) await world.clock.sleep(takesMs);
    if (endedBy?.aborted === true || !node.up) return { ...outcome(-1), end: "signalled", signal: "SIGKILL" };
    if (node.name !== world.master) return outcome(1, "", "Cannot connect to the master daemon\n");
    const instance = toMove(world);
    if (instance === undefined) return outcome(0, "Cluster is already well balanced\n");
    const job = submit(world, {
      opcode: "INSTANCE_MIGRATE",
      subject: instance.name,
      instances: [instance.name],
      locks: [`instance ${instance.name}`],
      reasons,
      work: (work) => migrate(instance, work),
    });
    await ended(world, job);
    if (job.status !== "success") return outcome(1, "", `Job ${job.id} failed\n`);
  }
}

function toMove(world: World): InstanceModel | undefined {
  const { ganeti, nodes } = world;
  const count = (node: string): number => ganeti.instances.filter(({ primary }) => primary === node).length;
  return ganeti.instances.find(({ name, disks: [first], primary }) => {
    const to = first?.ends.find(({ node }) => node !== primary)?.node ?? "";
    if (!nodeOf(world, primary).guests.has(name)) return false;
    return nodes.get(to)?.offline === false && count(primary) - count(to) >= 2;
  });
}

function reasonsIn(args: readonly string[]): string[] {
  return args.filter((arg) => arg.startsWith("--reason=")).map((arg) => arg.slice("--reason=".length));
}
