/**
 * The cluster's kill switch (I33): while it is thrown nothing is sent to any agent, but what takes a cut or the watcher's
 * pause back. It counts at once, is on disk before it is confirmed, and is told to every agent: they ask it before each
 * command, and the orchestrator of the next master learns of it from them.
 */
import { VigieError, type Clock, type Stop } from "@vigie/proto";
import type { Change } from "../store/store.js";

const JUMP_MAX = 2 ** 20; // as the agents have it

export interface KillSwitch {
  /** Why everything is stopped, and by whom; empty: it is not. */
  readonly stopped: () => string;
  /** As agents are to know it. */
  readonly newest: () => Stop;
  /**
   * Anybody may stop; only who leads lets go, for nobody else knows what was stopped elsewhere.
   *
   * @throws VigieError INVALID_ARGUMENT without a reason, NOT_LEADING where it is to be let go and does not lead
   */
  readonly set: (stopped: boolean, person: string, reason: string) => Promise<void>;
  /**
   * What an agent knows: where it is newer than what is known here, it was set under another master. A stop counts; that
   * it was let go does not, while a stop is known here: a person says so again.
   */
  readonly learn: (stop: Stop | undefined, node: string) => Promise<void>;
}

export interface KillSwitchParts {
  readonly clock: Clock;
  readonly known: Stop; // by the store
  readonly leads: () => boolean;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly announce: (stop: Stop) => void; // to every agent
}

export function createKillSwitch({ clock, known, leads, record, announce }: KillSwitchParts): KillSwitch {
  let newest = known;
  let why = known.why;
  return {
    stopped: () => why,
    newest: () => newest,
    set: async (stopped, person, reason) => {
      if (reason.trim() === "") throw new VigieError("INVALID_ARGUMENT", "the kill switch needs a reason");
      if (!stopped && !leads())
        throw new VigieError(
          "NOT_LEADING",
          "this orchestrator does not lead, and nothing is let go here; say it where vigie status shows that it leads",
        );
      const next = { number: newest.number + 1, why: stopped ? `${person}: ${reason}` : "" };
      newest = next;
      if (stopped) take(next); // at once; only to let it go waits for the disk
      await keep(next, person, stopped ? "kill-switch.thrown" : "kill-switch.released", { reason });
      if (!stopped && newest === next) take(next);
    },
    learn: async (stop, node) => {
      if (stop === undefined || stop.number < newest.number) return;
      // Of the same number two masters gave: a stop counts, and it is told under one that everybody takes.
      const isOther = stop.number === newest.number && stop.why !== "" && why === "";
      if (stop.number === newest.number && !isOther) return;
      if (stop.number - newest.number > JUMP_MAX) return; // beyond reason: no agent takes such a number (I41)
      // One agent's word may stop everything, and never let it go: that is a person's alone (I41).
      const holds = stop.why === "" && why !== "";
      newest = holds
        ? { number: stop.number + 1, why }
        : isOther
          ? { ...stop, number: stop.number + 1 }
          : stop;
      take(newest);
      await keep(newest, node, "kill-switch.learned", { ...stop });
    },
  };

  function take(stop: Stop): void {
    why = stop.why;
    announce(stop);
  }

  async function keep(stop: Stop, actor: string, action: string, detail: object): Promise<void> {
    const audit = { unixMs: clock.wallUnixMs(), actor, action, subject: "orchestrator", detail };
    await record([
      { record: "kill-switch", stop },
      { record: "audit", audit },
    ]);
  }
}
