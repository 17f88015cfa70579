/** Does tasks in processes of their own, one for each core; each takes the next one when it has done its own. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Done, Task } from "./worker.js";

export async function doAll(
  tasks: readonly Task[],
  workers: number,
  done: (done: Done) => void,
): Promise<void> {
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

function startWorker(): ChildProcess {
  return fork(fileURLToPath(new URL("./worker.ts", import.meta.url)));
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
