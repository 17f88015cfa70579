/**
 * Which open incidents are quiet now: those that a planned maintenance explains, and those that a person snoozed. It is
 * asked when an incident opens or says something else, and at each tick.
 */
import type { Clock, Incident, Maintenance } from "@vigie/proto";
import { notExpected, snoozeOver, underMaintenance } from "../detect/attention.js";
import { explainedBy } from "../detect/explained.js";
import type { Moment } from "../detect/incident-log.js";
import type { ClusterView } from "../view/cluster-view.js";
import { isPast, limitOf, type TimeLimit } from "./time-limit.js";

/** As long as a mirror may be degraded before anybody hears of it: while a node comes back its links change each second. */
const HOLD_MS = 15_000;

export interface AttentionKeeper {
  /**
   * @param isSeen by this life of the orchestrator; of what is not, it stays as it was while that maintenance lasts
   * @returns the same value where nothing of it changed
   */
  readonly after: (incident: Incident, view: ClusterView, isSeen: boolean, now: Moment) => Incident;
  /** It is closed. */
  readonly forget: (id: string) => void;
}

export interface AttentionParts {
  readonly clock: Clock;
  readonly maintenances: () => readonly Maintenance[]; // that are not over
  readonly snoozeMaxMs: () => number;
}

export function createAttentionKeeper({ clock, maintenances, snoozeMaxMs }: AttentionParts): AttentionKeeper {
  const unexplainedSinceMs = new Map<string, number>(); // by the incident's id, where that maintenance goes on
  const snoozes = new Map<string, { readonly untilUnixMs: number; readonly limit: TimeLimit | undefined }>();
  return {
    after: (incident, view, isSeen, now) => afterSnooze(afterMaintenance(incident, view, isSeen, now), now),
    forget: (id) => {
      unexplainedSinceMs.delete(id);
      snoozes.delete(id);
    },
  };

  function afterMaintenance(incident: Incident, view: ClusterView, isSeen: boolean, now: Moment): Incident {
    const on = maintenances();
    const before = incident.maintenance;
    if (on.length === 0 && before === undefined) return incident;
    const nodes = on.map(({ node }) => node);
    const node = isSeen ? explainedBy(incident, view, nodes, now.monotonicMs) : before?.node;
    const explains = on.find((it) => it.node === node);
    if (explains !== undefined) unexplainedSinceMs.delete(incident.id);
    const maintenance = explains ?? (before === undefined ? undefined : heldBy(incident, on, now));
    if (maintenance !== undefined) {
      const { untilUnixMs } = maintenance;
      if (before?.node === maintenance.node && before.untilUnixMs === untilUnixMs) return incident;
      return underMaintenance(incident, maintenance.node, untilUnixMs, now);
    }
    return before === undefined ? incident : notExpected(incident, !nodes.includes(before.node), now);
  }

  /** What was explained a moment ago, by a maintenance that goes on. */
  function heldBy(
    { id, maintenance }: Incident,
    on: readonly Maintenance[],
    { monotonicMs }: Moment,
  ): Maintenance | undefined {
    const sinceMs = unexplainedSinceMs.get(id) ?? monotonicMs;
    unexplainedSinceMs.set(id, sinceMs);
    if (monotonicMs - sinceMs < HOLD_MS) return on.find(({ node }) => node === maintenance?.node);
    unexplainedSinceMs.delete(id);
    return undefined;
  }

  function afterSnooze(incident: Incident, now: Moment): Incident {
    const { id, snooze } = incident;
    if (snooze === undefined) {
      snoozes.delete(id);
      return incident;
    }
    const { unixMs: fromUnixMs, untilUnixMs } = snooze;
    const known = snoozes.get(id);
    const kept =
      known?.untilUnixMs === untilUnixMs
        ? known
        : { untilUnixMs, limit: limitOf({ fromUnixMs, untilUnixMs }, snoozeMaxMs(), clock) };
    snoozes.set(id, kept);
    return isPast(kept.limit, clock) ? snoozeOver(incident, now) : incident;
  }
}
