/**
 * May this caller have this done here, now? It is about this node (I16), by the leader that this node's own word names
 * and whose epoch is not over (I25, I26), nothing here forbids it (I24, I33), and it did not wait too long (I27).
 */
import { VigieError } from "@vigie/proto";
import { MASTER } from "./actions/action.js";
import { rememberEpoch } from "./epoch.js";
import type { Host } from "./host.js";
import type { Journal } from "./journal.js";
import type { Task } from "./task.js";

export interface EntitlementParts {
  readonly host: Pick<Host, "monotonicMs" | "wallUnixMs">;
  readonly journal: Pick<Journal, "highestEpoch" | "stop" | "append">;
  readonly nodeName: string;
  /** Why nothing may be changed now: the kill switch, a broken journal. Empty: it may. */
  readonly readOnlyReason: () => Promise<string>;
  /** This node's own word, read now (I26). */
  readonly masterNode: () => Promise<string>;
}

export interface Entitlement {
  /**
   * Asked before every command. The caller's epoch is remembered, so from its first command on no earlier one counts.
   * @throws VigieError IDENTITY_MISMATCH, STALE_EPOCH, READ_ONLY, JOURNAL_BROKEN
   */
  readonly check: (task: Task) => Promise<void>;
  /** @throws VigieError TOO_LATE */
  readonly checkAge: (task: Task) => void;
  /** Upper bound of the ms since the orchestrator sent it. */
  readonly ageMs: (task: Task) => number;
}

export function createEntitlement({ host, journal, nodeName, ...parts }: EntitlementParts): Entitlement {
  return { check, checkAge, ageMs };

  async function check({ request, caller, definition, action }: Task): Promise<void> {
    const about = definition.about(action.value);
    checkNode(request.node, about);
    const master = await parts.masterNode();
    if (master !== caller.orchestratorNode)
      throw new VigieError(
        "STALE_EPOCH",
        `${caller.orchestratorNode} is not the master: this node's ssconf says ${master}`,
      );
    if (about === MASTER && master !== nodeName)
      throw new VigieError(
        "IDENTITY_MISMATCH",
        `this is ${nodeName}, and its ssconf names ${master} as the master`,
      );
    const readOnly = await parts.readOnlyReason();
    if (readOnly !== "") throw new VigieError("READ_ONLY", readOnly);
    const { why } = journal.stop();
    if (why !== "" && definition.takesBack !== true)
      throw new VigieError("READ_ONLY", `everything is stopped: ${why} (I33)`);
    rememberEpoch(journal, request.epoch, host.wallUnixMs()); // last: nothing is waited for behind it
  }

  function checkNode(asked: string, about: string | typeof MASTER): void {
    if (asked !== nodeName) throw new VigieError("IDENTITY_MISMATCH", `this is ${nodeName}, not ${asked}`);
    if (about !== MASTER && about !== nodeName)
      throw new VigieError("IDENTITY_MISMATCH", `this is ${nodeName}, and what it is about is of ${about}`);
  }

  function checkAge(task: Task): void {
    const { notAfterMs } = task.request;
    if (ageMs(task) > notAfterMs)
      throw new VigieError(
        "TOO_LATE",
        `the request is up to ${ageMs(task)} ms old, and was good for ${notAfterMs} ms`,
      );
  }

  function ageMs({ request, caller }: Task): number {
    const sentAtMs = caller.sentAtMs(request.answersSequence);
    return sentAtMs === undefined ? Number.MAX_SAFE_INTEGER : host.monotonicMs() - sentAtMs;
  }
}
