/** What a process that can be killed holds of its machine: from then on nothing answers it, and nothing is written. */
import type { Host, Journal } from "@vigie/agent";
import type { Clock } from "@vigie/proto";

export interface Life {
  readonly alive: boolean;
}

/** It never wakes again. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    monotonicMs: clock.monotonicMs,
    wallUnixMs: clock.wallUnixMs,
    sleep: (ms, signal) => whileAlive(life, () => clock.sleep(ms, signal)),
  };
}

/** A command that was begun goes on without its parent. */
export function mortalHost(host: Host, clock: Clock, life: Life): Host {
  return {
    ...mortalClock(clock, life),
    readFile: (path) => whileAlive(life, () => host.readFile(path)),
    listFolder: (path) => whileAlive(life, () => host.listFolder(path)),
    readLink: (path) => whileAlive(life, () => host.readLink(path)),
    writeFile: (path, text) => whileAlive(life, () => host.writeFile(path, text)),
    run: (command) => whileAlive(life, () => host.run(command)),
    exchange: (socket, request, end, timeoutMs) =>
      whileAlive(life, () => host.exchange(socket, request, end, timeoutMs)),
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

async function whileAlive<T>(life: Life, work: () => Promise<T>): Promise<T> {
  if (!life.alive) return never();
  const value = await work().catch((error: unknown) => (life.alive ? Promise.reject(error) : never()));
  return life.alive ? value : never();
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
