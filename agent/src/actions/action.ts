/**
 * What an action is. Its file says which node it is about, who is locked, what is looked at before, what is run, and
 * what must be seen after; perform.ts does it, the same way for all. Adding one is its file, its test and its line in
 * index.ts.
 */
import type { Action, DrbdConfig, DrbdMinor, GuardFact, LinkCut, Source, SourceReport } from "@vigie/proto";
import type { Command, CommandOutcome, DeviceHandle, Host } from "../host.js";
import type { Asked } from "../sources/source.js";

export type RequestedAction = NonNullable<Action["kind"]>;
export type ParamsOf<C extends RequestedAction["$case"]> = Extract<RequestedAction, { $case: C }>["value"];

/** For ActionDefinition.about: whichever node the master is now. */
export const MASTER = Symbol("the master");

/** Which step of which run asks. */
export interface Asker {
  readonly runId: string;
  readonly stepId: string;
}

/** What a guard may look at. Each call reads the world now, but for `recent`. */
export interface Look {
  readonly host: Host;
  readonly nodeName: string;
  readonly bootId: string;
  readonly asker: Asker;
  /** The disk of ActionDefinition.opens, held since before anything was looked at (I14). */
  readonly device: DeviceHandle | undefined;
  /** A reading of this source that began after the call. */
  readonly read: (source: Source, asked?: Asked) => Promise<SourceReport>;
  /** The newest reading, where it is not older than that; else one that began after the call. */
  readonly recent: (source: Source, maxAgeMs: number) => Promise<SourceReport>;
  /** This minor in /proc/drbd, and how long it has stood so; `unknown` says why there is no answer (I11). */
  readonly drbdMinor: (minor: number) => Promise<MinorSeen>;
  /** The last reading of this boot that did not fail; it may be of long ago. */
  readonly lastGood: (source: Source) => SourceReport | undefined;
  /** undefined: it is not configured; "unknown": nobody can say now (I11). */
  readonly drbdConfig: (minor: number) => Promise<DrbdConfig | "unknown" | undefined>;
  /** The cuts of ours that stand; with `unknown`, there may be others (I11). */
  readonly cuts: () => Promise<CutsSeen>;
  /** Upper bound of the time since the orchestrator sent this request. */
  readonly requestAgeMs: () => number;
  /** What ActionDefinition.prepare makes is there: the guard looks at that too. */
  readonly prepared: boolean;
}

export interface MinorSeen {
  readonly minor: DrbdMinor | undefined;
  readonly unknown: string; // empty when minor is set
  readonly readAtMs: number; // monotonic
  readonly stillMs: number | undefined;
  readonly redundantMs: number; // since when the mirror is whole (I10); 0: it is not
}

export interface CutsSeen {
  readonly cuts: readonly LinkCut[];
  readonly unknown: string; // why they are not all known; empty: they are
}

export interface ActionDefinition<P> {
  readonly name: RequestedAction["$case"];
  /** Ganeti's name of the node whose world it changes; another node's agent refuses it (I16). */
  readonly about: (params: P) => string | typeof MASTER;
  /**
   * Every value that may reach an argv is of its type (I36).
   * @throws VigieError INVALID_ARGUMENT naming the value
   */
  readonly check: (params: P) => void;
  /** What must be the same when a key comes again (I23): all but what is taken anew each time. Not given: all. */
  readonly identityOf?: (params: P) => unknown;
  /** What no other action may touch meanwhile; a hung command keeps it (I9, I37). */
  readonly locks: (params: P) => readonly string[];
  /** It makes or removes rules of ours: nothing is tidied meanwhile. */
  readonly usesFirewall?: true;
  /** It only takes a cut or the watcher's pause back: the cluster's kill switch does not hold it (I33). */
  readonly takesBack?: true;
  /** BlockDevice.name of the disk that it writes to, opened before anything is looked at (I14). */
  readonly opens?: (params: P) => string;
  /**
   * How old what the guard saw first may be when it comes to run, where reading takes long and what it reads does not
   * change by itself. What moves is read last, and its own age (ageFact) is never more than two seconds (I14).
   */
  readonly factsMaxAgeMs?: number;
  /** Asked again before every command of `steps`. */
  readonly guard: (params: P, look: Look) => Promise<GuardFact[]>;
  /** The world is already as the action leaves it: nothing will be run, if `identity` holds too. */
  readonly holds: (params: P, look: Look) => Promise<AlreadySo | false>;
  /** What `holds` saw is of the very thing that the request names, and not of another in its place (I12, I13). */
  readonly identity: (params: P, look: Look) => Promise<GuardFact[]>;
  /** What must be there before the action, changes nothing that counts, and may take its time. */
  readonly prepare?: {
    /** Not given: its steps say so themselves. */
    readonly needed?: (params: P, look: Look) => Promise<boolean>;
    readonly steps: (params: P, asker: Asker) => readonly ActionStep[];
    /** Others can see what it did: an action that ends after it has failed, and was not merely refused. */
    readonly isSeen: boolean;
  };
  /** What acts, in this order; the first that fails ends it. */
  readonly steps: (params: P, asker: Asker) => readonly ActionStep[];
  /** Looks at the world after the commands. Exit codes are not believed (F5). */
  readonly verify: (params: P, look: Look, ran: readonly CommandOutcome[]) => Promise<Verdict>;
  /**
   * For what leaves a trace that names the step: was it done, though no answer is known of the command? Asked after
   * one that failed or was killed, and for a key whose answer a crash took (I22, I30).
   *
   * @param sinceUnixMs wall clock of this node when its intent was written
   * @returns undefined: nothing says that it was
   */
  readonly recover?: (params: P, look: Look, sinceUnixMs: number) => Promise<Verdict | undefined>;
}

/** Only where `needed` says so, by a look of its own; else it is passed over. */
export type ActionStep = (CommandStep | WriteStep) & {
  readonly needed?: (look: Look) => Promise<boolean>;
  /**
   * It helps the step before it, on whose last look it is run too, and the action is whole without it: how it ends is
   * kept, and ends nothing.
   */
  readonly optional?: boolean;
};

export interface CommandStep {
  readonly run: Command;
  /** Run first, and its success makes the step needless. */
  readonly unless?: Command;
  /** Run first, and its success alone makes the step needed. */
  readonly onlyIf?: Command;
  /** It goes on to begin new things by itself, for as long as it runs. */
  readonly actsByItself?: boolean;
}

/** A write into a file of the kernel's. */
export interface WriteStep {
  readonly write: {
    /** Of a disk in sysfs, through the handle that was opened before the guard looked (I14); else `path` is written. */
    readonly attribute?: "state" | "delete";
    readonly text: string;
  };
  readonly path: string; // of that file
}

export interface AlreadySo {
  readonly message: string;
  readonly jobId?: number; // Ganeti's
}

/** Done, not done, or nobody can say. */
export interface Verdict {
  readonly done: boolean | "unknown";
  readonly message: string;
  readonly jobId?: number; // Ganeti's
}

/** As it is kept, and as one would type it: a write is the shell's, for there is no command that does it. */
export function stepArgv(step: ActionStep): string[] {
  if ("write" in step) return ["echo", step.write.text, ">", step.path];
  return [step.run.file, ...step.run.args];
}
