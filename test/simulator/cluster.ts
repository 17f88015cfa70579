/**
 * Agents and an orchestrator, the real code, on a simulated world: the same composition as on real machines, with
 * the hosts, the clock and the wires replaced. Each can be killed and started again; what is on disk stays.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJournal, REAL_DISK, runAgent, type Disk, type Host, type Journal } from "@vigie/agent";
import {
  openSqliteStore,
  orchestratorConfigSchema,
  startOrchestrator,
  type Channel,
  type Orchestrator,
  type OrchestratorConfig,
  type Store,
} from "@vigie/orchestrator";
import { VERSION, type ActionRequest, type Clock } from "@vigie/proto";
import { mortalClock, mortalHost, mortalJournal } from "./mortal.js";
import type { NodeModel } from "./node-model.js";
import type { ClusterSpec } from "./cluster-spec.js";
import { createSimHost } from "./sim-host.js";
import { dial, QUIET_WIRE, type Endpoint, type Server, type WireHooks, type WireParts } from "./wire.js";
import { arrives, createWorld, nodeOf, reaches, type World } from "./world.js";

export interface LogLine {
  readonly atMs: number; // since the cluster began
  readonly who: string;
  readonly event: string;
  readonly detail: Record<string, unknown>;
}

export interface SimCluster {
  readonly world: World;
  readonly log: LogLine[];
  /** Every request for an action that an orchestrator sent, in order. */
  readonly requests: ActionRequest[];
  readonly hooks: Hooks;
  /** The one on the master, where no node is named; an old master's goes on until it is killed. */
  readonly orchestrator: (node?: string) => Orchestrator;
  readonly startAgent: (name: string) => void;
  /** As SIGKILL: nothing is cleaned up; the kernel keeps what it holds. */
  readonly killAgent: (name: string) => void;
  /** As SIGSTOP, until the returned function is called; undefined: there is no such process. */
  readonly freeze: (what: "agent" | "orchestrator", node: string) => (() => void) | undefined;
  /** It runs, and is not frozen. */
  readonly runs: (what: "agent" | "orchestrator", node: string) => boolean;
  /** This very process: another one may run on its node since. */
  readonly isAlive: (orchestrator: Orchestrator) => boolean;
  readonly isFrozen: (what: "agent" | "orchestrator", node: string) => boolean;
  readonly startOrchestrator: () => Promise<void>;
  readonly killOrchestrator: (node?: string) => void;
  readonly end: () => void;
}

/** For tests that disturb. */
export interface Hooks extends WireHooks {
  /** After each row of an agent's journal. */
  journaled: (node: string, row: JournalRow) => void;
  /** An orchestrator has started there. */
  started: (orchestrator: Orchestrator, node: string) => void;
}

export type JournalRow = Parameters<Journal["append"]>[0];

/** What a test puts between a process and its machine. */
export interface Seams {
  readonly host: (host: Host, node: NodeModel) => Host;
  readonly journal: (journal: Journal, node: NodeModel) => Journal;
  readonly disk: (disk: Disk, node: NodeModel) => Disk; // that the journal is written to
  readonly store: (store: Store, node: NodeModel) => Store;
  readonly clock: (clock: Clock, node: NodeModel) => Clock; // the orchestrator's
}

export interface SimOptions {
  /** What it is made of; or how many instances the usual three nodes have. */
  readonly instances?: number | ClusterSpec;
  readonly config?: object;
  readonly seams?: Partial<Seams>;
  /** By which the orchestrator of a node tells people. */
  readonly channels?: (node: string) => readonly Channel[];
  /** What is on disk is kept in memory, and nothing waits for a real disk. */
  readonly inMemory?: boolean;
}

const IN_MEMORY = "/dev/shm"; // tmpfs, on every Linux
const NO_SYNC: Disk = { ...REAL_DISK, sync: () => undefined, syncFolder: () => undefined };

interface Running extends Endpoint {
  readonly dies: AbortController;
  readonly stop: AbortController;
  alive: boolean;
  frozen: Promise<void> | undefined;
}

export async function createSimCluster(clock: Clock, options: SimOptions = {}): Promise<SimCluster> {
  const config: OrchestratorConfig = orchestratorConfigSchema.parse(options.config ?? {});
  const { seams = {}, inMemory = false } = options;
  const folder = mkdtempSync(join(inMemory && existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), "vigie-sim-"));
  const world = createWorld(clock, options.instances ?? 3);
  const startedMs = clock.monotonicMs();
  const log: LogLine[] = [];
  const requests: ActionRequest[] = [];
  const hooks: Hooks = { ...QUIET_WIRE, journaled: () => undefined, started: () => undefined };
  const agents = new Map<string, Running>();
  let seed = 1;
  const orchestrators = new Map<string, Server & { readonly process: Running }>();
  const stores = new Map<string, Store>();
  const wire: WireParts = {
    clock,
    hooks,
    requests,
    serverOn: (node) => orchestrators.get(node),
    isUp: (node) => world.nodes.get(node)?.up === true,
    reaches: (from, to) => reaches(world, from, to),
    arrives: (from, to) => arrives(world, from, to),
  };

  await begin();
  for (const name of world.nodes.keys()) startAgent(name);
  return {
    world,
    log,
    requests,
    hooks,
    orchestrator: (node = world.master) => {
      const running = orchestrators.get(node);
      if (running === undefined) throw new Error(`no orchestrator runs on ${node}`);
      return running.orchestrator;
    },
    startAgent,
    killAgent: (name) => kill(agents.get(name)),
    freeze: (what, node) => freeze(processOf(what, node)),
    runs: (what, node) => {
      const process = processOf(what, node);
      return process?.alive === true && process.frozen === undefined;
    },
    isAlive: (orchestrator) =>
      [...orchestrators.values()].some((each) => each.orchestrator === orchestrator && each.process.alive),
    isFrozen: (what, node) => processOf(what, node)?.frozen !== undefined,
    startOrchestrator: begin,
    killOrchestrator: (node = world.master) => {
      kill(orchestrators.get(node)?.process);
      orchestrators.delete(node);
    },
    end: () => {
      for (const agent of agents.values()) kill(agent);
      for (const { process } of orchestrators.values()) kill(process);
      world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function begin(): Promise<void> {
    const process = newProcess();
    const node = world.master;
    const model = nodeOf(world, node);
    const frozen = mortalClock(seams.clock?.(clock, model) ?? clock, process);
    const store = storeOf(node);
    const parts = {
      clock: frozen,
      random,
      store: seams.store?.(store, model) ?? store,
      ownNode: node,
      config: () => config,
      channels: options.channels?.(node) ?? [],
      log: logger("orchestrator", process),
    };
    const orchestrator = await startOrchestrator(parts, process.stop.signal);
    orchestrators.set(node, { process, orchestrator });
    hooks.started(orchestrator, node);
  }

  function storeOf(node: string): Store {
    if (!inMemory) return openSqliteStore(join(folder, `${node}.db`));
    const store = stores.get(node) ?? openSqliteStore(":memory:");
    stores.set(node, store);
    return store;
  }

  function startAgent(name: string): void {
    const node = nodeOf(world, name);
    const process = newProcess();
    agents.set(name, process);
    const simHost = createSimHost(world, node);
    const host = mortalHost(seams.host?.(simHost, node) ?? simHost, clock, process);
    const onDisk = inMemory
      ? openJournal(join(folder, name), seams.disk?.(NO_SYNC, node) ?? NO_SYNC)
      : openJournal(join(folder, name));
    const journal = mortalJournal(seams.journal?.(onDisk, node) ?? onDisk, process, (row) =>
      hooks.journaled(name, row),
    );
    const parts = {
      host,
      journal,
      dial: (to: string) => dial(wire, name, to, process),
      nodeName: name,
      version: VERSION,
      killSwitch: () => "/etc/vigie/stop",
      random,
      hung: () => [],
      log: logger(name, process),
    };
    void runAgent(parts, process.stop.signal).catch((error: unknown) =>
      parts.log("agent.ended", { reason: String(error) }),
    );
  }

  function processOf(what: "agent" | "orchestrator", node: string): Running | undefined {
    return what === "agent" ? agents.get(node) : orchestrators.get(node)?.process;
  }

  function kill(process: Running | undefined): void {
    if (process === undefined || !process.alive) return;
    process.alive = false;
    process.dies.abort(null);
    for (const close of process.links) close();
  }

  function freeze(process: Running | undefined): (() => void) | undefined {
    if (process === undefined || !process.alive || process.frozen !== undefined) return undefined;
    const gate = Promise.withResolvers<void>();
    process.frozen = gate.promise;
    return () => {
      process.frozen = undefined;
      gate.resolve();
    };
  }

  function logger(who: string, process: Running) {
    return (event: string, detail: Record<string, unknown>): void => {
      if (process.alive) log.push({ atMs: clock.monotonicMs() - startedMs, who, event, detail });
    };
  }

  /** The same numbers each time. */
  function random(): number {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  }
}

function newProcess(): Running {
  const dies = new AbortController();
  const stop = new AbortController();
  return { stop, dies, killed: dies.signal, alive: true, frozen: undefined, links: new Set() };
}
