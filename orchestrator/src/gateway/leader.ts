/**
 * Holds this orchestrator's leadership: counts the votes at each tick, takes a new epoch when it wins one, keeps it
 * on disk before it uses it, and gives it up the moment the majority or the epoch is gone (I25, I26).
 */
import type { Clock, Leadership } from "@vigie/proto";
import type { Change, Store } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import { countVotes, leadershipMessage, nextEpoch, overtakenBy, type Vote } from "./leadership.js";

export interface Leader {
  readonly tick: () => Promise<void>;
  /** 0: it may not act now. Counted anew at each call, never from an earlier tick. */
  readonly epoch: () => number;
  readonly status: () => Leadership;
  /** A person answers, by name, for the nodes that cannot be asked. Holds until a majority is back or we lose it. */
  readonly confirm: (person: string) => void;
}

export interface LeaderParts {
  readonly clock: Clock;
  readonly ownNode: string;
  readonly store: Store;
  readonly view: () => ClusterView;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly broken: () => string; // why nothing can be kept; empty: it can
  readonly announce: (epoch: number) => void;
  /**
   * Before anything can be sent with the new epoch.
   * @param awayMs since it led last
   * @param alone nobody else has led meanwhile
   */
  readonly returned: (awayMs: number, alone: boolean) => void;
}

export function createLeader(parts: LeaderParts): Leader {
  let held = 0; // our epoch, on disk; 0: not leading
  let confirmedBy: string | undefined;
  let lost: { readonly atMs: number; readonly epoch: number } | undefined; // undefined: it leads, or has never led

  return {
    tick,
    epoch: () => (vote().leads ? held : 0),
    status,
    confirm,
  };

  function vote(): Vote {
    const counted = countVotes(parts.view(), parts.ownNode, parts.clock.monotonicMs(), confirmedBy);
    const newer = held === 0 ? undefined : overtakenBy(parts.view(), held);
    if (newer !== undefined)
      return { ...counted, leads: false, reason: `an agent has seen epoch ${newer}, above ours (${held})` };
    if (parts.broken() !== "")
      return { ...counted, leads: false, reason: `nothing can be kept: ${parts.broken()}` };
    return counted;
  }

  async function tick(): Promise<void> {
    const { leads, reason, votes, voters } = vote();
    if (!leads || votes * 2 > voters) confirmedBy = undefined; // it was for that one time
    if (leads === held > 0) return;
    if (!leads) {
      lost = { atMs: parts.clock.monotonicMs(), epoch: held };
      held = 0;
      parts.announce(0);
      if (parts.broken() === "") await parts.record(changes("leadership.lost", 0, reason));
      return;
    }
    const epoch = nextEpoch(parts.view(), await parts.store.epoch());
    await parts.record([{ record: "epoch", epoch }, ...changes("leadership.won", epoch, reason)]);
    held = epoch;
    if (lost !== undefined) parts.returned(parts.clock.monotonicMs() - lost.atMs, epoch === lost.epoch + 1);
    lost = undefined;
    parts.announce(epoch);
  }

  /** Between the majority and the epoch on disk it does not lead yet. */
  function status(): Leadership {
    const counted = vote();
    const ready = counted.leads && held > 0;
    return leadershipMessage({ ...counted, leads: ready }, held);
  }

  function confirm(person: string): void {
    confirmedBy = person;
  }

  function changes(action: string, epoch: number, reason: string): Change[] {
    const unixMs = parts.clock.wallUnixMs();
    const leadership = { ...leadershipMessage(vote(), epoch), leads: epoch > 0, epoch };
    return [
      {
        record: "audit",
        audit: { unixMs, actor: "engine", action, subject: parts.ownNode, detail: { epoch, reason } },
      },
      { record: "watch", unixMs, event: { $case: "leadership", value: leadership } },
    ];
  }
}
