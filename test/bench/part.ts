/** What a part of the benchmark is, and the options that all are given. */
import type { Measured, PartName } from "./figures.js";

export interface BenchOptions {
  readonly runs: number | undefined; // undefined: the part's own number
  readonly minutes: number; // that the idle agent is watched for
  readonly seconds: number; // that the loaded orchestrator is measured for
  readonly nodeFlags: readonly string[]; // more flags for the measured process, for profiles
}

export interface Part {
  readonly name: PartName;
  readonly runs: number; // where none is asked for
  /** Why it cannot run here; undefined: it can. */
  readonly obstacle?: () => string | undefined;
  /** One run. `note` tells people what has no key of its own. */
  readonly run: (options: BenchOptions, note: (text: string) => void) => Promise<Measured>;
}
