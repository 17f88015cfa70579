/**
 * Looks at the world for a condition: asks the agents that can see it, now, and judges what they say. A look that
 * some agent did not answer says nothing (I7); that something can never be is believed without a node that is gone, and
 * not without one that only hangs.
 */
import { explain, SourceState, type Clock, type Condition } from "@vigie/proto";
import type { Gateway, ObservedAt } from "../gateway/gateway.js";
import type { ClusterView } from "../view/cluster-view.js";
import { asksOf, createWatch } from "./conditions/index.js";
import type { Seen, WatchContext } from "./conditions/condition.js";

const POLL_MS = 300;
const PATIENT_AFTER_MS = 60_000; // what takes minutes is looked at less often
const PATIENT_POLL_MS = 2_000;
const LOOK_MAX_MS = 5_000; // between the end of one look and the next

export interface LookParts {
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, "observe">;
  readonly view: () => ClusterView;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Looker {
  /** Looks again and again until it is seen, can never be, or `done` says that the answer is not wanted any more. */
  readonly until: (condition: Condition | undefined, context: WatchContext, wait: Wait) => Promise<Outcome>;
}

export interface Wait {
  readonly forMs: number; // 0: without a limit
  /** Time in which somebody did not answer does not count, up to so much: that it was not seen is no "no" then (I11). */
  readonly unansweredMs?: number;
  /** After each look. @returns true: stop waiting */
  readonly looked: (seen: Seen) => Promise<boolean>;
}

/** How a wait ended; `answered`: every agent that was asked did answer, at every look. */
export type Outcome =
  | { readonly end: "seen"; readonly what: string; readonly askedAtMs: number } // what was seen was read after it
  | { readonly end: "never"; readonly why: string }
  | {
      readonly end: "time-over";
      readonly answered: boolean;
      readonly lastAnswered: boolean; // at the last look
      readonly what: string;
    }
  | { readonly end: "stopped" };

export function createLooker(parts: LookParts): Looker {
  const { clock } = parts;
  return { until };

  async function until(
    condition: Condition | undefined,
    context: WatchContext,
    { forMs, unansweredMs = 0, looked }: Wait,
  ): Promise<Outcome> {
    const startedMs = clock.monotonicMs();
    const watch = createWatch(condition, context);
    let answered = true;
    let lostMs = 0;
    for (let lookedAtMs = startedMs; ;) {
      const askedAtMs = clock.monotonicMs();
      lostMs += Math.max(0, askedAtMs - lookedAtMs - LOOK_MAX_MS); // this process was stopped
      const silent = await ask(condition, context);
      if (silent.length > 0) answered = false;
      const seen = watch(parts.view());
      if (seen.seen && silent.length === 0) return { end: "seen", what: seen.what, askedAtMs };
      if (!seen.seen && seen.never !== "" && !silent.some(isThere)) return { end: "never", why: seen.never };
      if (await looked(seen)) return { end: "stopped" };
      lookedAtMs = clock.monotonicMs();
      if (silent.length > 0) lostMs += lookedAtMs - askedAtMs + POLL_MS;
      const tookMs = lookedAtMs - startedMs;
      if (forMs > 0 && tookMs - Math.min(lostMs, unansweredMs) >= forMs)
        return { end: "time-over", answered, lastAnswered: silent.length === 0, what: seen.what ?? "" };
      await clock.sleep(tookMs < PATIENT_AFTER_MS ? POLL_MS : PATIENT_POLL_MS);
    }
  }

  /** Its agent has a session, and may answer in a moment with something else. */
  function isThere(node: string): boolean {
    return parts.view().nodes.get(node)?.connected === true;
  }

  /** @returns the nodes whose agents did not answer */
  async function ask(condition: Condition | undefined, context: WatchContext): Promise<string[]> {
    const asks = asksOf(condition, parts.view(), context);
    const answers = await Promise.allSettled(
      asks.map(({ node, source, about }) => parts.gateway.observe(node, source, about)),
    );
    const failures = answers.map(failureOf);
    const failed = failures.find((why) => why !== "");
    if (failed !== undefined)
      parts.log("run.not-seen", { run: context.runId, step: context.stepId, reason: failed });
    return asks.filter((_ask, i) => failures[i] !== "").map(({ node }) => node);
  }
}

/** An agent that could not read what it was asked for has not answered it (I11). @returns empty: it has */
function failureOf(answer: PromiseSettledResult<ObservedAt>): string {
  if (answer.status === "rejected") return explain(answer.reason);
  const { report } = answer.value.observed;
  return report?.state === SourceState.FAILED ? `${report.source}: ${report.reason}` : "";
}
