/**
 * Who watches: every invariant is told what is sent, run and written, and looks at the world all the while. It judges by
 * the world itself, never by what an agent or the orchestrator says of it.
 */
import type { ActionRequest, RunEvent } from "@vigie/proto";
import type { JournalRow } from "../../simulator/cluster.js";
import type { DiskModel, DrbdEndModel } from "../../simulator/drbd-model.js";
import type { JobModel } from "../../simulator/ganeti-model.js";
import type { NodeModel } from "../../simulator/node-model.js";
import type { Ran } from "../../simulator/world.js";

type Found = readonly string[];

/** Each returns what it saw that must never be, beginning with the invariant's number. */
export interface Watch {
  readonly look?: () => Found;
  /** An orchestrator on this node sends it now. */
  readonly sent?: (request: ActionRequest, from: string) => Found;
  /** Before it has its effect. */
  readonly runs?: (ran: Ran) => Found;
  /** An agent has it on disk. */
  readonly journaled?: (node: string, row: JournalRow) => Found;
  /** A job gives this copy up. */
  readonly dropped?: (disk: DiskModel, end: DrbdEndModel, reasons: readonly string[]) => Found;
  /** A job starts this guest there, or brings it there. */
  readonly placed?: (instance: string, node: string, reasons: readonly string[]) => Found;
  /** A job sets this node offline, or online, for Ganeti. @param reasons the job's; empty: a person's */
  readonly flagged?: (node: NodeModel, offline: boolean, reasons: readonly string[]) => Found;
  /** It is in Ganeti's queue from now on. */
  readonly queued?: (job: JobModel) => Found;
  /** It is on disk, of any run. */
  readonly row?: (runId: string, row: RunEvent) => void;
  /** A person has this run's plan. */
  readonly planned?: (runId: string) => void;
  readonly over?: (runId: string) => void;
  /** A person was told that it is so. */
  readonly confirmed?: (what: Confirmed) => void;
  /** The storm is over, and everything had its time. */
  readonly ended?: () => Promise<Found>;
}

export interface Confirmed {
  readonly what: "stopped" | "released" | "paused" | "resumed" | "aborted" | "ended";
  readonly runId: string; // empty: of all
}

export interface Judge extends Required<Watch> {
  readonly broken: ReadonlySet<string>;
  /** Anything else that must never be. */
  readonly found: (line: string) => void;
}

export function createJudge(watches: readonly Watch[], tell: (line: string) => void): Judge {
  const broken = new Set<string>();
  return {
    broken,
    found: (line) => void note([line]),
    look: () => note(watches.flatMap((watch) => watch.look?.() ?? [])),
    sent: (request, from) => note(watches.flatMap((watch) => watch.sent?.(request, from) ?? [])),
    runs: (ran) => note(watches.flatMap((watch) => watch.runs?.(ran) ?? [])),
    journaled: (node, row) => note(watches.flatMap((watch) => watch.journaled?.(node, row) ?? [])),
    dropped: (disk, end, reasons) =>
      note(watches.flatMap((watch) => watch.dropped?.(disk, end, reasons) ?? [])),
    placed: (instance, node, reasons) =>
      note(watches.flatMap((watch) => watch.placed?.(instance, node, reasons) ?? [])),
    flagged: (node, offline, reasons) =>
      note(watches.flatMap((watch) => watch.flagged?.(node, offline, reasons) ?? [])),
    queued: (job) => note(watches.flatMap((watch) => watch.queued?.(job) ?? [])),
    row: (runId, row) => {
      for (const watch of watches) watch.row?.(runId, row);
    },
    planned: (runId) => {
      for (const watch of watches) watch.planned?.(runId);
    },
    over: (runId) => {
      for (const watch of watches) watch.over?.(runId);
    },
    confirmed: (what) => {
      for (const watch of watches) watch.confirmed?.(what);
    },
    ended: async () => {
      for (const watch of watches) note((await watch.ended?.()) ?? []);
      return [...broken];
    },
  };

  function note(lines: Found): Found {
    for (const line of lines) {
      if (broken.has(line)) continue;
      broken.add(line);
      tell(`BROKEN ${line}`);
    }
    return lines;
  }
}
