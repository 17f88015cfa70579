/**
 * The one kill switch at the orchestrator (I33): while it is thrown nothing is sent to any agent, but what takes a cut
 * or the watcher's pause back. It is on disk before it counts as thrown, and it survives a restart.
 */
import { VigieError, type Clock } from "@vigie/proto";
import type { Change, Store } from "../store/store.js";

export interface KillSwitch {
  /** Why everything is stopped, and by whom; empty: it is not. */
  readonly stopped: () => string;
  /** @throws VigieError INVALID_ARGUMENT without a reason */
  readonly set: (stopped: boolean, person: string, reason: string) => Promise<void>;
}

export async function createKillSwitch(
  clock: Clock,
  store: Store,
  record: (changes: readonly Change[]) => Promise<void>,
): Promise<KillSwitch> {
  let why = await store.killSwitch();
  return {
    stopped: () => why,
    set: async (stopped, person, reason) => {
      if (reason.trim() === "") throw new VigieError("INVALID_ARGUMENT", "the kill switch needs a reason");
      const next = stopped ? `${person}: ${reason}` : "";
      if (stopped) why = next; // at once; only to let it go waits for the disk
      const audit = {
        unixMs: clock.wallUnixMs(),
        actor: person,
        action: stopped ? "kill-switch.thrown" : "kill-switch.released",
        subject: "orchestrator",
        detail: { reason },
      };
      await record([
        { record: "kill-switch", why: next },
        { record: "audit", audit },
      ]);
      why = next;
    },
  };
}
