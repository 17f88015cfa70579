/**
 * How every action is performed: is the caller entitled and in time → was this asked before → is what it touches
 * free → guard → intent on disk → argv → look again → result on disk. The order is the safety: nothing is run that
 * is not in the journal, and nothing is in the journal twice (I14, I22, I23, I25, I27, I33).
 */
import { ActionOutcome, ActionResult, VigieError, type ActionRequest } from "@vigie/proto";
import { failure, guardResult, verdictResult } from "./action-results.js";
import { stepArgv, type Look } from "./actions/action.js";
import { createEntitlement, type EntitlementParts } from "./entitlement.js";
import { FACT_AGE_MAX_MS } from "./guards/fact.js";
import type { DeviceHandle, Host } from "./host.js";
import type { Journal, KeyState } from "./journal.js";
import { runSteps, type Ran } from "./run-steps.js";
import { taskOf, type Caller, type Task } from "./task.js";

export interface PerformerParts extends EntitlementParts {
  readonly host: Host;
  readonly journal: Journal;
  readonly look: Omit<Look, "requestAgeMs" | "asker" | "device">;
}

export interface Performer {
  /** Never rejects: what went wrong is the result. */
  readonly perform: (request: ActionRequest, caller: Caller) => Promise<ActionResult>;
}

export function createPerformer(parts: PerformerParts): Performer {
  const { host, journal } = parts;
  const entitlement = createEntitlement(parts);
  const busy = new Map<string, string>(); // what is locked → the key of the action that holds it
  const atWork = new Map<string, { readonly body: string; readonly answer: Promise<ActionResult> }>(); // by key

  return { perform };

  async function perform(request: ActionRequest, caller: Caller): Promise<ActionResult> {
    try {
      const task = taskOf(request, caller);
      const { key, body } = task;
      const running = atWork.get(key);
      if (running?.body === body) return { ...(await running.answer), replayed: true };
      const known = journal.keyState(key);
      if (known.state !== "new" && known.body !== body)
        throw new VigieError("KEY_REUSED", `${key} was asked before, for something else`);
      if (known.state === "finished") return { ...known.result, replayed: true };
      if (running !== undefined) throw new VigieError("KEY_REUSED", `${key} is at work, for something else`);
      if (request.recall && known.state === "new") return await neverBegun(task);
      const work = known.state === "new" ? perhapsRun(task) : perhapsRecover(task, known);
      const answer = work.finally(() => atWork.delete(key));
      atWork.set(key, { body, answer });
      return await answer;
    } catch (error) {
      return failure(request, error);
    }
  }

  /** Asked what became of a key that was never begun here: from now on it never will be, however late it comes (I22). */
  async function neverBegun(task: Task): Promise<ActionResult> {
    await entitlement.check(task).catch((error: unknown) => {
      if (!(error instanceof VigieError) || error.code !== "READ_ONLY") throw error; // nothing is changed here
    });
    const message = `${task.key} was never begun on this node`;
    return settle(task, { outcome: ActionOutcome.REFUSED, code: "NOT_BEGUN", message });
  }

  /** A key that was begun and has no answer: it is looked at, never repeated (I22). */
  async function perhapsRecover(
    task: Task,
    known: Extract<KeyState, { state: "unfinished" }>,
  ): Promise<ActionResult> {
    try {
      const verdict = await task.definition.recover?.(
        task.action.value,
        lookOf(task, undefined),
        known.sinceUnixMs,
      );
      if (verdict?.done === true) return settle(task, verdictResult(verdict));
    } catch (error) {
      return failure(task.request, new VigieError("COMMAND_TIMED_OUT", begun(task.key), { cause: error }));
    }
    return failure(task.request, new VigieError("COMMAND_TIMED_OUT", begun(task.key)));
  }

  async function perhapsRun(task: Task): Promise<ActionResult> {
    try {
      await entitlement.check(task);
      entitlement.checkAge(task);
      return await runOnce(task);
    } catch (error) {
      return failure(task.request, error);
    }
  }

  function lookOf(task: Task, device: DeviceHandle | undefined): Look {
    const { runId, stepId } = task.request;
    return { ...parts.look, requestAgeMs: () => entitlement.ageMs(task), asker: { runId, stepId }, device };
  }

  async function runOnce(task: Task): Promise<ActionResult> {
    const locks = task.definition.locks(task.action.value);
    for (const lock of locks) {
      const holder = busy.get(lock);
      if (holder !== undefined) throw new VigieError("COMMAND_HUNG", `${lock} is held by ${holder}`);
    }
    for (const lock of locks) busy.set(lock, task.key);
    let device: DeviceHandle | undefined;
    let hung = false;
    try {
      const guardedAtMs = host.monotonicMs();
      const held = await task.definition.holds(task.action.value, lookOf(task, undefined));
      if (held !== false) return settle(task, { ...held, outcome: ActionOutcome.ALREADY_SO });
      device = await openDevice(task);
      const result = await guardAndRun(task, lookOf(task, device), guardedAtMs);
      hung = result.code === "COMMAND_HUNG";
      return result;
    } finally {
      // What hangs keeps what it locked, and the disk that it writes to, until the agent starts again.
      if (!hung) {
        for (const lock of locks) busy.delete(lock);
        await device?.close().catch(() => undefined);
      }
    }
  }

  async function openDevice({ definition, action }: Task): Promise<DeviceHandle | undefined> {
    if (definition.opens === undefined) return undefined;
    const name = definition.opens(action.value);
    return host.openDevice(name).catch((cause: unknown) => {
      throw new VigieError("IDENTITY_MISMATCH", `the disk ${name} cannot be opened`, { cause });
    });
  }

  async function guardAndRun(task: Task, look: Look, guardedAtMs: number): Promise<ActionResult> {
    const { definition, action, key, body, request } = task;
    const guard = await definition.guard(action.value, look);
    const judgedAtMs = host.monotonicMs();
    const refused = guardResult(guard);
    if (refused !== undefined) return settle(task, refused);

    await entitlement.check(task); // again: the guard took its time (I25, I26, I33)
    const steps = definition.steps(action.value, look.asker);
    const argv = steps.map(stepArgv);
    const begunUnixMs = host.wallUnixMs();
    journal.append(
      { kind: "intent", key, body, action: action.$case, detail: { argv, guard, epoch: request.epoch } },
      begunUnixMs,
    );
    const guardAgeMs = host.monotonicMs() - guardedAtMs;
    const restMs = host.monotonicMs() - judgedAtMs;
    if (guardAgeMs > (definition.factsMaxAgeMs ?? FACT_AGE_MAX_MS) || restMs > FACT_AGE_MAX_MS)
      return settle(task, {
        outcome: ActionOutcome.REFUSED,
        code: "TOO_LATE",
        message: `the facts were ${guardAgeMs} ms old when it came to run (I14)`,
        guard,
      });

    const ran: Ran = { commands: [], outcomes: [] };
    const { commands } = ran;
    try {
      const problem = await runSteps(steps, look, ran);
      const how =
        problem === undefined
          ? verdictResult(await definition.verify(action.value, look, ran.outcomes))
          : await afterAll(task, look, begunUnixMs, problem);
      return settle(task, { ...how, guard, commands });
    } catch (error) {
      return { ...failure(request, error), outcome: ActionOutcome.UNKNOWN, guard, commands }; // it ran
    }
  }

  /** What failed or was killed may have done its work all the same: where it leaves a trace, that is looked for. */
  async function afterAll(
    { definition, action }: Task,
    look: Look,
    sinceUnixMs: number,
    problem: Partial<ActionResult>,
  ): Promise<Partial<ActionResult>> {
    if (problem.code === "COMMAND_HUNG") return problem;
    const verdict = await definition.recover?.(action.value, look, sinceUnixMs).catch(() => undefined);
    return verdict?.done === true ? verdictResult(verdict) : problem;
  }

  function settle({ request, key, body }: Task, how: Partial<ActionResult>): ActionResult {
    const { runId, stepId, attempt } = request;
    const result = ActionResult.create({ ...how, runId, stepId, attempt });
    journal.append({ kind: "result", key, body, result }, host.wallUnixMs());
    return result;
  }
}

function begun(key: string): string {
  return `${key} was begun and has no answer; whether it took effect must be looked at`;
}
