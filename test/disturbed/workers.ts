/**
 * Does tasks in processes of their own, one for each core; each takes the next one when it has done its own. Their code
 * is bundled first, without the names that tsx gives to every function each time it is made.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Done, Task } from "./worker.js";

export async function doAll(
  tasks: readonly Task[],
  workers: number,
  done: (done: Done) => void,
): Promise<void> {
  await bundleWorker();
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, () => work(startWorker())));

  async function work(worker: ChildProcess): Promise<void> {
    for (let task = tasks[next]; task !== undefined; task = tasks[next]) {
      next += 1;
      done(await perform(worker, task));
    }
    worker.disconnect();
  }
}

const BUNDLE = fileURLToPath(new URL("../dist/disturbed-worker.cjs", import.meta.url));

async function bundleWorker(): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL("./worker.ts", import.meta.url))],
    outfile: BUNDLE,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    external: ["@grpc/proto-loader"],
    logLevel: "error",
  });
}

function startWorker(): ChildProcess {
  return fork(BUNDLE, { execArgv: ["--max-semi-space-size=64"] }); // most of what a seed makes is soon dropped
}

function perform(worker: ChildProcess, task: Task): Promise<Done> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void =>
      reject(new Error(`a worker ended with ${code} in ${JSON.stringify(task)}`));
    worker.once("exit", died);
    worker.once("message", (done: Done) => {
      worker.off("exit", died);
      resolve(done);
    });
    worker.send(task);
  });
}
