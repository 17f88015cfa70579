/** What is wrong with each node's machine now, beside what the world itself models; and the host and store that show it. */
import type { CommandOutcome, Disk, Host } from "@vigie/agent";
import type { Store } from "@vigie/orchestrator";
import type { Clock } from "@vigie/proto";
import type { NodeModel } from "../simulator/node-model.js";
import { errno } from "../simulator/outcome.js";
import { GUESTS_FOLDER, oddFile, oddFolder, oddText, type OddRow } from "./odd-rows.js";
import type { Random } from "./random.js";

export interface NodeFaults {
  /** Reads and commands of this node take up to this long; 0: as on a healthy machine. */
  slowMs: number;
  /** What a reading of these files or tools gives instead. */
  reading: { readonly what: RegExp; readonly gives: "late" | "damaged" | "missing" } | undefined;
  diskFull: boolean;
  /** One row of its readings is not understood. */
  oddRow: OddRow | undefined;
  /** Each command that changes something needs up to this long before it does; 0: no time. */
  commandsTakeMs: number;
  /** Its wall clock is off by this many ms. */
  wallOffsetMs: number;
}

export interface Faults {
  readonly of: (node: string) => NodeFaults;
  /** Each message needs up to this long; 0: as in a healthy network. */
  readonly network: { lateMs: number };
  /** True: reads, commands and messages take no time, for hours in which time leaps. */
  readonly idle: { is: boolean };
  readonly host: (host: Host, node: NodeModel) => Host;
  readonly disk: (disk: Disk, node: NodeModel) => Disk;
  readonly store: (store: Store, node: NodeModel) => Store;
  readonly clock: (clock: Clock, node: NodeModel) => Clock;
  /** ms that this command of the node's needs before it has its effect. */
  readonly takesMs: (node: string, file: string) => number;
}

const LED_BEFORE = 6; // epochs, before the seed begins
const LATE_MS = 4_000; // longer than any fact may be old
const READ_TAKES_TIME = 0.15; // of the reads: the others come from the page cache
const READ_MAX_MS = 8;
const COMMAND_MAX_MS = 60;

const NO_FAULTS: Readonly<NodeFaults> = {
  slowMs: 0,
  reading: undefined,
  diskFull: false,
  oddRow: undefined,
  commandsTakeMs: 0,
  wallOffsetMs: 0,
};

const GANETI = /\/(?:gnt-\w+|hbal)$/; // Python, and a daemon that is asked
const QUICK = 0.4; // of the local commands, while they take their time

export function createFaults(clock: Clock, random: Random): Faults {
  const nodes = new Map<string, NodeFaults>();
  const idle = { is: false };
  const takes = random.fork("commands");
  const of = (node: string): NodeFaults => {
    const known = nodes.get(node) ?? { ...NO_FAULTS };
    nodes.set(node, known);
    return known;
  };
  return {
    of,
    network: { lateMs: 0 },
    idle,
    host: (host, node) => disturbedHost(host, of(node.name), idle, clock, random.fork(`host ${node.name}`)),
    disk: (disk, node) => ({
      ...disk,
      write: (file, text) => (of(node.name).diskFull ? 0 : disk.write(file, text)),
    }),
    store: (store, node) => ({
      ...store,
      epoch: async () => Math.max(LED_BEFORE, await store.epoch()),
      commit: async (changes) => {
        if (of(node.name).diskFull) throw errno("ENOSPC", "no space left on device");
        return store.commit(changes);
      },
    }),
    takesMs: (node, file) => {
      const { commandsTakeMs } = of(node);
      if (commandsTakeMs === 0 || idle.is) return 0;
      return !GANETI.test(file) && takes.chance(QUICK) ? 0 : takes.int(0, commandsTakeMs);
    },
    clock: (wall, node) => ({ ...wall, wallUnixMs: () => wall.wallUnixMs() + of(node.name).wallOffsetMs }),
  };
}

interface HowRead {
  readonly ms: number;
  readonly gives: "late" | "damaged" | "missing" | undefined;
}

function disturbedHost(
  host: Host,
  faults: NodeFaults,
  idle: Faults["idle"],
  clock: Clock,
  random: Random,
): Host {
  return {
    ...host,
    wallUnixMs: () => host.wallUnixMs() + faults.wallOffsetMs,
    readFile: (path) => {
      const how = reading(path);
      return how === undefined && faults.oddRow === undefined ? host.readFile(path) : readOddly(path, how);
    },
    listFolder: async (path) => {
      await takesPlace(path, reading(path));
      return oddFolder(faults.oddRow, path, () => host.listFolder(GUESTS_FOLDER)) ?? host.listFolder(path);
    },
    exchange: async (socket, request, end, timeoutMs) => {
      const gives = await takesPlace(socket, reading(socket));
      const text = oddText(
        faults.oddRow,
        `${socket} query`,
        await host.exchange(socket, request, end, timeoutMs),
        random,
      );
      return gives === "damaged" ? damaged(text, random) : text;
    },
    run: async (command) => {
      const startedMs = clock.monotonicMs();
      const gives = await takesPlace(command.file, reading(command.file, COMMAND_MAX_MS));
      if (clock.monotonicMs() - startedMs > command.timeoutMs) return killed(command.timeoutMs);
      const done = await host.run(command);
      if (!idle.is) await clock.sleep(random.int(0, COMMAND_MAX_MS));
      const durationMs = clock.monotonicMs() - startedMs;
      const stdout = oddText(faults.oddRow, command.file, done.stdout, random);
      return { ...done, stdout: gives === "damaged" ? damaged(stdout, random) : stdout, durationMs };
    },
  };

  async function readOddly(path: string, how: HowRead | undefined): Promise<string> {
    const gives = await takesPlace(path, how);
    const text =
      oddFile(faults.oddRow, path) ?? oddText(faults.oddRow, path, await host.readFile(path), random);
    return gives === "damaged" ? damaged(text, random) : text;
  }

  /** @returns undefined: it takes no time, and nothing is wrong with it, as of most */
  function reading(what: string, usualMs = 0): HowRead | undefined {
    if (idle.is) return undefined;
    const gives = faults.reading?.what.test(what) === true ? faults.reading.gives : undefined;
    const takesMs =
      faults.slowMs > 0 ? random.int(0, faults.slowMs) : usualMs > 0 ? random.int(1, usualMs) : cached();
    const ms = gives === "late" ? LATE_MS + takesMs : takesMs;
    return ms === 0 && gives === undefined ? undefined : { ms, gives };
  }

  /** Lets the time pass that it needs. */
  async function takesPlace(what: string, how: HowRead | undefined): Promise<HowRead["gives"]> {
    if (how === undefined) return undefined;
    if (how.ms > 0) await clock.sleep(how.ms);
    if (how.gives === "missing") throw errno("EIO", what);
    return how.gives;
  }

  function cached(): number {
    return random.chance(READ_TAKES_TIME) ? random.int(1, READ_MAX_MS) : 0;
  }
}

function killed(durationMs: number): CommandOutcome {
  return { end: "timed-out", exitCode: -1, stdout: "", stderr: "", truncated: false, durationMs };
}

/** Cut short, or with a letter that nobody wrote. */
function damaged(text: string, random: Random): string {
  if (text === "") return text;
  const at = random.int(0, text.length - 1);
  return random.chance(0.5) ? text.slice(0, at) : `${text.slice(0, at)}\u0000${text.slice(at + 1)}`;
}
