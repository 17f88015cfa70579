/**
 * How every action is performed: is the caller entitled and in time → was this asked before → is what it touches
 * free → guard → intent on disk → its commands, each after a last look (run-action.ts) → look at what became of it →
 * result on disk. The order is the safety: nothing is run that is not in the journal, and nothing is in the journal
 * twice (I14, I22, I23, I25, I27, I33).
 */
import { ActionOutcome, ActionResult, VigieError, type ActionRequest } from "@vigie/proto";
import { failure, guardResult, verdictResult } from "./action-results.js";
import type { AlreadySo, Look } from "./actions/action.js";
import { actionCommands } from "./actions/commands.js";
import { createEntitlement, type EntitlementParts } from "./entitlement.js";
import type { CommandOutcome, DeviceHandle, Host } from "./host.js";
import type { Journal, KeyState } from "./journal.js";
import { isPrepared, judge, runAction } from "./run-action.js";
import type { Ran } from "./run-steps.js";
import { taskOf, type Caller, type Task } from "./task.js";

export interface PerformerParts extends EntitlementParts {
  readonly host: Host;
  readonly journal: Journal;
  readonly look: Omit<Look, "requestAgeMs" | "asker" | "device" | "prepared">;
}

export interface Performer {
  /** Never rejects: what went wrong is the result. */
  readonly perform: (request: ActionRequest, caller: Caller) => Promise<ActionResult>;
  /** Does this while no action is at work on the firewall, and lets none begin meanwhile; not at all where one is. */
  readonly onFirewall: (work: () => Promise<void>) => Promise<void>;
}

const NEVER = new Promise<void>(() => undefined);

export function createPerformer(parts: PerformerParts): Performer {
  const { host, journal } = parts;
  const entitlement = createEntitlement(parts);
  const busy = new Map<string, string>(); // what is locked → the key of the action that holds it
  const atWork = new Map<string, { readonly body: string; readonly answer: Promise<ActionResult> }>(); // by key

  let actionsOnFirewall = 0;
  let tidying: Promise<void> = Promise.resolve();

  return { perform, onFirewall };

  async function onFirewall(work: () => Promise<void>): Promise<void> {
    if (actionsOnFirewall > 0) return;
    tidying = work().catch(() => undefined); // it is tried again
    await tidying;
  }

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
      const work = known.state === "new" ? begin(task) : perhapsRecover(task, known);
      const answer = work.finally(() => atWork.delete(key));
      atWork.set(key, { body, answer });
      return await answer;
    } catch (error) {
      return failure(request, error);
    }
  }

  function begin(task: Task): Promise<ActionResult> {
    return task.request.recall ? neverBegun(task) : perhapsRun(task);
  }

  /** Asked what became of a key that was never begun here: from now on it never will be, however late it comes (I22). */
  async function neverBegun(task: Task): Promise<ActionResult> {
    if (!journal.whole())
      throw new VigieError(
        "COMMAND_TIMED_OUT",
        `whether ${task.key} was begun is not known: ${journal.broken()}`,
      );
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
    const usesFirewall = task.definition.usesFirewall === true;
    if (usesFirewall) actionsOnFirewall += 1; // from before it waits: no other tidying begins
    try {
      if (usesFirewall) await tidying;
      await entitlement.check(task);
      entitlement.checkAge(task);
      return await runOnce(task);
    } catch (error) {
      return failure(task.request, error);
    } finally {
      if (usesFirewall) actionsOnFirewall -= 1;
    }
  }

  function lookOf(task: Task, device: DeviceHandle | undefined): Look {
    const { runId, stepId } = task.request;
    const requestAgeMs = (): number => entitlement.ageMs(task);
    return { ...parts.look, requestAgeMs, asker: { runId, stepId }, device, prepared: false };
  }

  async function runOnce(task: Task): Promise<ActionResult> {
    const locks = task.definition.locks(task.action.value);
    for (const lock of locks) {
      const holder = busy.get(lock);
      if (holder !== undefined) throw new VigieError("COMMAND_HUNG", `${lock} is held by ${holder}`);
    }
    for (const lock of locks) busy.set(lock, task.key);
    let device: DeviceHandle | undefined;
    const ran: Ran = { commands: [], outcomes: [] };
    try {
      const held = await task.definition.holds(task.action.value, lookOf(task, undefined));
      if (held !== false) return settle(task, await alreadySo(task, held));
      device = await openDevice(task);
      return await guardAndRun(task, lookOf(task, device), ran);
    } finally {
      const hanging = ran.outcomes.filter(({ end }) => end === "hung");
      if (hanging.length === 0) await release(locks, device);
      else void releaseAfter(hanging, locks, device);
    }
  }

  /** What hangs keeps what it locked, and the disk that it writes to, until it ends (I37). */
  async function releaseAfter(
    hanging: readonly CommandOutcome[],
    locks: readonly string[],
    device: DeviceHandle | undefined,
  ): Promise<void> {
    for (const { ended } of hanging) await (ended ?? NEVER);
    await release(locks, device);
  }

  async function release(locks: readonly string[], device: DeviceHandle | undefined): Promise<void> {
    for (const lock of locks) busy.delete(lock);
    await device?.close().catch(() => undefined);
  }

  /** It is as asked for: but is it that of which it was asked (I12, I13)? */
  async function alreadySo(task: Task, held: AlreadySo): Promise<Partial<ActionResult>> {
    const guard = await task.definition.identity(task.action.value, lookOf(task, undefined));
    return guardResult(guard) ?? { ...held, guard, outcome: ActionOutcome.ALREADY_SO };
  }

  async function openDevice({ definition, action }: Task): Promise<DeviceHandle | undefined> {
    if (definition.opens === undefined) return undefined;
    const name = definition.opens(action.value);
    return host.openDevice(name).catch((cause: unknown) => {
      throw new VigieError("IDENTITY_MISMATCH", `the disk ${name} cannot be opened`, { cause });
    });
  }

  async function guardAndRun(task: Task, unprepared: Look, ran: Ran): Promise<ActionResult> {
    const { definition, action, key, body, request } = task;
    const params = action.value;
    const look = { ...unprepared, prepared: await isPrepared(definition, params, unprepared) };
    const first = await judge({ definition, params, look });
    const refused = guardResult(first.facts);
    if (refused !== undefined) return settle(task, refused);

    await entitlement.check(task); // again: the guard took its time (I25, I26, I33)
    const argv = commandsOf(task);
    const begunUnixMs = host.wallUnixMs();
    const detail = { argv, guard: first.facts, epoch: request.epoch };
    journal.append({ kind: "intent", key, body, action: action.$case, detail }, begunUnixMs);

    const { commands } = ran;
    let guard = first.facts;
    try {
      const mayRun = (): Promise<void> => entitlement.check(task);
      const inTime = (): void => entitlement.checkAge(task);
      const { problem, facts } = await runAction({ definition, params, look, mayRun, inTime }, first, ran);
      guard = facts;
      const how =
        problem === undefined
          ? verdictResult(await definition.verify(params, look, ran.outcomes))
          : await afterAll(task, look, begunUnixMs, problem);
      return settle(task, { guard, ...how, commands });
    } catch (error) {
      return { ...failure(request, error), outcome: ActionOutcome.UNKNOWN, guard, commands }; // it ran
    }
  }

  function commandsOf({ action, request }: Task): string[][] {
    const { runId, stepId } = request;
    return actionCommands(action, { runId, stepId });
  }

  /** What failed or was killed may have done its work all the same: where it leaves a trace, that is looked for. */
  async function afterAll(
    { definition, action }: Task,
    look: Look,
    sinceUnixMs: number,
    problem: Partial<ActionResult>,
  ): Promise<Partial<ActionResult>> {
    if (problem.code === "COMMAND_HUNG" || problem.outcome === ActionOutcome.REFUSED) return problem;
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
