/**
 * Ganeti's watcher attaches and connects every five minutes what a run takes apart (I31), so it is paused meanwhile.
 * A pause that stands already is not ours: it is prolonged where it is too short, and nobody here ends it.
 */
import type { PlanStep } from "@vigie/proto";
import { watcherPaused } from "./conditions.js";
import { WATCHER_MS, WATCHER_PAUSE_S } from "./deadlines.js";
import { manualContinueWatcher, manualPauseWatcher } from "./manual-ganeti.js";
import { masterOf } from "./plan.js";
import type { RunbookRequest } from "./runbook.js";
import { act } from "./steps.js";

export interface WatcherSteps {
  readonly pause: readonly PlanStep[];
  readonly resume: readonly PlanStep[];
  readonly notes: readonly string[];
}

export function watcherSteps({ view, wallUnixMs, ownWatcherPause }: RunbookRequest): WatcherSteps {
  // Of two runs that need it paused the last one ends it: a pause of another run's is this one's too.
  const untilS = ownWatcherPause ? 0 : (view.inventory?.watcherPausedUntilUnixS ?? 0);
  if (untilS >= wallUnixMs / 1000 + WATCHER_PAUSE_S)
    return { pause: [], resume: [], notes: ["Ganeti's watcher is paused already, and stays so"] };
  const node = masterOf(view);
  const hours = WATCHER_PAUSE_S / 3600;
  const pause = act({
    id: "pause-watcher",
    title: `pause Ganeti's watcher for at most ${hours} h`,
    node,
    action: { $case: "pauseWatcher", value: { forS: WATCHER_PAUSE_S } },
    premises: [],
    condition: watcherPaused(true),
    deadlineMs: WATCHER_MS,
    manual: manualPauseWatcher(node, WATCHER_PAUSE_S),
    ...(untilS > wallUnixMs / 1000 ? {} : { undo: "continue-watcher" }),
  });
  const resume = act({
    id: "continue-watcher",
    title: "let Ganeti's watcher go on",
    node,
    action: { $case: "continueWatcher", value: {} },
    premises: [],
    condition: watcherPaused(false),
    deadlineMs: WATCHER_MS,
    manual: manualContinueWatcher(node),
  });
  if (untilS > wallUnixMs / 1000)
    return {
      pause: [pause],
      resume: [],
      notes: [
        `Ganeti's watcher is paused already; it stays so for up to ${hours} h: gnt-cluster watcher continue`,
      ],
    };
  return { pause: [pause], resume: [resume], notes: [] };
}
