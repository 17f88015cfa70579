/**
 * Many writers, one commit: what is recorded while a commit waits goes into the next one, so that a thousand
 * reports a second cost a few dozen fsyncs. A commit that failed is final: the recorder is broken, everything later
 * is refused, and the process goes on read-only until a person looks (I24). One that another process only locked out
 * has written nothing: it is tried again until it is let in.
 */
import { explain, VigieError, type Clock, type WatchResponse } from "@vigie/proto";
import type { Change, Store } from "./store.js";

const GATHER_MS = 10;
const LOCKED_AGAIN_MS = 100;
const LOCKED_TOLD_AFTER_MS = 2_000;

export interface Recorder {
  /** Resolves when all of it is on disk. @throws VigieError JOURNAL_BROKEN */
  readonly record: (changes: readonly Change[]) => Promise<void>;
  /** Why nothing can be recorded, for now or any more; empty: it can. */
  readonly broken: () => string;
}

interface Waiting {
  readonly changes: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createRecorder(
  store: Store,
  clock: Clock,
  publish: (events: readonly WatchResponse[]) => void,
): Recorder {
  let waiting: Waiting[] = [];
  let broken = "";
  let locked = "";
  let flushing = false;

  return {
    broken: () => (broken === "" ? locked : broken),
    record: (changes) =>
      new Promise((resolve, reject) => {
        if (broken !== "") return reject(new VigieError("JOURNAL_BROKEN", broken));
        waiting.push({ changes, resolve, reject });
        if (!flushing) void flush();
      }),
  };

  async function flush(): Promise<void> {
    flushing = true;
    while (waiting.length > 0) {
      await clock.sleep(GATHER_MS);
      const batch = waiting;
      waiting = [];
      try {
        const changes = batch.flatMap((w) => w.changes);
        const events = changes.length === 0 ? [] : await commit(changes);
        for (const { resolve } of batch) resolve();
        tell(events);
      } catch (error) {
        broken = explain(error);
        for (const { reject } of [...batch, ...waiting]) reject(error);
        waiting = [];
      }
    }
    flushing = false;
  }

  async function commit(changes: readonly Change[]): Promise<readonly WatchResponse[]> {
    const startedMs = clock.monotonicMs();
    for (;;) {
      try {
        const events = await store.commit(changes);
        locked = "";
        return events;
      } catch (error) {
        if (!(error instanceof VigieError) || error.code !== "UNAVAILABLE") throw error;
        if (clock.monotonicMs() - startedMs >= LOCKED_TOLD_AFTER_MS) locked = error.message;
        await clock.sleep(LOCKED_AGAIN_MS);
      }
    }
  }

  /** A watcher's own fault is no reason to stop the record. */
  function tell(events: readonly WatchResponse[]): void {
    try {
      publish(events);
    } catch {
      // it reads what it missed from the store
    }
  }
}
