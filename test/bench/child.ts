/** A measured process: started with its log kept, waited for by what it logs, and ended by its own id. */
import { spawn, type ChildProcess } from "node:child_process";

const STOP_GRACE_MS = 8_000;

export interface Child {
  readonly pid: number;
  /** Resolves when it has logged this event (pino's `event` key). @throws Error when it ends, or at the deadline */
  readonly logged: (event: string, seconds: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function start(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  folder?: string,
): Child {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  const log = collect(child);
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return { pid: child.pid ?? -1, logged, stop };

  async function logged(event: string, seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1000;
    while (!log.text().includes(`"event":"${event}"`)) {
      const over = child.exitCode !== null || child.signalCode !== null;
      if (over || performance.now() > endMs)
        throw new Error(`${argv.join(" ")}: no ${event} within ${seconds} s:\n${log.text().slice(-4000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(timer);
  }
}

function collect(child: ChildProcess): { readonly text: () => string } {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString("utf8") };
}
