/**
 * What is kept: incidents, runs, the audit log, the events that a watcher resumes from, state changes of minors, and
 * the epoch. There is one way to write, and all of one call is on disk, or none of it, when it resolves.
 */
import type { Transition } from "../view/transitions.js";
import type { Outbox, OutboxChange } from "./outbox.js";
import type {
  AuditRecord,
  Incident,
  LogEnd,
  MaintenanceList,
  Run,
  RunEvent,
  Stop,
  WatchResponse,
} from "@vigie/proto";

export type Change =
  | { readonly record: "incident"; readonly incident: Incident }
  | { readonly record: "run"; readonly run: Run } // without its events
  | { readonly record: "run-event"; readonly runId: string; readonly event: RunEvent }
  | { readonly record: "audit"; readonly audit: NewAudit }
  | { readonly record: "archived"; readonly archive: AuditArchive } // its records leave the store
  | { readonly record: "audit-checked"; readonly checked: AuditChecked }
  | { readonly record: "watch"; readonly event: NonNullable<WatchResponse["event"]>; readonly unixMs: number }
  | { readonly record: "transition"; readonly transition: Transition }
  | { readonly record: "epoch"; readonly epoch: number }
  | { readonly record: "alive"; readonly unixMs: number } // this orchestrator leads, and is at work
  | { readonly record: "retention"; readonly unixMs: number } // what ages are counted to
  | { readonly record: "forget"; readonly kind: HistoryKind; readonly ids: readonly string[] } // what ended
  | { readonly record: "journal"; readonly node: string; readonly end: LogEnd } // an agent's, as it was told
  | { readonly record: "kill-switch"; readonly stop: Stop }
  | { readonly record: "maintenance"; readonly list: MaintenanceList }
  | OutboxChange;

export interface NewAudit {
  readonly unixMs: number;
  readonly actor: string; // a person's name, "policy", "engine"
  readonly action: string; // "run.approved"
  readonly subject: string; // a run, an incident, a node
  readonly detail: unknown; // JSON
}

/** What is kept for long, and forgotten when it ended long ago. */
export type HistoryKind = "runs" | "incidents";

/** By when it ended, and its id. */
export interface HistoryPlace {
  readonly unixMs: number;
  readonly id: string;
}

export interface Forgettable {
  readonly ids: readonly string[];
  /** Where the next portion begins; undefined: this was the last one. */
  readonly next: HistoryPlace | undefined;
}

/** One file of older audit records: text, named by its first record and its month. */
export interface AuditArchive {
  readonly name: string;
  readonly firstSequence: number;
  readonly firstUnixMs: number;
  readonly after: LogEnd; // where the archive before it ends
  readonly end: LogEnd;
  readonly bytes: number;
}

export interface AuditFault {
  readonly sequence: number; // of the first record that is not what was written, or is gone
  readonly text: string; // for people: which file or record, and what is wrong with it
  /** Where the log goes on behind what is broken; undefined: nothing behind it can be proven. */
  readonly goOnFrom: LogEnd | undefined;
}

export interface AuditPage {
  /** So far all hold. */
  readonly upTo: LogEnd;
  /** undefined: there is none in this page. */
  readonly fault: AuditFault | undefined;
}

/** How far the audit log was checked, over restarts. */
export interface AuditChecked {
  readonly upTo: LogEnd;
  readonly wholeUnixMs: number; // when all of it was gone through last; 0: never
}

export interface Store {
  /**
   * @returns the watch events of this call, with the cursors that they got
   * @throws VigieError JOURNAL_BROKEN; nothing may be changed in the cluster after it (I24)
   * @throws VigieError UNAVAILABLE where another process has it locked: nothing was written, and it may be tried again
   */
  readonly commit: (changes: readonly Change[]) => Promise<readonly WatchResponse[]>;
  /** What was asked for and cannot be decoded, and is left out of the answers: "run r-1", "incident i-1". */
  readonly unreadable: () => readonly string[];
  readonly epoch: () => Promise<number>;
  /** The wall clock of the last sign of life, ms since 1970; 0: there is none. */
  readonly aliveUnixMs: () => Promise<number>;
  readonly killSwitch: () => Promise<Stop>; // number 0: it was never set
  readonly maintenance: () => Promise<MaintenanceList>; // number 0: there never was any, or it cannot be read
  /** Those whose id is this one or a later one, newest first, without their events. */
  readonly runsFrom: (id: string) => Promise<Run[]>;
  /** Newest first. @param limit at most so many; Infinity: all */
  readonly incidents: (includeClosed: boolean, limit: number) => Promise<Incident[]>;
  readonly incidentsById: (beginning: string) => Promise<Incident[]>;
  /** Newest first, without events. @param limit at most so many; Infinity: all */
  readonly runs: (openOnly: boolean, limit: number) => Promise<Run[]>;
  readonly runsById: (beginning: string) => Promise<Run[]>; // with events
  readonly transitions: (node: string, minor: number, limit: number) => Promise<Transition[]>; // newest first
  readonly watchAfter: (cursor: number, limit: number) => Promise<WatchResponse[]>;
  readonly lastCursor: () => Promise<number>;
  /** Oldest first, archived ones too. @throws VigieError SOURCE_FAILED where their archive is missing or damaged */
  readonly audit: (after: number, limit: number) => Promise<AuditRecord[]>;
  /** @returns the sequence of the last record of before then; 0: there is none. @throws VigieError SOURCE_FAILED */
  readonly auditBefore: (unixMs: number) => Promise<number>;
  readonly auditEnd: () => Promise<LogEnd>;
  /** @returns undefined where there is no such record. @throws VigieError SOURCE_FAILED */
  readonly auditHash: (sequence: number) => Promise<string | undefined>;
  /** Where the agents' journals ended, by node. */
  readonly journals: () => Promise<ReadonlyMap<string, LogEnd>>;
  /** What is to be told and was not delivered. @param composedAfterUnixMs of which messages the times are wanted */
  readonly outbox: (composedAfterUnixMs: number) => Promise<Outbox>;
  /** Records after `from`, which was checked before, archived ones too. @param limit at most so many */
  readonly checkAudit: (from: LogEnd, limit: number) => Promise<AuditPage>;
  readonly auditChecked: () => Promise<AuditChecked>;
  readonly archiveFolder: () => string; // empty: a store in memory, without archives
  /** Oldest first. */
  readonly archives: () => Promise<readonly AuditArchive[]>;
  /** What is wrong with the archives by their sizes alone: which is missing, which is cut. */
  readonly archiveFaults: () => Promise<readonly string[]>;
  /**
   * Writes the oldest records of before then to their archive, where they are on disk twice until the changes that are
   * returned are committed.
   * @param unixMs now, for the audit log
   * @returns empty: there are none
   * @throws VigieError JOURNAL_BROKEN where they are not what was written, CONFLICT, SOURCE_FAILED
   */
  readonly archive: (beforeUnixMs: number, limit: number, unixMs: number) => Promise<readonly Change[]>;
  /**
   * Of the next so many that ended before then, those that nothing needs: no incident that stands, no open run, no
   * message that is yet to be sent. What cannot be read is left for a person.
   */
  readonly forgettable: (
    kind: HistoryKind,
    beforeUnixMs: number,
    after: HistoryPlace,
    limit: number,
  ) => Promise<Forgettable>;
  /**
   * Forgets state changes, watch events and delivered messages of before then, and the logs of forgotten runs.
   * @param limit at most so many rows
   * @returns how many it were; fewer than the limit: there is no more
   */
  readonly prune: (beforeUnixMs: number, limit: number) => Promise<number>;
  /** The newest "retention"; 0: there is none. */
  readonly retentionUnixMs: () => Promise<number>;
  readonly close: () => void;
}
