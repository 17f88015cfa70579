/**
 * How every action is performed: is the caller entitled and in time → was this asked before → is the resource free
 * → guard → intent on disk → argv → look again → result on disk. The order is the safety: nothing is run that is
 * not in the journal, and nothing is in the journal twice (I14, I22, I23, I25, I27, I33).
 */
import { createHash } from "node:crypto";
import {
  ActionOutcome,
  ActionResult,
  CommandRun,
  explain,
  VigieError,
  type ActionRequest,
  type GuardFact,
} from "@vigie/proto";
import type { ActionDefinition, ActionStep, Look } from "./actions/action.js";
import { ACTIONS } from "./actions/index.js";
import { checkArguments } from "./argument-check.js";
import { FACT_AGE_MAX_MS } from "./guards/cut-drbd-link.js";
import type { Command, CommandOutcome, Host } from "./host.js";
import type { Journal } from "./journal.js";
import { redact } from "./redact.js";

const OUTPUT_KEPT_CHARS = 4096;

export interface PerformerParts {
  readonly host: Host;
  readonly journal: Journal;
  readonly nodeName: string;
  readonly look: Omit<Look, "requestAgeMs">;
  /** Why nothing may be changed now: the kill switch, a broken journal. Empty: it may. */
  readonly readOnlyReason: () => Promise<string>;
  /** This node's own word, read now (I26). */
  readonly masterNode: () => Promise<string>;
}

/** Of the session that the request came by. */
export interface Caller {
  readonly orchestratorNode: string; // by its certificate
  /** Monotonic ms when the report with this sequence was sent; undefined: not of this session. */
  readonly sentAtMs: (sequence: number) => number | undefined;
}

export interface Performer {
  /** Never rejects: what went wrong is the result. */
  readonly perform: (request: ActionRequest, caller: Caller) => Promise<ActionResult>;
}

export function createPerformer(parts: PerformerParts): Performer {
  const { host, journal } = parts;
  const busy = new Map<string, string>(); // resource → the key of the action that holds it
  const atWork = new Map<string, { readonly body: string; readonly answer: Promise<ActionResult> }>(); // by key

  return { perform };

  async function perform(request: ActionRequest, caller: Caller): Promise<ActionResult> {
    const key = `${request.runId}/${request.stepId}/${request.attempt}`;
    const body = bodyHash(request);
    try {
      checkArguments(request);
      const running = atWork.get(key);
      if (running?.body === body) return { ...(await running.answer), replayed: true };
      const known = journal.keyState(key);
      if (known.state !== "new") return recall(known, body, key);
      if (running !== undefined) throw new VigieError("KEY_REUSED", `${key} is at work, for something else`);
      const answer = perhapsRun(request, caller, key, body).finally(() => atWork.delete(key));
      atWork.set(key, { body, answer });
      return await answer;
    } catch (error) {
      return failure(request, error);
    }
  }

  async function perhapsRun(
    request: ActionRequest,
    caller: Caller,
    key: string,
    body: string,
  ): Promise<ActionResult> {
    try {
      await checkCaller(request, caller);
      checkAge(request, caller);
      return await runOnce(request, caller, key, body);
    } catch (error) {
      return failure(request, error);
    }
  }

  async function checkCaller(request: ActionRequest, caller: Caller): Promise<void> {
    if (request.node !== parts.nodeName)
      throw new VigieError("IDENTITY_MISMATCH", `this is ${parts.nodeName}, not ${request.node}`);
    const about = request.action?.value.end?.node;
    if (about !== parts.nodeName)
      throw new VigieError("IDENTITY_MISMATCH", `this is ${parts.nodeName}, and the end is of ${about}`);
    if (request.epoch === 0) throw new VigieError("STALE_EPOCH", "the caller does not lead: it has no epoch");
    if (request.epoch < journal.highestEpoch())
      throw new VigieError(
        "STALE_EPOCH",
        `epoch ${request.epoch} is over: ${journal.highestEpoch()} was seen`,
      );
    const master = await parts.masterNode();
    if (master !== caller.orchestratorNode)
      throw new VigieError(
        "STALE_EPOCH",
        `${caller.orchestratorNode} is not the master: this node's ssconf says ${master}`,
      );
    const readOnly = await parts.readOnlyReason();
    if (readOnly !== "") throw new VigieError("READ_ONLY", readOnly);
  }

  function checkAge(request: ActionRequest, caller: Caller): void {
    const ageMs = requestAge(request, caller)();
    if (ageMs > request.notAfterMs)
      throw new VigieError(
        "TOO_LATE",
        `the request is up to ${ageMs} ms old, and was good for ${request.notAfterMs} ms`,
      );
  }

  function requestAge(request: ActionRequest, caller: Caller): () => number {
    const sentAtMs = caller.sentAtMs(request.answersSequence);
    return () => (sentAtMs === undefined ? Number.MAX_SAFE_INTEGER : host.monotonicMs() - sentAtMs);
  }

  async function runOnce(
    request: ActionRequest,
    caller: Caller,
    key: string,
    body: string,
  ): Promise<ActionResult> {
    const action = request.action;
    if (action === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no action");
    const definition = ACTIONS[action.$case] as ActionDefinition<typeof action.value>;
    const resource = definition.resource(action.value);
    const holder = busy.get(resource);
    if (holder !== undefined) throw new VigieError("COMMAND_HUNG", `${resource} is held by ${holder}`);
    busy.set(resource, key);
    const look: Look = { ...parts.look, requestAgeMs: requestAge(request, caller) };
    let hung = false;
    try {
      const result = await guardAndRun();
      hung = result.code === "COMMAND_HUNG";
      return result;
    } finally {
      if (!hung) busy.delete(resource); // what hangs keeps its resource until the agent starts again
    }

    async function guardAndRun(): Promise<ActionResult> {
      const guardedAtMs = host.monotonicMs();
      if (await definition.holds(action!.value, look))
        return settle({ outcome: ActionOutcome.ALREADY_SO, message: "nothing to do" });
      const guard = await definition.guard(action!.value, look);
      const refusing = guard.filter((fact) => !fact.holds);
      if (refusing.length > 0)
        return settle({
          outcome: ActionOutcome.REFUSED,
          code: "GUARD_REFUSED",
          message: refusing.map(refusal).join("; "),
          guard,
        });

      await checkCaller(request, caller); // again: the guard took its time (I25, I26, I33)
      const steps = definition.steps(action!.value, request.runId);
      const argv = steps.map((step) => argvOf(step.run));
      journal.append(
        { kind: "intent", key, body, action: action!.$case, detail: { argv, guard, epoch: request.epoch } },
        host.wallUnixMs(),
      );
      const guardAgeMs = host.monotonicMs() - guardedAtMs;
      if (guardAgeMs > FACT_AGE_MAX_MS)
        return settle({
          outcome: ActionOutcome.REFUSED,
          code: "TOO_LATE",
          message: `the facts were ${guardAgeMs} ms old when it came to run (I14)`,
          guard,
        });

      const commands: CommandRun[] = [];
      const problem = await runSteps(steps, commands);
      try {
        return settle({ ...(problem ?? (await lookAgain())), guard, commands });
      } catch (error) {
        return { ...failure(request, error), outcome: ActionOutcome.UNKNOWN, guard, commands }; // it ran
      }
    }

    async function lookAgain(): Promise<Partial<ActionResult>> {
      const { done, message } = await definition.verify(action!.value, look);
      if (done === true) return { outcome: ActionOutcome.DONE, message };
      if (done === "unknown") return { outcome: ActionOutcome.UNKNOWN, code: "VERIFY_FAILED", message };
      return { outcome: ActionOutcome.FAILED, code: "VERIFY_FAILED", message };
    }

    function settle(how: Partial<ActionResult>): ActionResult {
      const { runId, stepId, attempt } = request;
      const result = ActionResult.create({ ...how, runId, stepId, attempt });
      journal.append({ kind: "result", key, body, result }, host.wallUnixMs());
      return result;
    }
  }

  /** @returns how the first step that did not run ended, or undefined when all ran */
  async function runSteps(
    steps: readonly ActionStep[],
    ran: CommandRun[],
  ): Promise<Partial<ActionResult> | undefined> {
    for (const { run, unless } of steps) {
      if (unless !== undefined && (await host.run(unless)).exitCode === 0) continue;
      const outcome = await host.run(run);
      ran.push(commandRun(run, outcome));
      if (outcome.end === "exited" && outcome.exitCode === 0) continue;
      return stepFailed(run, outcome);
    }
    return undefined;
  }
}

/** An answered key gives its answer; one that was begun and has no answer is unknown, and is looked at, not repeated. */
function recall(
  known: Exclude<ReturnType<Journal["keyState"]>, { state: "new" }>,
  body: string,
  key: string,
): ActionResult {
  if (known.body !== body) throw new VigieError("KEY_REUSED", `${key} was asked before, for something else`);
  if (known.state === "finished") return { ...known.result, replayed: true };
  throw new VigieError(
    "COMMAND_TIMED_OUT",
    `${key} was begun and has no answer; whether it took effect must be looked at`,
  );
}

function stepFailed(command: Command, outcome: CommandOutcome): Partial<ActionResult> {
  const what = argvOf(command).join(" ");
  switch (outcome.end) {
    case "exited":
    case "not-started":
      return {
        outcome: ActionOutcome.FAILED,
        code: "COMMAND_FAILED",
        message: `${what}: ${outcome.stderr.trim() || `exit ${outcome.exitCode}`}`,
      };
    case "timed-out":
      return {
        outcome: ActionOutcome.UNKNOWN,
        code: "COMMAND_TIMED_OUT",
        message: `${what}: killed after ${command.timeoutMs} ms`,
      };
    case "hung":
      return {
        outcome: ActionOutcome.UNKNOWN,
        code: "COMMAND_HUNG",
        message: `${what}: cannot be killed; it sits in the kernel`,
      };
  }
}

function failure(request: ActionRequest, error: unknown): ActionResult {
  const { runId, stepId, attempt } = request;
  const code = error instanceof VigieError ? error.code : "COMMAND_FAILED";
  const unknown = code === "COMMAND_TIMED_OUT" || !(error instanceof VigieError);
  const outcome = unknown ? ActionOutcome.UNKNOWN : ActionOutcome.REFUSED;
  return ActionResult.create({ runId, stepId, attempt, outcome, code, message: explain(error) });
}

/** What must be the same when a key comes again. The peer's report and the ages are taken anew each time. */
function bodyHash(request: ActionRequest): string {
  const action =
    request.action?.$case === "cutDrbdLink"
      ? { ...request.action.value, peer: undefined }
      : request.action?.value;
  return createHash("sha256")
    .update(JSON.stringify([request.node, request.action?.$case, action]))
    .digest("hex");
}

function refusal(fact: GuardFact): string {
  return `${fact.name} is ${fact.value}${fact.invariant === "" ? "" : ` (${fact.invariant})`}`;
}

function argvOf(command: Command): string[] {
  return [command.file, ...command.args];
}

function commandRun(command: Command, outcome: CommandOutcome): CommandRun {
  const output = redact(`${outcome.stdout}${outcome.stderr}`).slice(0, OUTPUT_KEPT_CHARS);
  return CommandRun.create({
    argv: argvOf(command),
    exitCode: outcome.exitCode,
    output,
    durationMs: Math.round(outcome.durationMs),
  });
}
