/**
 * I22, I23, I25, I27: no key is begun twice on a node; nothing is begun, and no command run, for an epoch below one that
 * this node has seen; no command is run for what came too late; and no step is begun again that may have done its work, unless a
 * person says so.
 */
import { RunEventKind, type ActionRequest, type RunEvent } from "@vigie/proto";
import type { JournalRow } from "../../simulator/cluster.js";
import type { World } from "../../simulator/world.js";
import type { Exposure } from "../exposure.js";
import type { Watch } from "./judge.js";

const SEEN_MS = 500; // between a leader's word and a command that had been asked for before
const LATE_MS = 1_000; // of the ways of the question and of the answer
const ANSWERS: ReadonlySet<RunEventKind> = new Set([RunEventKind.RETRY_ASKED, RunEventKind.UNDO_STARTED]);

interface Begun {
  readonly epoch: number;
  readonly step: string; // "r-…/cut-link"
  readonly goodUntilMs: number;
  ran: number; // commands
}

export function watchKeys(
  world: World,
  rowsOf: (runId: string) => readonly RunEvent[],
  exposure: Exposure,
): Watch {
  const begun = new Map<string, Begun>(); // "h1.sim.example r-…/cut-link/1"
  const atWork = new Map<string, Set<string>>(); // node → its keys without a result
  const epochs = new Map<string, { epoch: number; sinceMs: number }>(); // node → the highest it has seen
  const sentAtMs = new Map<string, number>(); // key → when, and for how long it is good
  const { clock } = world;
  return {
    sent: (request) => {
      const key = keyOf(request);
      if (request.recall) exposure.count("unanswered actions recalled");
      else sentAtMs.set(key, clock.monotonicMs() + request.notAfterMs);
      return [];
    },
    journaled: (node, row) => {
      const seen = epochs.get(node)?.epoch ?? 0;
      const epoch = epochOf(row);
      if (epoch > seen) epochs.set(node, { epoch, sinceMs: clock.monotonicMs() });
      if (row.kind === "result") atWork.get(node)?.delete(`${node} ${row.key}`);
      return row.kind === "intent" ? begins(node, row, epoch, seen) : [];
    },
    runs: ({ node, argv, begunMs }) => {
      const keys = [...(atWork.get(node) ?? [])]
        .map((key) => begun.get(key))
        .filter((one) => isOf(one, argv));
      const late = cutsNothing(argv) ? [] : keys.flatMap((one) => first(one, node, argv, begunMs));
      const newest = Math.max(0, ...keys.map((one) => one?.epoch ?? 0));
      const { epoch = 0, sinceMs = 0 } = epochs.get(node) ?? {};
      const stale = keys.length > 0 && newest < epoch && begunMs - sinceMs > SEEN_MS;
      return stale
        ? [...late, `I25: ${node} ran ${argv.join(" ")} for epoch ${newest}, and had seen ${epoch}`]
        : late;
    },
  };

  /** A step may be begun late on a slow machine, and is refused then: what counts is its first command. */
  function first(one: Begun | undefined, node: string, argv: readonly string[], begunMs: number): string[] {
    if (one === undefined) return [];
    const lateMs = begunMs - one.goodUntilMs;
    one.ran += 1;
    if (one.ran > 1 || lateMs <= LATE_MS) return [];
    return [`I27: ${node} ran ${argv.join(" ")} for ${one.step} ${lateMs} ms after its time`];
  }

  function begins(node: string, row: Intent, epoch: number, seen: number): string[] {
    const key = `${node} ${row.key}`;
    const step = row.key.slice(0, row.key.lastIndexOf("/"));
    const before = [...begun.entries()].filter(([, one]) => one.step === step && one.ran > 0);
    const again = begun.has(key);
    const goodUntilMs = sentAtMs.get(row.key) ?? Number.NEGATIVE_INFINITY;
    begun.set(key, { epoch, step, goodUntilMs, ran: 0 });
    atWork.set(node, (atWork.get(node) ?? new Set()).add(key));
    if (before.length > 0) exposure.count("steps begun again");
    return [
      ...(again ? [`I23: begun twice: ${key}`] : []),
      ...(epoch < seen ? [`I25: ${key} was begun for epoch ${epoch}, and ${seen} was seen`] : []),
      ...(before.length > 0 && !isAnswered(step)
        ? [`I22: ${key} was begun though ${before[0]?.[0]} had run`]
        : []),
    ];
  }

  /** A person asked for it since, or it is on its way back. */
  function isAnswered(step: string): boolean {
    const [runId = "", stepId = ""] = step.split("/");
    return rowsOf(runId).some(
      (row) => ANSWERS.has(row.kind) && (row.stepId === stepId || row.kind === RunEventKind.UNDO_STARTED),
    );
  }
}

/** What is put into Ganeti's queue says whose step it is; of two that are at work on the master it is one's alone. */
function isOf(one: Begun | undefined, argv: readonly string[]): boolean {
  const reason = argv
    .map((word) => /^--reason=vigie:([^:]+):(.+)$/.exec(word))
    .find((found) => found !== null);
  return reason === undefined || one?.step.endsWith(`${reason[1]}/${reason[2]}`) === true;
}

/** Rules that match nothing as long as no cut is made; and what an agent that starts sweeps, which is nobody's step. */
function cutsNothing(argv: readonly string[]): boolean {
  const isRule = argv[0]?.endsWith("tables") === true && argv.some((word) => /^-[NFAIDX]$/.test(word));
  return isRule || argv.join(" ").startsWith("echo / > ");
}

type Intent = Extract<JournalRow, { kind: "intent" }>;

function epochOf(row: JournalRow): number {
  if (row.kind === "epoch") return row.epoch;
  if (row.kind !== "intent") return 0;
  const { epoch } = row.detail as { readonly epoch?: number };
  return epoch ?? 0;
}

export function keyOf({ runId, stepId, attempt }: ActionRequest): string {
  return `${runId}/${stepId}/${attempt}`;
}
