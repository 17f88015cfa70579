/**
 * Who watches: every invariant is told what is sent, run and written, and looks at the world all the while. It judges by
 * the world itself, never by what an agent or the orchestrator says of it.
 */
import type { ActionRequest } from "@vigie/proto";
import type { JournalRow } from "../../simulator/cluster.js";
import type { Ran } from "../../simulator/world.js";

/** Each returns what it saw that must never be, beginning with the invariant's number. */
export interface Watch {
  readonly look?: () => readonly string[];
  /** An orchestrator on this node sends it now. */
  readonly sent?: (request: ActionRequest, from: string) => readonly string[];
  /** Before it has its effect. */
  readonly runs?: (ran: Ran) => readonly string[];
  /** An agent has it on disk. */
  readonly journaled?: (node: string, row: JournalRow) => readonly string[];
  /** A person was told that it is so. */
  readonly confirmed?: (what: Confirmed) => void;
  /** The storm is over, and everything had its time. */
  readonly ended?: () => Promise<readonly string[]>;
}

export type Confirmed =
  | { readonly what: "stopped" | "released"; readonly runId: "" }
  | { readonly what: "paused" | "resumed" | "ended"; readonly runId: string };

export interface Judge extends Required<Watch> {
  readonly broken: ReadonlySet<string>;
  /** Anything else that must never be. */
  readonly found: (line: string) => void;
}

export function createJudge(watches: readonly Watch[], tell: (line: string) => void): Judge {
  const broken = new Set<string>();
  const judge: Judge = {
    broken,
    found: (line) => void note([line]),
    look: () => note(watches.flatMap((watch) => watch.look?.() ?? [])),
    sent: (request, from) => note(watches.flatMap((watch) => watch.sent?.(request, from) ?? [])),
    runs: (ran) => note(watches.flatMap((watch) => watch.runs?.(ran) ?? [])),
    journaled: (node, row) => note(watches.flatMap((watch) => watch.journaled?.(node, row) ?? [])),
    confirmed: (what) => {
      for (const watch of watches) watch.confirmed?.(what);
    },
    ended: async () => {
      for (const watch of watches) note((await watch.ended?.()) ?? []);
      return [...broken];
    },
  };
  return judge;

  function note(lines: readonly string[]): readonly string[] {
    for (const line of lines) {
      if (broken.has(line)) continue;
      broken.add(line);
      tell(`BROKEN ${line}`);
    }
    return lines;
  }
}
