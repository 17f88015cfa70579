/**
 * Agents and an orchestrator, the real code, on a simulated world: the same composition as on real machines, with
 * the hosts, the clock and the wires replaced. Each can be killed and started again; what is on disk stays.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJournal, runAgent, type Journal, type SessionLink } from "@vigie/agent";
import {
  openSqliteStore,
  orchestratorConfigSchema,
  startOrchestrator,
  type Orchestrator,
  type OrchestratorConfig,
} from "@vigie/orchestrator";
import {
  SessionRequest,
  SessionResponse,
  VERSION,
  VigieError,
  type ActionRequest,
  type Clock,
} from "@vigie/proto";
import { mortalClock, mortalHost, mortalJournal, type Life } from "./mortal.js";
import { createSimHost } from "./sim-host.js";
import { createWorld, reaches, type World } from "./world.js";

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
  readonly startOrchestrator: () => Promise<void>;
  readonly killOrchestrator: (node?: string) => void;
  readonly end: () => void;
}

/** For tests that disturb. */
export interface Hooks {
  /** Each request for an action comes to its agent twice, the second time a moment later. */
  repeatsRequests: boolean;
  /** This request is lost on its way. */
  loses: (request: ActionRequest) => boolean;
  /** After each row of an agent's journal. */
  journaled: (node: string, row: JournalRow) => void;
}

export type JournalRow = Parameters<Journal["append"]>[0];

interface Running extends Life {
  readonly stop: AbortController;
  alive: boolean;
  readonly links: Set<() => void>;
}

const REPEATED_AFTER_MS = 700;

export async function createSimCluster(
  clock: Clock,
  options: { readonly instances?: number; readonly config?: object } = {},
): Promise<SimCluster> {
  const folder = mkdtempSync(join(tmpdir(), "vigie-sim-"));
  const config: OrchestratorConfig = orchestratorConfigSchema.parse(options.config ?? {});
  const world = createWorld(clock, options.instances ?? 3);
  const startedMs = clock.monotonicMs();
  const log: LogLine[] = [];
  const requests: ActionRequest[] = [];
  const hooks: Hooks = { repeatsRequests: false, loses: () => false, journaled: () => undefined };
  const agents = new Map<string, Running>();
  let seed = 1;
  const orchestrators = new Map<string, { readonly orchestrator: Orchestrator; readonly process: Running }>();

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
    const process: Running = { stop: new AbortController(), alive: true, links: new Set() };
    const node = world.master;
    const store = openSqliteStore(join(folder, `${node}.db`));
    const frozen = mortalClock(clock, process);
    const parts = {
      clock: frozen,
      random,
      store,
      ownNode: node,
      config,
      log: logger("orchestrator", process),
    };
    const orchestrator = await startOrchestrator(parts, process.stop.signal);
    orchestrators.set(node, { process, orchestrator });
  }

  function startAgent(name: string): void {
    const node = world.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    const process: Running = { stop: new AbortController(), alive: true, links: new Set() };
    agents.set(name, process);
    const host = mortalHost(createSimHost(world, node), clock, process);
    const journal = mortalJournal(openJournal(join(folder, name)), process, (row) =>
      hooks.journaled(name, row),
    );
    const parts = {
      host,
      journal,
      dial: (to: string) => dial(name, to, process),
      nodeName: name,
      version: VERSION,
      killSwitch: "/etc/vigie/stop",
      random,
      hung: () => [],
      log: logger(name, process),
    };
    void runAgent(parts, process.stop.signal).catch((error: unknown) =>
      parts.log("agent.ended", { reason: String(error) }),
    );
  }

  /** An in-memory wire that carries encoded messages, as the real one does, while both ends live and see each other. */
  async function dial(from: string, to: string, process: Running): Promise<SessionLink> {
    const served = orchestrators.get(to);
    await clock.sleep(5);
    const whole = (): boolean =>
      process.alive &&
      served?.process.alive === true &&
      served === orchestrators.get(to) &&
      (from === to || reaches(world, from, to));
    if (!whole() || served === undefined || world.nodes.get(from)?.up !== true)
      throw new VigieError("UNAVAILABLE", `${to} cannot be reached`);
    const inbox = createInbox();
    const close = (): void => {
      inbox.close();
      served.process.links.delete(close);
      process.links.delete(close);
      if (served.process.alive) session.closed();
    };
    const session = served.orchestrator.gateway.accept(
      { role: "agent", name: from },
      {
        send: (message) => carry(message),
        close,
      },
    );
    process.links.add(close);
    served.process.links.add(close);

    function carry(message: SessionResponse): void {
      if (!whole()) return;
      const body = SessionResponse.decode(SessionResponse.encode(message).finish());
      if (body.body?.$case !== "actionRequest") return void inbox.push(body);
      requests.push(body.body.value);
      if (hooks.loses(body.body.value)) return;
      inbox.push(body);
      if (hooks.repeatsRequests) void clock.sleep(REPEATED_AFTER_MS).then(() => whole() && inbox.push(body));
    }

    return {
      send: (message) => {
        if (whole()) session.receive(SessionRequest.decode(SessionRequest.encode(message).finish()));
        return true;
      },
      messages: inbox.messages,
      close,
    };
  }

  function kill(process: Running | undefined): void {
    if (process === undefined || !process.alive) return;
    process.alive = false;
    for (const close of process.links) close();
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

function createInbox(): {
  push: (message: SessionResponse) => void;
  close: () => void;
  messages: AsyncIterable<SessionResponse>;
} {
  const waiting: SessionResponse[] = [];
  let wake: () => void = () => undefined;
  const state = { open: true };
  return {
    push: (message) => {
      waiting.push(message);
      wake();
    },
    close: () => {
      state.open = false;
      wake();
    },
    messages: (async function* () {
      while (state.open) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    })(),
  };
}
