/**
 * What a condition is: what must be asked of which agent, and when what they say is enough. Judged on readings that
 * began after it was asked for, of both ends where there are two; what a command said is not believed (safety F5).
 * A watch may remember what it saw first: to move is a difference.
 */
import type { Clock, Condition, RunEvent, RunProgress, Source } from "@vigie/proto";
import type { About } from "../../gateway/gateway.js";
import type { ClusterView } from "../../view/cluster-view.js";

export type Seen =
  | { readonly seen: true; readonly what: string }
  | {
      readonly seen: false;
      readonly never: string; // why waiting is of no use any more; empty: not yet
      readonly what?: string; // how it is now, for people
      readonly progress?: Progress;
      /** Why it cannot come by itself, though it may still come: a person must do something; unset: it may. */
      readonly stuck?: string;
      /** It waits for a person's word, and has said so. */
      readonly asksPerson?: boolean;
    };

export type Progress = Pick<RunProgress, "donePercent" | "finishUnixMs" | "kibPerS">;

export type Watch = (view: ClusterView) => Seen;

/** One question to one agent. */
export interface Ask {
  readonly node: string;
  readonly source: Source;
  readonly about?: About;
}

export interface WatchContext {
  readonly runId: string;
  readonly stepId: string;
  /** Monotonic: readings that began earlier do not count. */
  readonly sinceMs: number;
  /** Monotonic: since then, and since the run was planned, this orchestrator has heard the agents; undefined: not always. */
  readonly heardSinceMs: number | undefined;
  readonly events: () => readonly RunEvent[]; // of the run, as they are now
  readonly clock: Clock;
}

export interface ConditionDefinition<P> {
  readonly asks: (params: P, view: ClusterView, context: WatchContext) => readonly Ask[];
  readonly watch: (params: P, context: WatchContext) => Watch;
}

export type ConditionCase = NonNullable<Condition["what"]>["$case"];
export type ParamsOf<C extends ConditionCase> = Extract<
  NonNullable<Condition["what"]>,
  { $case: C }
>["value"];

export const NOT_YET: Seen = { seen: false, never: "" };

export function seen(what: string): Seen {
  return { seen: true, what };
}

export function notYet(what: string, progress?: Progress): Seen {
  return progress === undefined
    ? { seen: false, never: "", what }
    : { seen: false, never: "", what, progress };
}

/** Not yet, and not by itself. */
export function stuck(why: string): Seen {
  return { seen: false, never: "", what: why, stuck: why };
}

export function never(why: string): Seen {
  return { seen: false, never: why };
}
