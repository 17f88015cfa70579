/**
 * Node reads files in a few threads. A read may sit in the kernel for ever (state D: a process whose memory is locked, a
 * mount that does not answer, a disk that is gone), and its thread with it: with as many of them as there are threads,
 * nothing is read any more, /proc/drbd neither. So each kind of place has a lane of its own, with a thread or two, and
 * what hangs there holds up nothing beside it (I37). All lanes together have fewer threads than UV_THREADPOOL_SIZE in
 * the agent's unit: the rest is for name look-ups.
 */
import { VigieError, type Clock } from "@vigie/proto";

export const READ_DEADLINE_MS = 10_000;
const LOOK_EVERY_MS = 500;

export interface LaneOptions<T> {
  /** It is waited for however long it takes, once it was begun: what it does may not be taken for not done. */
  readonly patient?: true;
  /** Gets what came after it was given up. */
  readonly late?: (value: T) => unknown;
}

/**
 * Does this in the lane, after what was asked for before it.
 * @throws VigieError COMMAND_HUNG where it did not end, or not begin, within the deadline; at once where all that is at
 *   work in this lane is past it
 */
export type Lane = <T>(what: string, work: () => Promise<T>, options?: LaneOptions<T>) => Promise<T>;

interface Job {
  readonly what: string;
  readonly askedMs: number; // monotonic
  readonly patient: boolean;
  readonly begin: () => Promise<void>;
  readonly giveUp: (reason: string) => void;
  isAnswered: boolean;
}

let inFlight = 0;

/** Threads that are at work in any lane now: process.exit would wait for them. */
export function readsInFlight(): number {
  return inFlight;
}

export function createLane(clock: Pick<Clock, "monotonicMs" | "sleep">, threads: number): Lane {
  const atWork = new Set<Job>();
  let waiting: Job[] = [];
  let watching = false;

  return (what, work, options = {}) =>
    new Promise((resolve, reject) => {
      const job: Job = {
        what,
        askedMs: clock.monotonicMs(),
        patient: options.patient === true,
        isAnswered: false,
        giveUp: (reason) => {
          job.isAnswered = true;
          reject(new VigieError("COMMAND_HUNG", reason));
        },
        begin: () =>
          work().then(
            (value) => (job.isAnswered ? void options.late?.(value) : resolve(value)),
            (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
          ),
      };
      const stuck = whatHangs();
      if (stuck !== undefined) return job.giveUp(notRead(job, stuck));
      waiting.push(job);
      beginNext();
      void watch();
    });

  function beginNext(): void {
    while (atWork.size < threads) {
      const job = waiting.shift();
      if (job === undefined) return;
      atWork.add(job);
      inFlight += 1;
      void job.begin().finally(() => {
        job.isAnswered = true;
        inFlight -= 1;
        atWork.delete(job);
        beginNext();
      });
    }
  }

  /** The one that was begun first, where the whole lane is taken by such. */
  function whatHangs(): Job | undefined {
    const late = [...atWork].filter(isLate);
    return late.length === threads ? late[0] : undefined;
  }

  function isLate({ askedMs }: Job): boolean {
    return clock.monotonicMs() - askedMs >= READ_DEADLINE_MS;
  }

  /** One timer for all, and none while nobody waits for an answer. */
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    while ([...atWork, ...waiting].some((job) => !job.isAnswered)) {
      await clock.sleep(LOOK_EVERY_MS);
      giveUpLate();
    }
    watching = false;
  }

  function giveUpLate(): void {
    for (const job of atWork)
      if (isLate(job) && !job.patient && !job.isAnswered)
        job.giveUp(`${job.what} has not answered for ${ageOf(job)}`);
    const [first] = atWork;
    for (const job of waiting.filter(isLate)) job.giveUp(notRead(job, first ?? job));
    waiting = waiting.filter((job) => !job.isAnswered);
  }

  function notRead(job: Job, stuck: Job): string {
    return `${job.what} is left alone: ${stuck.what} has not answered for ${ageOf(stuck)} (I37)`;
  }

  function ageOf({ askedMs }: Job): string {
    const ms = clock.monotonicMs() - askedMs;
    return ms < 120_000 ? `${Math.floor(ms / 1_000)} s` : `${Math.floor(ms / 60_000)} min`;
  }
}
