/**
 * The agent's side of the one stream: it dials the node that its own ssconf names as master, reports what changed,
 * and performs what it is asked. It dials again, with jitter, whatever ends the session; a master that moved ends
 * it too, so the agent follows a failover by itself.
 */
import {
  explain,
  Source,
  VigieError,
  type ActionRequest,
  type Clock,
  type HungCommand,
  type LogEnd,
  type MaintenanceList,
  type ObserveNow,
  type Report,
  type SessionRequest,
  type SessionResponse,
  type Stop,
} from "@vigie/proto";
import { rememberEpoch } from "./epoch.js";
import { rememberMaintenance } from "./maintenance.js";
import { rememberStop } from "./stop.js";
import type { Journal } from "./journal.js";
import { forgetSent, nothingSent, type Observer, type SentState } from "./observe.js";
import type { Performer } from "./perform.js";

export const PROTOCOL_VERSION = 2; // 2: replace-disks names its disks, and requests may be recalls
const FULL_REPORT_EVERY_MS = 60_000;
const SILENCE_LIMIT_MS = 15_000; // the orchestrator acknowledges every report: less is a dead session
const SEQUENCES_KEPT = 64;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 10_000;

/** One established stream. */
export interface SessionLink {
  /** False: the queue is full, and what is not essential should wait for the next time. */
  readonly send: (message: SessionRequest) => boolean;
  readonly messages: AsyncIterable<SessionResponse>;
  readonly close: () => void;
}

export type Dial = (node: string) => Promise<SessionLink>;

export interface SessionParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly dial: Dial;
  readonly nodeName: string;
  readonly bootId: string;
  readonly version: string;
  readonly masterNode: () => Promise<string>;
  readonly readOnlyReason: () => Promise<string>;
  readonly observer: Observer;
  readonly performer: Pick<Performer, "perform">;
  readonly journal: Journal;
  readonly hung: () => HungCommand[];
  readonly log: (event: string, detail: Record<string, unknown>) => void;
}

/** Keeps a session up until `signal` aborts. */
export async function keepSession(parts: SessionParts, signal: AbortSignal): Promise<void> {
  let failures = 0;
  const auditEnds: AuditEnds = new Map();
  let lastMaster = "";
  while (!signal.aborted) {
    const startedMs = parts.clock.monotonicMs();
    try {
      const master = (await ownMaster(parts)) || lastMaster;
      if (master === "") throw new VigieError("SOURCE_FAILED", "the master is not known: its file hangs");
      lastMaster = master;
      const link = await parts.dial(master);
      parts.log("session.open", { orchestrator: master });
      await runSession(parts, link, master, auditEnds, signal);
      parts.log("session.closed", { orchestrator: master });
    } catch (error) {
      parts.log("session.failed", { reason: explain(error) });
    }
    failures = parts.clock.monotonicMs() - startedMs > BACKOFF_MAX_MS ? 0 : failures + 1;
    await parts.clock.sleep(backoffMs(failures, parts.random()), signal);
  }
}

/**
 * This node's own word (I26). Empty where its file cannot be read because a read hangs, on a system disk that died: then
 * the node votes for nobody and does nothing, but what it sees of DRBD is told all the same (I37).
 */
async function ownMaster({ masterNode }: SessionParts): Promise<string> {
  try {
    return await masterNode();
  } catch (error) {
    if (hangs(error)) return "";
    throw error;
  }
}

function hangs(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error instanceof VigieError && error.code === "COMMAND_HUNG") || hangs(error.cause);
}

/** 0.5 s, 0.8 s, … 10 s, each between half and all of itself, so that a dozen agents do not come as one. */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 1.6 ** failures);
  return full * (0.5 + random / 2);
}

/** Where the audit log of the orchestrator on each master's node was last said to end (I39). */
type AuditEnds = Map<string, LogEnd>;

async function runSession(
  parts: SessionParts,
  link: SessionLink,
  master: string,
  auditEnds: AuditEnds,
  signal: AbortSignal,
): Promise<void> {
  const { clock, observer } = parts;
  const sentAtMs = new Map<number, number>();
  let sent: SentState = nothingSent();
  let sequence = 0;
  let fullAtMs = Number.NEGATIVE_INFINITY;
  let heardMs = clock.monotonicMs();
  let reporting = false;

  link.send({ body: { $case: "hello", value: await hello(parts) } });
  observer.onTick = () => void report();
  const stop = (): void => link.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    void report();
    for await (const message of link.messages) {
      heardMs = clock.monotonicMs();
      receive(message);
    }
  } finally {
    observer.onTick = () => undefined;
    signal.removeEventListener("abort", stop);
    link.close();
  }

  async function report(): Promise<void> {
    if (reporting) return;
    reporting = true;
    try {
      const masterNode = await ownMaster(parts);
      if (masterNode !== "" && masterNode !== master) return endSession(`the master moved to ${masterNode}`);
      if (clock.monotonicMs() - heardMs > SILENCE_LIMIT_MS) return endSession("nothing was heard");
      const full = clock.monotonicMs() - fullAtMs >= FULL_REPORT_EVERY_MS;
      if (full) sent = nothingSent();
      const { sources, unchanged } = observer.changes(sent);
      const readOnlyReason = await parts.readOnlyReason();
      const value: Report = {
        sequence: nextSequence(),
        full,
        sources,
        unchanged,
        monotonicMs: clock.monotonicMs(),
        wallUnixMs: clock.wallUnixMs(),
        journalHead: parts.journal.head(),
        journalRecords: parts.journal.records(),
        auditSeen: auditEnds.get(master),
        stopNumber: parts.journal.stop().number,
        maintenanceNumber: parts.journal.maintenance().number,
        masterNode,
        readOnly: readOnlyReason !== "",
        readOnlyReason,
        hung: parts.hung(),
        still: observer.stillness(),
        highestEpoch: parts.journal.highestEpoch(),
      };
      if (full) fullAtMs = clock.monotonicMs();
      if (!link.send({ body: { $case: "report", value } })) fullAtMs = Number.NEGATIVE_INFINITY; // dropped: send all next time
    } catch (error) {
      endSession(explain(error));
    } finally {
      reporting = false;
    }
  }

  function receive({ body }: SessionResponse): void {
    switch (body?.$case) {
      case "actionRequest":
        return void act(body.value);
      case "observeNow":
        return void observe(body.value);
      case "lead":
        return follow(body.value.epoch);
      case "stop":
        return obey(body.value);
      case "maintenance":
        return keepMaintenance(body.value);
      case "refusal":
        return endSession(`${body.value.code}: ${body.value.message}`);
      case "ack":
        if (body.value.audit !== undefined) auditEnds.set(master, body.value.audit);
        return;
      case "welcome":
      case "heartbeat":
      case undefined:
        return;
    }
  }

  async function act(request: ActionRequest): Promise<void> {
    parts.log("action.asked", {
      run: request.runId,
      step: request.stepId,
      action: request.action?.kind?.$case,
    });
    const value = await parts.performer.perform(request, {
      orchestratorNode: master,
      sentAtMs: (asked) => sentAtMs.get(asked),
    });
    parts.log("action.ended", {
      run: value.runId,
      step: value.stepId,
      outcome: value.outcome,
      message: value.message,
    });
    link.send({ body: { $case: "actionResult", value } });
    await observer.readNow(Source.LINK_CUTS);
    void report();
  }

  async function observe({ requestId, source, minor, jobId }: ObserveNow): Promise<void> {
    const report = await observer.readNow(source, { minor, jobId });
    const value = {
      requestId,
      report,
      sequence: nextSequence(),
      still: observer.stillness(),
      redundant: source === Source.PROC_DRBD ? observer.redundancy() : [],
    };
    forgetSent(sent, source); // the next report tells it whole
    link.send({ body: { $case: "observed", value } });
  }

  /** On disk first: from then on every lower epoch is refused, whoever sends it (I25). */
  function follow(epoch: number): void {
    try {
      rememberEpoch(parts.journal, epoch, clock.wallUnixMs());
    } catch (error) {
      parts.log("epoch.refused", { alarm: true, orchestrator: master, epoch, reason: explain(error) });
      // A full disk makes this agent read-only; the session goes on, for it is how anybody learns of that (I24).
      if (parts.journal.broken() === "") return endSession(explain(error));
    }
    void report();
  }

  /** From the next command on, also of an action that is at work (I33). */
  function obey(stop: Stop): void {
    try {
      rememberStop(parts.journal, stop, clock.wallUnixMs());
    } catch (error) {
      parts.log("stop.refused", { alarm: true, orchestrator: master, ...stop, reason: explain(error) });
    }
    void report(); // whoever set it waits for this
  }

  /** Nothing here depends on it: it is kept for the orchestrator of the next master. */
  function keepMaintenance(list: MaintenanceList): void {
    try {
      rememberMaintenance(parts.journal, list, clock.wallUnixMs());
    } catch (error) {
      parts.log("maintenance.refused", { orchestrator: master, number: list.number, reason: explain(error) });
    }
    void report(); // whoever set it waits for this
  }

  function nextSequence(): number {
    sequence += 1;
    sentAtMs.set(sequence, clock.monotonicMs());
    sentAtMs.delete(sequence - SEQUENCES_KEPT);
    return sequence;
  }

  function endSession(reason: string): void {
    parts.log("session.ending", { orchestrator: master, reason });
    link.close();
  }
}

async function hello(parts: SessionParts) {
  const readOnlyReason = await parts.readOnlyReason();
  return {
    protocolVersion: PROTOCOL_VERSION,
    node: parts.nodeName,
    bootId: parts.bootId,
    agentVersion: parts.version,
    highestEpoch: parts.journal.highestEpoch(),
    journalHead: parts.journal.head(),
    masterNode: await ownMaster(parts),
    readOnly: readOnlyReason !== "",
    readOnlyReason,
    stop: parts.journal.stop(),
    maintenance: parts.journal.maintenance(),
  };
}
