/**
 * Performs runs: asks next-move.ts what comes, does it, writes it down, asks again. It sends only while this
 * orchestrator leads, and only what is on disk before it is sent (I22, I26).
 */
import {
  ActionRequest,
  Condition,
  explain,
  PeerReport,
  RunEventKind,
  RunState,
  Source,
  VigieError,
  type Clock,
  type DrbdEnd,
  type Plan,
  type PlanStep,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import type { Gateway, ObservedAt } from "../gateway/gateway.js";
import type { Change } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import { isTooOldToApprove } from "./approval.js";
import { createWatch } from "./conditions.js";
import { nextMove, type Move } from "./next-move.js";
import { rowChanges, withRow } from "./run-rows.js";

const POLL_MS = 300;
const RETRY_MS = 1_000;
const ANSWER_DEADLINE_MS = 30_000;
const CUT_NOT_AFTER_MS = 2_000; // I7, I14: the facts that it was decided on are no older
const RESTORE_NOT_AFTER_MS = 10_000;
const UNREACHABLE_LIMIT_MS = 90_000; // longer than any cut lives: then the kernel has ended it

export interface ExecutorParts {
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, "observe" | "act">;
  readonly view: () => ClusterView;
  /** 0: this orchestrator may not act now. */
  readonly epoch: () => number;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  readonly followed: (run: Run) => void; // after each row
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Executor {
  /** Takes up a run where its log ends, writes `first` into it, and drives it until it has ended. */
  readonly drive: (run: Run, first?: Partial<RunEvent>) => void;
  readonly open: () => readonly Run[];
  /** Writes one row about an open run. @throws VigieError NOT_FOUND */
  readonly append: (runId: string, event: Partial<RunEvent>) => Promise<Run>;
}

export function createExecutor(parts: ExecutorParts): Executor {
  const { clock } = parts;
  const open = new Map<string, Run>();

  return {
    open: () => [...open.values()],
    append,
    drive: (run, first) => {
      open.set(run.id, run);
      void perform(run.id, first).catch((error: unknown) =>
        parts.log("run.stuck", { run: run.id, reason: explain(error) }),
      );
    },
  };

  async function perform(runId: string, first: Partial<RunEvent> | undefined): Promise<void> {
    if (first !== undefined) await append(runId, first);
    for (;;) {
      const run = open.get(runId);
      if (run?.plan === undefined) return;
      const move = nextMove(run.plan, run.events);
      if (move.move === "none") return;
      await make(run, run.plan, move);
    }
  }

  async function make(run: Run, plan: Plan, move: Exclude<Move, { move: "none" }>): Promise<void> {
    switch (move.move) {
      case "await-approval":
        return awaitApproval(run, plan);
      case "send":
        return send(run, plan, move.step, move.attempt, move.begun);
      case "await":
        return awaitCondition(run, plan, move.step, move.attempt);
      case "fail-step":
        return void (await append(run.id, {
          kind: RunEventKind.STEP_FAILED,
          stepId: move.step.id,
          attempt: move.attempt,
          text: move.reason,
        }));
      case "start-undo":
        return void (await append(run.id, { kind: RunEventKind.UNDO_STARTED, text: move.reason }));
      case "end":
        return void (await append(run.id, {
          kind: RunEventKind.ENDED,
          state: move.state,
          text: move.reason,
        }));
    }
  }

  async function awaitApproval(run: Run, plan: Plan): Promise<void> {
    if (!isTooOldToApprove(plan, clock.wallUnixMs())) return clock.sleep(POLL_MS);
    const text = `nobody approved it in time; plan it again: vigie plan ${plan.runbook} ${plan.end?.instance}/${plan.end?.diskIndex}`;
    await append(run.id, { kind: RunEventKind.ENDED, state: RunState.ABORTED, text });
  }

  async function send(run: Run, plan: Plan, step: PlanStep, attempt: number, begun: boolean): Promise<void> {
    const startedMs = clock.monotonicMs();
    const over = begun ? "" : migrationOver(step);
    if (over !== "")
      return void (await append(run.id, {
        kind: RunEventKind.STEP_FAILED,
        stepId: step.id,
        attempt,
        text: over,
      }));
    const facts = await freshFacts(
      plan,
      step,
      startedMs,
      () => isAborted(run.id) && step.action?.$case === "cutDrbdLink",
    );
    if (facts === undefined) {
      const text = `no fresh report from ${step.node} within ${UNREACHABLE_LIMIT_MS / 1000} s`;
      if (!begun)
        await append(run.id, {
          kind: RunEventKind.STEP_INTENT,
          stepId: step.id,
          attempt,
          text: "nothing was sent",
        });
      return void (await append(run.id, { kind: RunEventKind.STEP_FAILED, stepId: step.id, attempt, text }));
    }
    if (!begun)
      await append(run.id, { kind: RunEventKind.STEP_INTENT, stepId: step.id, attempt, text: step.title });
    const epoch = parts.epoch();
    if (epoch === 0) return void (await clock.sleep(RETRY_MS)); // lost meanwhile: nothing is sent (I26)
    const request = actionRequest(run, step, attempt, facts, epoch, clock.monotonicMs());
    try {
      const result = await parts.gateway.act(request, ANSWER_DEADLINE_MS);
      await append(run.id, {
        kind: RunEventKind.STEP_RESULT,
        stepId: step.id,
        attempt,
        text: result.message,
        result,
      });
    } catch (error) {
      if (!(error instanceof VigieError) || error.code !== "UNAVAILABLE") throw error;
      parts.log("run.answer-missing", { run: run.id, step: step.id, reason: explain(error) });
      await clock.sleep(RETRY_MS); // the same key is asked again, and never runs twice
    }
  }

  /** Two Primaries are allowed for one running migration, and for that one only while it runs (I8). */
  function migrationOver({ action }: PlanStep): string {
    const job = action?.$case === "cutDrbdLink" ? action.value.migrateJobId : 0;
    if (job === 0) return "";
    const runs = parts.view().inventory?.jobs.some((j) => j.id === job && j.status === "running") ?? false;
    return runs ? "" : `the migration that it was planned for, job ${job}, does not run any more`;
  }

  /**
   * Readings of both ends that began now, while this orchestrator leads. A restore needs the acting end only: an
   * open link is the safe side.
   */
  async function freshFacts(
    plan: Plan,
    step: PlanStep,
    startedMs: number,
    givenUp: () => boolean,
  ): Promise<FreshFacts | undefined> {
    const peer = step.action?.$case === "cutDrbdLink" ? plan.peerEnd : undefined;
    while (clock.monotonicMs() - startedMs < UNREACHABLE_LIMIT_MS && !givenUp()) {
      if (parts.epoch() > 0) {
        try {
          const [own, other] = await Promise.all([
            parts.gateway.observe(step.node, Source.PROC_DRBD),
            peer === undefined ? undefined : parts.gateway.observe(peer.node, Source.PROC_DRBD),
          ]);
          const boot = parts.view().nodes.get(peer?.node ?? "")?.bootId ?? "";
          return {
            own,
            peer:
              other === undefined || peer === undefined ? undefined : { end: peer, at: other, bootId: boot },
          };
        } catch (error) {
          parts.log("run.facts-missing", { step: step.id, reason: explain(error) });
        }
      }
      await clock.sleep(RETRY_MS);
    }
    return undefined;
  }

  async function awaitCondition(run: Run, plan: Plan, step: PlanStep, attempt: number): Promise<void> {
    const sinceMs = clock.monotonicMs();
    const watch = createWatch(step.condition, plan, sinceMs);
    const of = { stepId: step.id, attempt };
    while (clock.monotonicMs() - sinceMs < step.deadlineMs) {
      await lookAgain(plan, step);
      const seen = watch(parts.view());
      if (seen.seen)
        return void (await append(run.id, { kind: RunEventKind.STEP_VERIFIED, ...of, text: seen.what }));
      if (seen.never !== "")
        return void (await append(run.id, { kind: RunEventKind.STEP_FAILED, ...of, text: seen.never }));
      if (isAborted(run.id) && !isUndoing(run.id)) return;
      await clock.sleep(POLL_MS);
    }
    const text = `${step.title}: not seen within ${step.deadlineMs / 1000} s`;
    await append(run.id, { kind: RunEventKind.STEP_FAILED, ...of, text });
  }

  /** Asks for what the condition is about, rather than waiting for the next report. */
  async function lookAgain(plan: Plan, step: PlanStep): Promise<void> {
    const aboutCut = step.condition === Condition.CUT_STANDS || step.condition === Condition.CUT_GONE;
    const nodes = aboutCut ? [step.node] : [plan.end?.node ?? "", plan.peerEnd?.node ?? ""];
    const source = aboutCut ? Source.LINK_CUTS : Source.PROC_DRBD;
    const asked = await Promise.allSettled(nodes.map((node) => parts.gateway.observe(node, source)));
    const failed = asked.find((answer) => answer.status === "rejected");
    if (failed !== undefined) parts.log("run.not-seen", { step: step.id, reason: explain(failed.reason) });
  }

  async function append(runId: string, row: Partial<RunEvent>): Promise<Run> {
    const run = open.get(runId);
    if (run === undefined) throw new VigieError("NOT_FOUND", `there is no open run ${runId}`);
    const { run: next, event } = withRow(run, row, clock.wallUnixMs());
    open.set(runId, next); // before it is on disk: a second writer must see the row
    await parts.record(rowChanges(next, event));
    parts.followed(next);
    if (event.kind === RunEventKind.ENDED && next.state !== RunState.FROZEN) open.delete(runId);
    parts.log("run.event", { run: runId, kind: event.kind, step: event.stepId, text: event.text });
    return next;
  }

  function isAborted(runId: string): boolean {
    return open.get(runId)?.events.some((e) => e.kind === RunEventKind.ABORT_ASKED) ?? false;
  }
  function isUndoing(runId: string): boolean {
    return open.get(runId)?.state === RunState.UNDOING;
  }
}

interface FreshFacts {
  readonly own: ObservedAt;
  readonly peer: { readonly end: DrbdEnd; readonly at: ObservedAt; readonly bootId: string } | undefined;
}

function actionRequest(
  run: Run,
  step: PlanStep,
  attempt: number,
  facts: FreshFacts,
  epoch: number,
  nowMs: number,
): ActionRequest {
  const cutting = step.action?.$case === "cutDrbdLink";
  return ActionRequest.create({
    runId: run.id,
    stepId: step.id,
    attempt,
    epoch,
    node: step.node,
    answersSequence: facts.own.observed.sequence,
    notAfterMs: cutting ? CUT_NOT_AFTER_MS : RESTORE_NOT_AFTER_MS,
    action:
      step.action?.$case === "cutDrbdLink"
        ? { $case: "cutDrbdLink", value: { ...step.action.value, peer: peerReport(facts, nowMs) } }
        : step.action,
  });
}

/** Its age is counted from when the peer was asked, which is before it read. */
function peerReport({ peer }: FreshFacts, nowMs: number): PeerReport | undefined {
  if (peer === undefined) return undefined;
  const { report, still } = peer.at.observed;
  const drbd =
    report?.facts?.$case === "drbd"
      ? report.facts.value.minors.find((m) => m.minor === peer.end.minor)
      : undefined;
  const stillMs = still.find((s) => s.minor === peer.end.minor)?.stillMs ?? 0;
  return PeerReport.create({
    node: peer.end.node,
    bootId: peer.bootId,
    drbd,
    ageMs: Math.ceil(nowMs - peer.at.askedAtMs),
    stillMs,
  });
}
