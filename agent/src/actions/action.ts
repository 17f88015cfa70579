/**
 * What an action is. Its file says who is locked, what is looked at before, what is run, and what must be seen
 * after; perform.ts does it, the same way for all. Adding one is its file, its test and its line in index.ts.
 */
import type { ActionRequest, DrbdConfig, DrbdMinor, GuardFact, LinkCut } from "@vigie/proto";
import type { Command, Host } from "../host.js";

export type RequestedAction = NonNullable<ActionRequest["action"]>;
export type ParamsOf<C extends RequestedAction["$case"]> = Extract<RequestedAction, { $case: C }>["value"];

/** What a guard may look at. Each call reads the world now; none answers from memory. */
export interface Look {
  readonly host: Host;
  readonly nodeName: string;
  readonly bootId: string;
  /** This minor in /proc/drbd, and how long its resync has stood; `unknown` says why there is no answer (I11). */
  readonly drbdMinor: (minor: number) => Promise<MinorSeen>;
  readonly drbdConfig: (minor: number) => Promise<DrbdConfig | undefined>;
  /** The cuts of ours that stand; with `unknown`, there may be others (I11). */
  readonly cuts: () => Promise<CutsSeen>;
  /** Upper bound of the time since the orchestrator sent this request. */
  readonly requestAgeMs: () => number;
}

export interface MinorSeen {
  readonly minor: DrbdMinor | undefined;
  readonly unknown: string; // empty when minor is set
  readonly readAtMs: number; // monotonic
  readonly stillMs: number | undefined;
}

export interface CutsSeen {
  readonly cuts: readonly LinkCut[];
  readonly unknown: string; // why they are not all known; empty: they are
}

export interface ActionDefinition<P> {
  readonly name: RequestedAction["$case"];
  /** What no other action may touch meanwhile; a hung command keeps it (I9, I37). */
  readonly resource: (params: P) => string;
  readonly guard: (params: P, look: Look) => Promise<GuardFact[]>;
  /** The world is already as the action leaves it: nothing will be run. */
  readonly holds: (params: P, look: Look) => Promise<boolean>;
  /** Run in this order; the first that fails ends it. `unless`: run first, and its success makes the step needless. */
  readonly steps: (params: P, runId: string) => readonly ActionStep[];
  /** Looks at the world after the commands. Exit codes are not believed (F5). */
  readonly verify: (params: P, look: Look) => Promise<Verdict>;
}

export interface ActionStep {
  readonly run: Command;
  readonly unless?: Command;
}

/** Done, not done, or nobody can say. */
export interface Verdict {
  readonly done: boolean | "unknown";
  readonly message: string;
}
