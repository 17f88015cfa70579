/**
 * Sends one step's action: is it due → facts of now from every end → brakes → intent on disk → brakes → request →
 * answer on disk. Nothing waits between the last look at the brakes and the send (I22, I26, I33).
 *
 * A step that was begun and has no answer is never sent again: its agent is asked what became of it (I22).
 */
import {
  ActionOutcome,
  ActionRequest,
  ActionResult,
  explain,
  RunEventKind,
  VigieError,
  type PlanStep,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import type { Gateway } from "../gateway/gateway.js";
import type { ClusterView } from "../view/cluster-view.js";
import { mannerOf } from "./action-facts.js";
import type { Brake } from "./brakes.js";
import type { WatchContext } from "./conditions/condition.js";
import { askAllowed, askDue, type DueParts } from "./due.js";
import { freshFacts, nodeOf, UNREACHABLE_LIMIT_MS, type FactsParts, type FreshFacts } from "./fresh-facts.js";

const RETRY_MS = 1_000;
const SEEN_AGE_MAX_MS = 5_000; // between the look at the premises and the send
const TRIES_MAX = 5;

export interface SendParts extends DueParts, FactsParts {
  readonly gateway: Pick<Gateway, "observe" | "act">;
  /** 0: this orchestrator may not act now. */
  readonly epoch: () => number;
  readonly append: (runId: string, row: Partial<RunEvent>) => Promise<Run>;
}

export interface Sending {
  readonly run: Run;
  readonly step: PlanStep;
  readonly attempt: number;
  readonly begun: boolean; // its intent is on disk
  /** Asked at once, of the run's newest rows; undefined: it may be sent. */
  readonly brake: () => Brake | undefined;
  readonly context: (sinceMs: number) => WatchContext;
  readonly show: (text: string) => void;
}

export async function sendStep(parts: SendParts, sending: Sending): Promise<void> {
  if (sending.begun) return recall(parts, sending);
  const { clock, append } = parts;
  const { run, step, attempt, brake } = sending;
  const of = { stepId: step.id, attempt };
  if (brake() !== undefined) return clock.sleep(RETRY_MS);
  const asking = { ...sending, givenUp: () => brake() !== undefined };
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const due = tries === 1 ? await askDue(parts, asking) : await askAllowed(parts, asking);
    if (due.due === "given up") return;
    if (due.due === "no") return write(due.row);
    const over = migrationOver(parts.view(), step);
    if (over !== "") return write({ kind: RunEventKind.STEP_FAILED, text: over });
    const facts = await freshFacts(parts, step, asking.givenUp);
    if (facts === "given up") return;
    if (facts === undefined) return write(silent(parts, step, "no fresh report"));
    if (clock.monotonicMs() - due.readAtMs > SEEN_AGE_MAX_MS) continue; // what was seen is too old by now
    return sendNow(parts, sending, facts, due.seen);
  }
  return write({ kind: RunEventKind.STEP_FAILED, text: `${nodeOf(parts.view(), step)} answers too slowly` });

  async function write(row: Partial<RunEvent>): Promise<void> {
    await append(run.id, { ...row, ...of });
  }
}

/** Between the second look at the brakes and the request nothing is waited for. */
async function sendNow(parts: SendParts, sending: Sending, facts: FreshFacts, seen: string): Promise<void> {
  const { run, step, attempt, brake } = sending;
  if (brake() !== undefined) return;
  await parts.append(run.id, {
    kind: RunEventKind.STEP_INTENT,
    stepId: step.id,
    attempt,
    text: step.title,
    seen: seen === "" ? [] : [seen],
  });
  const braked = brake();
  if (braked !== undefined) return record(parts, sending, notSent(braked));
  await send(parts, sending, requestOf(parts, sending, facts));
}

/** A cut whose node says nothing for longer than any cut lives is over by its kernel, or went with it (I17). */
function silent({ view }: SendParts, step: PlanStep, what: string): Partial<RunEvent> {
  const text = `${what} from ${nodeOf(view(), step)} within ${UNREACHABLE_LIMIT_MS / 1000} s`;
  if (step.action?.kind?.$case !== "restoreDrbdLink") return { kind: RunEventKind.STEP_FAILED, text };
  return { kind: RunEventKind.STEP_SKIPPED, text: `${text}: its kernel has ended the cut by now (I17)` };
}

function requestOf(
  { clock, epoch }: SendParts,
  { run, step, attempt }: Sending,
  facts: FreshFacts,
): ActionRequest {
  return ActionRequest.create({
    runId: run.id,
    stepId: step.id,
    attempt,
    epoch: epoch(),
    node: facts.node,
    answersSequence: facts.own.observed.sequence,
    notAfterMs: mannerOf(step).goodForMs,
    action: facts.action(clock.monotonicMs()),
  });
}

/**
 * What became of a request whose answer is missing. It performs nothing, so no stop holds it back; an agent that never
 * got the request refuses it from then on, should it still be on its way.
 */
async function recall(parts: SendParts, sending: Sending): Promise<void> {
  const { run, step, attempt } = sending;
  const startedMs = parts.clock.monotonicMs();
  while (parts.clock.monotonicMs() - startedMs < UNREACHABLE_LIMIT_MS) {
    const epoch = parts.epoch();
    const of = { runId: run.id, stepId: step.id, attempt, epoch, node: nodeOf(parts.view(), step) };
    const request = ActionRequest.create({ ...of, action: step.action, recall: true });
    if (epoch > 0 && (await send(parts, sending, request)) === "answered") return;
    await parts.clock.sleep(RETRY_MS);
  }
  const unknown = silent(parts, step, "it may have run, and there is no answer");
  await parts.append(run.id, { ...unknown, stepId: step.id, attempt });
}

async function send(
  parts: SendParts,
  sending: Sending,
  request: ActionRequest,
): Promise<"answered" | "no answer"> {
  try {
    await record(parts, sending, await parts.gateway.act(request, mannerOf(sending.step).answerWithinMs));
    return "answered";
  } catch (error) {
    if (!(error instanceof VigieError) || error.code !== "UNAVAILABLE") throw error;
    const { runId, stepId } = request;
    parts.log("run.answer-missing", { run: runId, step: stepId, reason: explain(error) });
    return "no answer"; // what became of it is asked next
  }
}

async function record(
  { append }: SendParts,
  { run, step, attempt }: Sending,
  result: ActionResult,
): Promise<void> {
  await append(run.id, {
    kind: RunEventKind.STEP_RESULT,
    stepId: step.id,
    attempt,
    text: result.message,
    result,
  });
}

function notSent({ why }: Brake): ActionResult {
  return ActionResult.create({
    outcome: ActionOutcome.REFUSED,
    code: "NOT_SENT",
    message: `nothing was sent: ${why}`,
  });
}

/** Two Primaries are allowed for one running migration, and for that one only while it runs (I8). */
function migrationOver(view: ClusterView, { action }: PlanStep): string {
  const job = action?.kind?.$case === "cutDrbdLink" ? action.kind.value.migrateJobId : 0;
  if (job === 0) return "";
  const runs = view.inventory?.jobs.some((j) => j.id === job && j.status === "running") ?? false;
  return runs ? "" : `the migration that it was planned for, job ${job}, does not run any more`;
}
