/**
 * Performs runs: asks next-move.ts what comes, does it, writes it down, asks again. Every row is on disk before
 * anything follows from it (I22).
 */
import {
  explain,
  RunEventKind,
  RunProgress,
  RunState,
  StepKind,
  VigieError,
  type Clock,
  type Plan,
  type PlanStep,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import type { Gateway } from "../gateway/gateway.js";
import type { Change } from "../store/store.js";
import { jobOver } from "../runbooks/conditions.js";
import { WATCHER_PAUSE_S } from "../runbooks/deadlines.js";
import type { ClusterView } from "../view/cluster-view.js";
import { isTooOldToApprove } from "./approval.js";
import { brakeOn } from "./brakes.js";
import type { Seen, WatchContext } from "./conditions/condition.js";
import { masterOf } from "./conditions/ganeti.js";
import { runFinishUnixMs } from "./forecast.js";
import { jobIn, newLogLines } from "./job-log.js";
import { glance } from "./due.js";
import { needsWatcherPaused, type OpenRun } from "./locks.js";
import { createLooker } from "./look.js";
import { mannerOf } from "./action-facts.js";
import { nextMove, type Move } from "./next-move.js";
import { planAgain } from "./plan-again.js";
import { anotherLed, leftAlone } from "./recovery.js";
import { has, isDone, jobIdOf, ownJobs, PASSES_BY_ITSELF, toTakeBack, undosOf } from "./run-log.js";
import { rowChanges, withRow } from "./run-rows.js";
import { sendStep, type Sending } from "./send-step.js";
import { createStillness } from "./still-waiting.js";
import { createTurns } from "./turns.js";

const POLL_MS = 300;
const GLANCE_MS = 2_000;
const UNANSWERED_MAX_MS = 30 * 60_000; // for so long a step's own time stands still where nobody can be asked
const LONG_MS = 600_000; // a step that may take longer is told as waiting
const WAITING_AFTER_MS = 5_000;
const ASKED_AGAIN_MS = 3_000; // five times: longer than an agent that has just started needs to know a stall
const HEARD_ALL_THE_SAME_MS = 60_000; // without the lead: an agent that was restarted, a hiccup of the network
const NO_PROGRESS: RunProgress = RunProgress.create({});

export interface ExecutorParts {
  readonly clock: Clock;
  readonly gateway: Pick<Gateway, "observe" | "act">;
  readonly view: () => ClusterView;
  /** 0: this orchestrator may not act now. */
  readonly epoch: () => number;
  /** Why everything is stopped (I33); empty: it is not. */
  readonly stopped: () => string;
  /** What is destructive may begin unasked now. */
  readonly isInWindow: () => boolean;
  /** A wait without a limit in which nothing has changed for so long is handed to a person. */
  readonly unchangedMs: () => number;
  readonly record: (changes: readonly Change[]) => Promise<void>;
  /** What else is written with a run's newest row, in the same commit. */
  readonly alongside: (run: Run) => readonly Change[];
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

export interface Executor {
  /** From now on its locks are held, though it is not on disk yet. @returns lets it go again */
  readonly hold: (run: Run) => () => void;
  /** Drives a run until it has ended, from the moment when it was planned. */
  readonly drive: (run: Run) => void;
  /** Takes up a run of an earlier life where its log ends, and writes `first` into it. */
  readonly takeUp: (run: Run, first: Partial<RunEvent> | undefined) => void;
  /** It leads again after so long. @param alone nobody else has led meanwhile, so agents had nobody else to report to */
  readonly returned: (awayMs: number, alone: boolean) => void;
  /** With the progress of the step that waits. */
  readonly open: () => readonly Run[];
  /** The same, with the time when each was last worked on. */
  readonly atWork: () => readonly OpenRun[];
  /** Monotonic: this process has known the plan for so long; 0: it does not know it. */
  readonly plannedForMs: (runId: string) => number;
  /** Writes one row about an open run. @throws VigieError NOT_FOUND */
  readonly append: (runId: string, event: Partial<RunEvent>) => Promise<Run>;
}

export function createExecutor(parts: ExecutorParts): Executor {
  const { clock } = parts;
  const open = new Map<string, Run>();
  const heardSinceMs = new Map<string, number>(); // monotonic; missing: not always since it was planned
  const aliveAtMs = new Map<string, number>(); // monotonic
  const plannedAtMs = new Map<string, number>(); // monotonic: or since when this process knows of it
  const approvedAtMs = new Map<string, number>(); // likewise
  const progress = new Map<string, RunProgress>();
  const jobWaits = new Map<string, { readonly jobId: number; readonly still: (seen: Seen) => string }>(); // by run
  const queuedSinceMs = new Map<string, number>(); // by run, step and attempt: its job was queued still when its time was over
  const heldSince = new Map<string, Held>();
  const looker = createLooker(parts);
  const turns = createTurns();
  const runs = (): Run[] => [...open.values()].map((run) => ({ ...run, progress: progress.get(run.id) }));

  return {
    open: runs,
    atWork: () => runs().map((run) => ({ run, idleMs: clock.monotonicMs() - (aliveAtMs.get(run.id) ?? 0) })),
    append,
    plannedForMs: (runId) => sinceMs(plannedAtMs, runId),
    hold: (run) => {
      open.set(run.id, run);
      plannedAtMs.set(run.id, clock.monotonicMs());
      if (parts.epoch() > 0) heardSinceMs.set(run.id, clock.monotonicMs()); // else agents may report elsewhere
      aliveAtMs.set(run.id, clock.monotonicMs());
      return () => forget(run.id);
    },
    drive: (run) => drive(run, undefined),
    takeUp: drive,
    returned: (awayMs, alone) => {
      if (!alone || awayMs > HEARD_ALL_THE_SAME_MS) heardSinceMs.clear();
      for (const run of runs()) {
        const left = anotherLed(run, alone) ?? leftAlone(run, awayMs, clock.wallUnixMs(), "leads again");
        if (left !== undefined) void append(run.id, left).catch((error: unknown) => stuck(run.id, error));
      }
    },
  };

  function drive(run: Run, first: Partial<RunEvent> | undefined): void {
    open.set(run.id, run);
    aliveAtMs.set(run.id, clock.monotonicMs());
    for (const map of [plannedAtMs, approvedAtMs]) if (!map.has(run.id)) map.set(run.id, clock.monotonicMs());
    void perform(run.id, first).catch((error: unknown) => stuck(run.id, error));
  }

  async function perform(runId: string, first: Partial<RunEvent> | undefined): Promise<void> {
    if (first !== undefined) await append(runId, first);
    for (;;) {
      const run = open.get(runId);
      if (run?.plan === undefined) return;
      aliveAtMs.set(runId, clock.monotonicMs());
      const move = nextMove(run.plan, run.events);
      if (move.move === "none") return;
      try {
        await make(run, run.plan, move);
      } catch (error) {
        if (!("step" in move)) throw error;
        await failStep(runId, move.step.id, move.attempt, error);
      }
    }
  }

  /** An error of the engine's own is a failure of the step: it is judged like any other, and shown. */
  async function failStep(runId: string, stepId: string, attempt: number, error: unknown): Promise<void> {
    parts.log("run.error", { run: runId, step: stepId, reason: explain(error), alarm: true });
    const text = `the engine failed at this step: ${explain(error)}`;
    await append(runId, { kind: RunEventKind.STEP_FAILED, stepId, attempt, text });
    await clock.sleep(POLL_MS); // what fails each time must not keep this process busy
  }

  /** Not even a row could be written: nothing more is done, and whoever looks sees why. */
  function stuck(runId: string, error: unknown): void {
    parts.log("run.stuck", { run: runId, reason: explain(error), alarm: true });
    const run = open.get(runId);
    if (run === undefined) return;
    open.set(runId, { ...run, state: RunState.FROZEN });
    const text = `nothing more is done until the orchestrator starts again: ${explain(error)}`;
    progress.set(runId, { ...NO_PROGRESS, text });
  }

  async function make(run: Run, plan: Plan, move: Exclude<Move, { move: "none" }>): Promise<void> {
    switch (move.move) {
      case "await-approval":
        return awaitApproval(run, plan);
      case "await-person":
        return clock.sleep(POLL_MS);
      case "send":
        return sendOrWait(run, plan, move);
      case "await":
        return awaitStep(run, move.step, move.attempt);
      case "fail-step":
        return write({ kind: RunEventKind.STEP_FAILED, stepId: move.step.id, attempt: move.attempt });
      case "freeze":
        return write({
          kind: RunEventKind.FROZEN,
          stepId: move.stepId,
          text: `${move.reason}; look, then retry, skip, abort or take over; or abort and plan it again: ${planAgain(plan)}`,
        });
      case "start-undo":
        return (await awaitsOwnJob(run, plan)) ? undefined : write({ kind: RunEventKind.UNDO_STARTED });
      case "end":
        return (await awaitsOwnJob(run, plan))
          ? undefined
          : write({ kind: RunEventKind.ENDED, state: move.state });
    }

    async function write(row: Partial<RunEvent>): Promise<void> {
      await append(run.id, { text: "reason" in move ? move.reason : "", ...row });
    }
  }

  /**
   * A job of the run's that Ganeti still has goes on, or begins later, whatever became of the run: until it is over, what
   * the run holds stays held (I9), and nothing is taken back that is only done then. @returns one is waited for
   */
  async function awaitsOwnJob(run: Run, plan: Plan): Promise<boolean> {
    if (run.events.some(({ kind }) => kind === RunEventKind.TAKEN_OVER)) return false; // a person has it
    for (const { step, jobId } of ownJobs(plan, run.events)) {
      const since = contextOf(run.id, step, clock.monotonicMs());
      const outcome = await looker.until(jobOver(jobId), since, {
        forMs: GLANCE_MS,
        looked: async () => has(eventsOf(run.id), RunEventKind.TAKEN_OVER),
      });
      if (outcome.end === "seen") continue;
      const how =
        outcome.end === "time-over" && outcome.what !== ""
          ? outcome.what
          : `job ${jobId} is not known to be over`;
      const text = `${how}: the run ends after it; while it only waits, gnt-job cancel ${jobId} takes it out`;
      progress.set(run.id, { ...NO_PROGRESS, stepId: step.id, text });
      aliveAtMs.set(run.id, clock.monotonicMs());
      const known = jobWaits.get(run.id);
      const wait =
        known?.jobId === jobId ? known : { jobId, still: createStillness(clock, parts.unchangedMs()) };
      jobWaits.set(run.id, wait);
      const still = wait.still({ seen: false, never: "", what: how });
      if (still !== "") {
        jobWaits.delete(run.id);
        const ask = `${still}; the run ends after this job: end it, and abort the run again, or take the run over`;
        await append(run.id, { kind: RunEventKind.FROZEN, stepId: step.id, text: ask });
      } else await clock.sleep(POLL_MS);
      return true;
    }
    jobWaits.delete(run.id);
    return false;
  }

  async function awaitApproval(run: Run, plan: Plan): Promise<void> {
    if (!isTooOldToApprove(plan, clock.wallUnixMs(), sinceMs(plannedAtMs, run.id)))
      return clock.sleep(POLL_MS);
    const text = `nobody approved it in time; plan it again: ${planAgain(plan)}`;
    await append(run.id, { kind: RunEventKind.ENDED, state: RunState.ABORTED, text });
  }

  /** A brake is shown where it holds the run, and ends it where the approval is too old by now. */
  async function sendOrWait(run: Run, plan: Plan, move: Extract<Move, { move: "send" }>): Promise<void> {
    const sending = sendingOf(run, move);
    const braked = move.begun ? undefined : sending.brake();
    if (braked?.kind === "expired") {
      const text = `${braked.why}; plan it again: ${planAgain(plan)}`;
      await append(run.id, { kind: RunEventKind.ABORT_ASKED, text });
      return;
    }
    const paused = continuesWatcher(move) ? staysPaused(run) : "";
    if (paused !== "") {
      const { step, attempt } = move;
      const text = `not needed: ${paused}`;
      await append(run.id, { kind: RunEventKind.STEP_SKIPPED, stepId: step.id, attempt, text });
      return;
    }
    if (PASSES_BY_ITSELF.has(lastCode(run.events, move.step.id))) await clock.sleep(ASKED_AGAIN_MS);
    if (braked !== undefined && (await heldForLong(run, move.step, braked.why))) return;
    if (braked === undefined) progress.delete(run.id);
    else progress.set(run.id, { ...NO_PROGRESS, stepId: move.step.id, text: braked.why });
    const leave = turns.take(move.step);
    if (leave === undefined) {
      const text = `waits for its turn at the firewall of ${move.step.node}`;
      progress.set(run.id, { ...NO_PROGRESS, stepId: move.step.id, text });
      return clock.sleep(POLL_MS);
    }
    try {
      await sendStep({ ...parts, looker, append }, sending);
    } finally {
      leave();
    }
    if (sending.brake() === undefined) progress.delete(run.id);
  }

  /** Why Ganeti's watcher is left paused; empty: the pause is this run's, and nobody else's. */
  function staysPaused(run: Run): string {
    const other = needsWatcherPaused(run, [...open.values()]);
    if (other !== undefined) return `${other.id} needs Ganeti's watcher paused, and lets it go on at its end`;
    const untilUnixMs = (parts.view().inventory?.watcherPausedUntilUnixS ?? 0) * 1000;
    if (untilUnixMs <= clock.wallUnixMs() + WATCHER_PAUSE_S * 1000) return ""; // no pause of ours is longer
    return `somebody has paused Ganeti's watcher until ${new Date(untilUnixMs).toISOString()}`;
  }

  /** What is held as long as a wait may last is a person's: the approval is of then. @returns it is frozen now */
  async function heldForLong(run: Run, step: PlanStep, why: string): Promise<boolean> {
    const held = heldSince.get(run.id);
    const nowMs = clock.monotonicMs();
    if (held?.stepId !== step.id || held.rows !== run.events.length) {
      heldSince.set(run.id, { stepId: step.id, rows: run.events.length, sinceMs: nowMs });
      return false;
    }
    if (
      nowMs - held.sinceMs < parts.unchangedMs() ||
      mannerOf(step).takesBack ||
      run.state === RunState.PAUSED
    )
      return false;
    const text = `${step.title} was held for ${Math.round(parts.unchangedMs() / 60_000)} min: ${why}; look, then retry, abort or take over`;
    await append(run.id, { kind: RunEventKind.FROZEN, stepId: step.id, text });
    return true;
  }

  function sendingOf(run: Run, { step, attempt, begun }: Extract<Move, { move: "send" }>): Sending {
    const { takesBack } = mannerOf(step);
    const brakes = {
      ...parts,
      open: () => [...open.values()],
      wallUnixMs: () => clock.wallUnixMs(),
      approvedForMs: (runId: string) => sinceMs(approvedAtMs, runId),
    };
    const begunRows = run.events.length;
    return {
      run,
      step,
      attempt,
      begun,
      brake: () => brakeOn(brakes, open.get(run.id) ?? run, step, { takesBack, begunRows }),
      context: (sinceMs) => contextOf(run.id, step, sinceMs),
      show: (text) => {
        aliveAtMs.set(run.id, clock.monotonicMs());
        progress.set(run.id, { ...NO_PROGRESS, stepId: step.id, text });
      },
    };
  }

  async function awaitStep(run: Run, step: PlanStep, attempt: number): Promise<void> {
    const of = { stepId: step.id, attempt };
    const startedMs = clock.monotonicMs();
    const givenUp = (): boolean => isLeft(run, step);
    if (step.kind === StepKind.WAIT && step.onlyIf !== undefined) {
      const context = (sinceMs: number): WatchContext => contextOf(run.id, step, sinceMs);
      const needed = await glance({ clock, looker }, { context, givenUp }, step.onlyIf, GLANCE_MS);
      if (needed.answer === "stopped") return;
      if (needed.answer === "no") return write(RunEventKind.STEP_SKIPPED, `not needed: ${needed.what}`);
    }
    const stillness = createStillness(clock, parts.unchangedMs());
    let still = "";
    const outcome = await looker.until(step.condition, contextOf(run.id, step, startedMs), {
      forMs: step.deadlineMs,
      unansweredMs: cutStands(run, step) ? 0 : UNANSWERED_MAX_MS,
      looked: async (seen) => {
        aliveAtMs.set(run.id, clock.monotonicMs());
        await tell(run.id, step, attempt, seen, clock.monotonicMs() - startedMs);
        if (step.deadlineMs === 0) still = stillness(seen);
        return givenUp() || still !== "";
      },
    });
    await tellJob(run.id, step, attempt);
    progress.delete(run.id);
    switch (outcome.end) {
      case "seen":
        return write(RunEventKind.STEP_VERIFIED, outcome.what);
      case "never":
        return write(RunEventKind.STEP_FAILED, outcome.why);
      case "time-over": {
        if (isQueuedStill(run, step, attempt)) return; // its time begins when Ganeti begins
        const what = `${step.title}: not seen within ${step.deadlineMs / 1000} s${outcome.what === "" ? "" : ` (${outcome.what})`}`;
        if (outcome.lastAnswered || cutStands(run, step)) return write(RunEventKind.STEP_FAILED, what);
        const unknown = `${what}, and not known: who could tell does not answer; vigie run retry ${run.id} looks again`;
        return write(RunEventKind.FROZEN, unknown);
      }
      case "stopped":
        if (!givenUp()) return write(RunEventKind.STEP_FAILED, still);
    }

    async function write(kind: RunEventKind, text: string): Promise<void> {
      await append(run.id, { kind, ...of, text });
    }
  }

  /** Its job waits behind another one: that passes by itself, and a person is asked where it does not. */
  function isQueuedStill(run: Run, step: PlanStep, attempt: number): boolean {
    const jobId = jobIdOf(eventsOf(run.id), step.id);
    const key = `${run.id} ${step.id} ${attempt}`;
    const job = parts.view().nodes.get(masterOf(parts.view()))?.jobs.get(jobId)?.value;
    if (jobId === 0 || (job?.status !== "queued" && job?.status !== "waiting")) return false;
    const since = queuedSinceMs.get(key) ?? clock.monotonicMs();
    queuedSinceMs.set(key, since);
    return clock.monotonicMs() - since < parts.unchangedMs();
  }

  /** A cut of this run's may stand: it is taken back in its time, whoever does not answer (I19). */
  function cutStands({ id, plan }: Run, step: PlanStep): boolean {
    if (plan === undefined) return false;
    const undos = [step, ...undosOf(plan, toTakeBack(plan, eventsOf(id)))];
    return undos.some(
      ({ action }) => action?.kind?.$case === "restoreDrbdLink" || action?.kind?.$case === "cutDrbdLink",
    );
  }

  /** What a person who looks at a step that takes long would like to know. */
  async function tell(
    runId: string,
    step: PlanStep,
    attempt: number,
    seen: Seen,
    waitedMs: number,
  ): Promise<void> {
    const text = seen.what ?? "";
    const now = seen.seen ? undefined : seen.progress;
    const plan = open.get(runId)?.plan;
    progress.set(runId, {
      stepId: step.id,
      text,
      donePercent: now?.donePercent,
      finishUnixMs: now?.finishUnixMs ?? 0,
      kibPerS: now?.kibPerS ?? 0,
      runFinishUnixMs:
        plan === undefined || now === undefined ? 0 : runFinishUnixMs(plan, eventsOf(runId), step.id, now),
    });
    await tellJob(runId, step, attempt);
    const long = step.deadlineMs === 0 || step.deadlineMs >= LONG_MS;
    const told = eventsOf(runId).some(
      (e) => e.kind === RunEventKind.STEP_WAITING && e.stepId === step.id && e.attempt === attempt,
    );
    if (long && !told && waitedMs >= WAITING_AFTER_MS)
      await append(runId, { kind: RunEventKind.STEP_WAITING, stepId: step.id, attempt, text });
  }

  async function tellJob(runId: string, step: PlanStep, attempt: number): Promise<void> {
    const awaited = jobIn(step.condition);
    if (awaited === undefined) return;
    const { stepId, jobId } = awaited;
    const view = parts.view();
    const id = stepId === "" ? jobId : jobIdOf(eventsOf(runId), stepId);
    const job = view.nodes.get(masterOf(view))?.jobs.get(id)?.value;
    for (const { serial, text } of job === undefined ? [] : newLogLines(job, eventsOf(runId), step.id))
      await append(runId, {
        kind: RunEventKind.STEP_LOG,
        stepId: step.id,
        attempt,
        text,
        logSerial: serial,
      });
  }

  async function append(runId: string, row: Partial<RunEvent>): Promise<Run> {
    const run = open.get(runId);
    if (run === undefined) throw new VigieError("NOT_FOUND", `there is no open run ${runId}`);
    const { run: next, event } = withRow(run, row, clock.wallUnixMs());
    if (event.kind === RunEventKind.APPROVED) approvedAtMs.set(runId, clock.monotonicMs());
    open.set(runId, next); // before it is on disk: a second writer must see the row
    await parts.record([...rowChanges(next, event), ...parts.alongside(next)]);
    if (event.kind === RunEventKind.ENDED) forget(runId);
    parts.log("run.event", { run: runId, kind: event.kind, step: event.stepId, text: event.text });
    return next;
  }

  function forget(runId: string): void {
    for (const key of queuedSinceMs.keys()) if (key.startsWith(`${runId} `)) queuedSinceMs.delete(key);
    for (const map of [
      open,
      jobWaits,
      heardSinceMs,
      aliveAtMs,
      plannedAtMs,
      approvedAtMs,
      heldSince,
      progress,
    ])
      map.delete(runId);
  }

  function sinceMs(map: ReadonlyMap<string, number>, runId: string): number {
    return clock.monotonicMs() - (map.get(runId) ?? clock.monotonicMs());
  }

  function contextOf(runId: string, step: PlanStep, sinceMs: number): WatchContext {
    const heard = heardSinceMs.get(runId);
    return { runId, stepId: step.id, sinceMs, heardSinceMs: heard, events: () => eventsOf(runId), clock };
  }

  function eventsOf(runId: string): readonly RunEvent[] {
    return open.get(runId)?.events ?? [];
  }

  /** A person has ended the run, or this step of it, since it was begun. */
  function isLeft(begun: Run, step: PlanStep): boolean {
    const since = eventsOf(begun.id).slice(begun.events.length);
    return (
      isDone(since, step.id) ||
      since.some((e) => e.kind === RunEventKind.ABORT_ASKED || e.kind === RunEventKind.TAKEN_OVER)
    );
  }
}

/** A brake holds this step, and nothing was written since. */
interface Held {
  readonly stepId: string;
  readonly rows: number;
  readonly sinceMs: number; // monotonic
}

function continuesWatcher({ step, begun }: Extract<Move, { move: "send" }>): boolean {
  return !begun && step.action?.kind?.$case === "continueWatcher";
}

/** How the last request of a step was answered. */
function lastCode(events: readonly RunEvent[], stepId: string): string {
  return (
    events.findLast((e) => e.kind === RunEventKind.STEP_RESULT && e.stepId === stepId)?.result?.code ?? ""
  );
}
