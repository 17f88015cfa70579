/**
 * Many writers, one commit: what is recorded while a commit waits goes into the next one, so that a thousand
 * reports a second cost a few dozen fsyncs. A commit that failed is final: the recorder is broken, everything later
 * is refused, and the process goes on read-only until a person looks (I24).
 */
import { explain, VigieError, type Clock, type WatchResponse } from "@vigie/proto";
import type { Change, Store } from "./store.js";

const GATHER_MS = 10;

export interface Recorder {
  /** Resolves when all of it is on disk. @throws VigieError JOURNAL_BROKEN */
  readonly record: (changes: readonly Change[]) => Promise<void>;
  /** Why nothing can be recorded any more; empty: it can. */
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
  let flushing = false;

  return {
    broken: () => broken,
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
        const events = changes.length === 0 ? [] : await store.commit(changes);
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

  /** A watcher's own fault is no reason to stop the record. */
  function tell(events: readonly WatchResponse[]): void {
    try {
      publish(events);
    } catch {
      // it reads what it missed from the store
    }
  }
}
