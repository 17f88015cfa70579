/**
 * What a process that can be killed, or stopped for a while as by SIGSTOP, holds of its machine. Once it is dead nothing
 * answers it, and nothing is written; while it is frozen it learns nothing, and what came meanwhile waits for it.
 */
import type { Command, Host, Journal } from "@vigie/agent";
import type { Clock } from "@vigie/proto";

export interface Life {
  readonly alive: boolean;
  /** It resolves when the process goes on; undefined: it runs. */
  readonly frozen?: Promise<void> | undefined;
  /** When it dies, systemd ends what it has started. */
  readonly killed?: AbortSignal;
}

/** It never wakes again. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    monotonicMs: clock.monotonicMs,
    wallUnixMs: clock.wallUnixMs,
    sleep: (ms, signal) => whileAlive(life, () => clock.sleep(ms, signal)),
  };
}

/** A command that was begun goes on without its parent, but for one that takes long. */
export function mortalHost(host: Host, clock: Clock, life: Life): Host {
  return {
    ...mortalClock(clock, life),
    readFile: (path) => whileAlive(life, () => host.readFile(path)),
    listFolder: (path) => whileAlive(life, () => host.listFolder(path)),
    statFilesystem: (path) => whileAlive(life, () => host.statFilesystem(path)),
    readLink: (path) => whileAlive(life, () => host.readLink(path)),
    writeFile: (path, text) => whileAlive(life, () => host.writeFile(path, text)),
    run: (command) => whileAlive(life, () => host.run(mortalCommand(command, life))),
    exchange: (socket, request, end, timeoutMs) =>
      whileAlive(life, () => host.exchange(socket, request, end, timeoutMs)),
    claim: (path) => whileAlive(life, () => host.claim(path)),
    openDevice: async (name) => {
      const device = await whileAlive(life, () => host.openDevice(name));
      return {
        ...device,
        write: (attribute, text) => whileAlive(life, () => device.write(attribute, text)),
      };
    },
    newKernelLogRecords: () => whileAlive(life, () => host.newKernelLogRecords()),
  };
}

function mortalCommand(command: Command, { killed }: Life): Command {
  if (command.endedBy === undefined || killed === undefined) return command;
  return { ...command, endedBy: AbortSignal.any([command.endedBy, killed]) };
}

export function mortalJournal(
  journal: Journal,
  life: Life,
  written: (row: Parameters<Journal["append"]>[0]) => void,
): Journal {
  return {
    ...journal,
    append: (row, wallUnixMs) => {
      if (!life.alive) throw new Error("the process is dead");
      journal.append(row, wallUnixMs);
      written(row);
    },
  };
}

/** Of nearly all that a process asks, it runs when it asks and when it is answered: that is told without a detour. */
function whileAlive<T>(life: Life, work: () => Promise<T>): Promise<T> {
  if (isFrozen(life)) return thawed(life).then(() => whileAlive(life, work));
  if (!life.alive) return never();
  return work().then(
    (value) => (runs(life) ? value : laterOn(life, () => value)),
    (error: unknown) =>
      laterOn(life, () => {
        throw error;
      }),
  );
}

/** The answer waits for a process that is frozen, and is heard by none that is dead. */
async function laterOn<T>(life: Life, answer: () => T): Promise<T> {
  if (isFrozen(life)) await thawed(life);
  return life.alive ? answer() : never();
}

function runs(life: Life): boolean {
  return life.alive && !isFrozen(life);
}

export function isFrozen({ frozen }: Life): boolean {
  return frozen !== undefined;
}

export async function thawed(life: Life): Promise<void> {
  while (life.frozen !== undefined) await life.frozen;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
