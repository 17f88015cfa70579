/** What a person may do with runs: plan one, approve it, and steer it while it is open. */
import {
  RunEventKind,
  RunState,
  RunVerb,
  VigieError,
  type AbortRunRequest,
  type ApproveRunRequest,
  type Condition,
  type ControlRunRequest,
  type Plan,
  type PlanRunRequest,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import { underRun } from "../detect/incident-log.js";
import { isTooOldToApprove } from "../engine/approval.js";
import { lockInTheWay, locksOf } from "../engine/locks.js";
import { planAgain } from "../engine/plan-again.js";
import { isDone, isFrozen, standingFailure } from "../engine/run-log.js";
import { newRun, startRun } from "../engine/start-run.js";
import type { Orchestrator } from "../orchestrator.js";
import type { ClusterView } from "../view/cluster-view.js";
import { onlyOne } from "./only-one.js";

export function createRunService(orchestrator: Orchestrator) {
  const { clock, store, keeper, desk, leader, executor, responder, killSwitch } = orchestrator;
  return { planRun, approveRun, abortRun, controlRun };

  async function planRun(request: PlanRunRequest, person: string): Promise<{ run: Run }> {
    const { runbook, incidentId, dryRun } = request;
    const incident =
      incidentId === "" ? undefined : onlyOne(await store.incidentsById(incidentId), "incident", incidentId);
    const given = Object.fromEntries(request.parameters.map(({ name, value }) => [name, value]));
    const plan = await responder.plan(runbook, given, incident);
    const shown = dryRun || plan.refusals.length > 0;
    const run = newRun(orchestrator.newRunId(), plan, shown ? RunState.PLANNED : RunState.AWAITING_APPROVAL);
    if (shown) return { run }; // not kept: it cannot be approved
    const parts = { ...orchestrator, record: orchestrator.recorder.record };
    const open = desk.find(incident?.id ?? "");
    const alongside = open === undefined ? [] : desk.update(underRun(open, run, desk.now()));
    return { run: await startRun(parts, run, person, undefined, alongside) };
  }

  async function approveRun(request: ApproveRunRequest, person: string): Promise<{ run: Run }> {
    const { runId, planHash, typedWord } = request;
    const run = openRun(runId);
    const { plan } = run;
    if (run.state !== RunState.AWAITING_APPROVAL || plan === undefined)
      throw new VigieError(
        "CONFLICT",
        run.approvedBy === "" ? `${run.id} is over` : `${run.id} was approved already, by ${run.approvedBy}`,
      );
    if (planHash !== plan.hash)
      throw new VigieError(
        "PLAN_CHANGED",
        `${run.id} has plan ${plan.hash}, not ${planHash}; look at it again: vigie run show ${run.id}`,
      );
    if (typedWord !== plan.typedWord)
      throw new VigieError(
        "INVALID_ARGUMENT",
        plan.typedWord === ""
          ? `the plan of ${run.id} asks for no word, and ${typedWord} was typed`
          : `the plan of ${run.id} asks for the word ${plan.typedWord}, typed by hand: --word ${plan.typedWord}`,
      );
    stillGood(run, plan);
    if (killSwitch.stopped() !== "")
      throw new VigieError("READ_ONLY", `everything is stopped: ${killSwitch.stopped()}; see: vigie go`);
    if (leader.epoch() === 0) throw new VigieError("NOT_LEADING", leader.status().reason);
    const text = `plan ${planHash.slice(0, 12)}`;
    return { run: await executor.append(run.id, { kind: RunEventKind.APPROVED, actor: person, text }) };
  }

  /** An approval is for a plan of now: unchanged in Ganeti, not old, and nothing else works there (I9, I15, I32). */
  function stillGood(run: Run, plan: Plan): void {
    const again = `plan it again: ${planAgain(plan)}`;
    if (isTooOldToApprove(plan, clock.wallUnixMs(), executor.plannedForMs(run.id)))
      throw new VigieError("PLAN_CHANGED", `the plan of ${run.id} is older than 15 minutes; ${again}`);
    const changed = plan.configSerials.find(
      ({ kind, name, serial }) => serialOf(keeper.view(), kind, name) !== serial,
    );
    if (changed !== undefined)
      throw new VigieError(
        "PLAN_CHANGED",
        `${changed.name} was changed in Ganeti since ${run.id} was planned; ${again}`,
      );
    const nowUnixMs = clock.wallUnixMs();
    const lock = lockInTheWay(plan, run.id, locksOf(executor.atWork(), nowUnixMs), nowUnixMs);
    if (lock !== undefined)
      throw new VigieError(
        "CONFLICT",
        lock.expiresUnixMs === 0
          ? `${lock.runId} holds ${lock.name}, and waits for a person: vigie run show ${lock.runId}; or end it: vigie abort ${lock.runId} (I9)`
          : `${lock.runId} works on ${lock.name}; wait for it, or end it: vigie abort ${lock.runId} (I9)`,
      );
  }

  async function abortRun({ runId, reason }: AbortRunRequest, person: string): Promise<{ run: Run }> {
    const run = openRun(runId);
    if (reason.trim() === "") throw new VigieError("INVALID_ARGUMENT", "an abort needs a reason");
    const asked = { kind: RunEventKind.ABORT_ASKED, actor: person, text: reason };
    return { run: await executor.append(run.id, asked) };
  }

  async function controlRun(request: ControlRunRequest, person: string): Promise<{ run: Run }> {
    const run = openRun(request.runId);
    const row = rowFor(run, request);
    return { run: await executor.append(run.id, { ...row, actor: person }) };
  }

  function openRun(id: string): Run {
    return onlyOne(
      executor.open().filter((run) => id !== "" && run.id.startsWith(id)),
      "open run",
      id,
    );
  }
}

/** The row that a verb writes. @throws VigieError where the run is not in a state for it */
function rowFor(run: Run, { verb, stepId, reason }: ControlRunRequest): Partial<RunEvent> {
  const text = reason.trim();
  switch (verb) {
    case RunVerb.PAUSE:
      must(run.state === RunState.RUNNING || run.state === RunState.WAITING, `${run.id} is not running`);
      return { kind: RunEventKind.PAUSE_ASKED, text };
    case RunVerb.RESUME:
      must(run.state === RunState.PAUSED, `${run.id} is not paused`);
      return { kind: RunEventKind.RESUME_ASKED, text };
    case RunVerb.RETRY_STEP:
      return { kind: RunEventKind.RETRY_ASKED, stepId: failedStep(run, stepId), text };
    case RunVerb.SKIP_STEP:
      needsReason(text, "to skip a step");
      must(
        !asksNow(run),
        `${run.id} asks a question, and that cannot be skipped: continue says yes, abort says no`,
      );
      return { kind: RunEventKind.STEP_SKIPPED, stepId: stepToSkip(run, stepId), text: `skipped: ${text}` };
    case RunVerb.TAKE_OVER:
      needsReason(text, "to take a run over");
      return { kind: RunEventKind.TAKEN_OVER, text };
    case RunVerb.CONFIRM:
      return { kind: RunEventKind.PERSON_SAID, stepId: askingStep(run, stepId), text: yesText(run, text) };
    case RunVerb.UNSPECIFIED:
    case RunVerb.UNRECOGNIZED:
      throw new VigieError("INVALID_ARGUMENT", "this orchestrator does not know that verb");
  }
}

const YES = /^(?:yes|oui|ok|ja)(?:$|[^\p{L}\p{N}])/iu;

/** Continuing says that it is so. What is not plainly a yes is not taken for one. */
function yesText(run: Run, text: string): string {
  if (text === "" || YES.test(text)) return text || "yes";
  throw new VigieError(
    "INVALID_ARGUMENT",
    `continue says yes, and "${text}" is no plain yes: leave it out, or begin it with yes; to end the run: vigie abort ${run.id} --reason …`,
  );
}

/** The one that froze the run. */
function failedStep(run: Run, asked: string): string {
  const frozen = run.events.findLast((e) => e.kind === RunEventKind.FROZEN);
  const undoAt = run.events.findIndex((e) => e.kind === RunEventKind.UNDO_STARTED);
  const failure = standingFailure(run.events.slice(Math.max(0, undoAt)));
  const stepId = failure?.stepId ?? frozen?.stepId ?? "";
  must(isFrozen(run.events) && stepId !== "", `${run.id} is not frozen`);
  return theOne(stepId, asked, run);
}

/** The one that froze the run, or the one that waits. */
function stepToSkip(run: Run, asked: string): string {
  if (isFrozen(run.events)) return failedStep(run, asked);
  return theOne(waitingStep(run), asked, run);
}

function askingStep(run: Run, asked: string): string {
  const step = run.plan?.steps.find(({ id }) => id === waitingStep(run));
  must(asksPerson(step?.condition), `${run.id} asks nobody anything now`);
  return theOne(step?.id ?? "", asked, run);
}

/** The step that it has come to is a person's answer. */
function asksNow(run: Run): boolean {
  const next = run.plan?.steps.find(({ id, onlyAsUndo }) => !onlyAsUndo && !isDone(run.events, id));
  return asksPerson(next?.condition);
}

function asksPerson(condition: Condition | undefined): boolean {
  const what = condition?.what;
  if (what?.$case === "allOf" || what?.$case === "anyOf") return what.value.conditions.some(asksPerson);
  return what?.$case === "personSays";
}

function waitingStep(run: Run): string {
  const step = run.plan?.steps.find(({ id, onlyAsUndo }) => !onlyAsUndo && !isDone(run.events, id));
  must(run.approvedBy !== "" && step !== undefined, `${run.id} has no step that waits`);
  return step?.id ?? "";
}

function theOne(is: string, asked: string, run: Run): string {
  must(asked === "" || asked === is, `it is step ${is} of ${run.id}, not ${asked}`);
  return is;
}

function serialOf(view: ClusterView, kind: string, name: string): number | undefined {
  if (kind === "instance") return view.instances.get(name)?.serial;
  return view.inventory?.nodes.find((node) => node.name === name)?.serial;
}

function must(holds: boolean, why: string): void {
  if (!holds) throw new VigieError("CONFLICT", why);
}

function needsReason(text: string, what: string): void {
  if (text === "") throw new VigieError("INVALID_ARGUMENT", `${what} needs a reason`);
}
