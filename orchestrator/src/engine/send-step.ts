/**
 * Sends one step's action: is it needed, is it already so, may it be → facts of now from every end → intent on disk →
 * request → answer on disk. It sends only while this orchestrator leads and nothing is stopped (I22, I26, I33).
 */
import {
  ActionRequest,
  explain,
  RunEventKind,
  Source,
  VigieError,
  type Action,
  type Clock,
  type Condition,
  type PlanStep,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import type { Gateway, ObservedAt } from "../gateway/gateway.js";
import type { ClusterView } from "../view/cluster-view.js";
import { asksGenerations, endsWithPeers, mannerOf, peerReport, withPeers } from "./action-facts.js";
import type { WatchContext } from "./conditions/condition.js";
import { masterOf } from "./conditions/ganeti.js";
import type { Looker } from "./look.js";

const RETRY_MS = 1_000;
const UNREACHABLE_LIMIT_MS = 90_000; // longer than any cut lives: then the kernel has ended it
const GLANCE_MS = 2_000; // for what is asked once: an agent may be busy
const REQUIRED_WITHIN_MS = 30_000;
const ANSWERED_WITHIN_MS = 30_000; // a tool that starves, an agent that dials again

export interface SendParts {
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, "observe" | "act">;
  readonly view: () => ClusterView;
  /** 0: this orchestrator may not act now. */
  readonly epoch: () => number;
  /** Why everything is stopped; empty: it is not. */
  readonly stopped: () => string;
  readonly looker: Looker;
  readonly append: (runId: string, row: Partial<RunEvent>) => Promise<Run>;
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Sending {
  readonly run: Run;
  readonly step: PlanStep;
  readonly attempt: number;
  readonly begun: boolean; // its intent is on disk: it is asked again, under the same key
  /** A person has ended this: nothing new is begun. */
  readonly givenUp: () => boolean;
  readonly context: (sinceMs: number) => WatchContext;
}

export async function sendStep(parts: SendParts, sending: Sending): Promise<void> {
  const { clock, append } = parts;
  const { run, step, attempt, begun } = sending;
  const of = { stepId: step.id, attempt };
  const manner = mannerOf(step);
  if (parts.stopped() !== "" && !manner.takesBack) return clock.sleep(RETRY_MS);
  if (!begun && !(await isDue(parts, sending))) return;
  const over = begun ? "" : migrationOver(parts.view(), step);
  if (over !== "") return fail(over);
  const facts = await freshFacts(parts, sending);
  if (facts === "given up") return;
  if (facts === undefined)
    return fail(`no fresh report from ${nodeOf(parts.view(), step)} within ${UNREACHABLE_LIMIT_MS / 1000} s`);
  if (!begun) await append(run.id, { kind: RunEventKind.STEP_INTENT, ...of, text: step.title });
  const epoch = parts.epoch();
  if (epoch === 0) return clock.sleep(RETRY_MS); // lost meanwhile: nothing is sent (I26)
  const request = ActionRequest.create({
    runId: run.id,
    stepId: step.id,
    attempt,
    epoch,
    node: facts.node,
    answersSequence: facts.own.observed.sequence,
    notAfterMs: manner.goodForMs,
    action: facts.action(clock.monotonicMs()),
  });
  try {
    const result = await parts.gateway.act(request, manner.answerWithinMs);
    await append(run.id, { kind: RunEventKind.STEP_RESULT, ...of, text: result.message, result });
  } catch (error) {
    if (!(error instanceof VigieError) || error.code !== "UNAVAILABLE") throw error;
    parts.log("run.answer-missing", { run: run.id, step: step.id, reason: explain(error) });
    await clock.sleep(RETRY_MS); // the same key is asked again, and never runs twice
  }

  async function fail(text: string): Promise<void> {
    await append(run.id, { kind: RunEventKind.STEP_FAILED, ...of, text });
  }
}

/**
 * Not needed, already so, or not allowed: each is a row of its own, and then nothing is sent.
 * @returns it is to be sent now
 */
async function isDue(parts: SendParts, sending: Sending): Promise<boolean> {
  const { run, step, attempt } = sending;
  const of = { stepId: step.id, attempt };
  const needed = await glance(parts, sending, step.onlyIf, neededWithinMs(step.onlyIf));
  if (needed.answer === "stopped") return false;
  if (needed.answer === "no") return row(RunEventKind.STEP_SKIPPED, `not needed: ${needed.what}`);
  if (needed.answer === "unknown") return row(RunEventKind.STEP_FAILED, UNKNOWN(needed.what));
  if (step.holds !== undefined) {
    const already = await glance(parts, sending, step.holds, GLANCE_MS);
    if (already.answer === "stopped") return false;
    if (already.answer === "yes") return row(RunEventKind.STEP_VERIFIED, `already so: ${already.what}`);
    if (already.answer === "unknown") return row(RunEventKind.STEP_FAILED, UNKNOWN(already.what));
  }
  const allowed = await glance(parts, sending, step.requires, REQUIRED_WITHIN_MS);
  if (allowed.answer === "stopped") return false;
  if (allowed.answer === "yes") return true;
  return row(RunEventKind.STEP_FAILED, `it is not as this step needs it: ${allowed.what}`);

  async function row(kind: RunEventKind, text: string): Promise<false> {
    await parts.append(run.id, { kind, ...of, text });
    return false;
  }
}

/** An agent that has just started counts anew how long a resync stands: before that time is over, "no" is not known. */
function neededWithinMs(onlyIf: Condition | undefined): number {
  return GLANCE_MS + (onlyIf?.what?.$case === "resyncStands" ? onlyIf.what.value.forMs : 0);
}

function UNKNOWN(what: string): string {
  return `whether it is needed is not known: ${what}`;
}

interface Glance {
  readonly answer: "yes" | "no" | "unknown" | "stopped";
  readonly what: string;
}

/**
 * An agent that does not answer is asked again for half a minute: one slow reading must not end a run.
 *
 * @param withinMs how long it may take to be seen; an unset condition is seen
 */
export async function glance(
  parts: Pick<SendParts, "clock" | "looker">,
  { context, givenUp }: Pick<Sending, "context" | "givenUp">,
  condition: Condition | undefined,
  withinMs: number,
): Promise<Glance> {
  if (condition?.what === undefined) return { answer: "yes", what: "" };
  const startedMs = parts.clock.monotonicMs();
  for (;;) {
    const outcome = await parts.looker.until(condition, context(parts.clock.monotonicMs()), {
      forMs: withinMs,
      looked: async () => givenUp(),
    });
    switch (outcome.end) {
      case "seen":
        return { answer: "yes", what: outcome.what };
      case "never":
        return { answer: "no", what: outcome.why };
      case "stopped":
        return { answer: "stopped", what: "" };
      case "time-over":
        if (outcome.answered) return { answer: "no", what: outcome.what };
        if (parts.clock.monotonicMs() - startedMs >= ANSWERED_WITHIN_MS)
          return { answer: "unknown", what: "not every agent that can see it answered" };
    }
  }
}

interface FreshFacts {
  readonly node: string;
  readonly own: ObservedAt;
  readonly action: (nowMs: number) => Action | undefined; // with the peers' reports
}

/** Readings that began now, of the acting node and of every peer, while this orchestrator leads. */
async function freshFacts(
  parts: SendParts,
  { step, givenUp, begun }: Sending,
): Promise<FreshFacts | "given up" | undefined> {
  const { clock, gateway } = parts;
  const startedMs = clock.monotonicMs();
  const action = step.action;
  const ends = action === undefined ? [] : endsWithPeers(action);
  while (clock.monotonicMs() - startedMs < UNREACHABLE_LIMIT_MS) {
    if (givenUp() && !begun) return "given up";
    const node = nodeOf(parts.view(), step);
    if (parts.epoch() > 0) {
      try {
        if (action !== undefined && asksGenerations(action))
          await Promise.all(
            ends.map((end) =>
              gateway.observe(end.peerNode, Source.DRBD_GENERATIONS, { minor: end.peerMinor }),
            ),
          );
        const [own, ...others] = await Promise.all([
          gateway.observe(node, Source.PROC_DRBD),
          ...ends.map((end) => gateway.observe(end.peerNode, Source.PROC_DRBD)),
        ]);
        const filled = (nowMs: number): Action | undefined =>
          action === undefined
            ? undefined
            : withPeers(
                action,
                ends.map((end, i) => peerReport(end, others[i] ?? own, parts.view(), nowMs)),
              );
        return { node, own, action: filled };
      } catch (error) {
        parts.log("run.facts-missing", { step: step.id, reason: explain(error) });
      }
    }
    await clock.sleep(RETRY_MS);
  }
  return undefined;
}

/** A gnt-* command goes to the node that is master now, which is not always the one of the plan. */
function nodeOf(view: ClusterView, { node }: PlanStep): string {
  return node === "" ? masterOf(view) : node;
}

/** Two Primaries are allowed for one running migration, and for that one only while it runs (I8). */
function migrationOver(view: ClusterView, { action }: PlanStep): string {
  const job = action?.kind?.$case === "cutDrbdLink" ? action.kind.value.migrateJobId : 0;
  if (job === 0) return "";
  const runs = view.inventory?.jobs.some((j) => j.id === job && j.status === "running") ?? false;
  return runs ? "" : `the migration that it was planned for, job ${job}, does not run any more`;
}
