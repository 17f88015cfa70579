/**
 * A failure as the person at the keyboard needs it: one sentence, and what to do about it. What the failed program
 * printed is kept in a file, and the sentence names it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostCommandFailed } from "./exec.js";
import { cacheRoot } from "./paths.js";

export class LabProblem extends Error {
  override readonly name = "LabProblem";

  /**
   * @param problem what failed, without a full stop
   * @param remedy what to do, as an order, without a full stop
   */
  constructor(problem: string, remedy: string, options: { readonly cause?: unknown } = {}) {
    super(`${problem}: ${remedy}.`, options);
    this.stack = this.message; // whoever prints an error with its stack prints the sentence
  }
}

/** What a program printed when it failed, and what a person does about it. */
export interface KnownFailure {
  readonly words: RegExp;
  readonly problem: string;
  readonly remedy: string;
}

/** Runs work; a program that fails in it becomes the sentence of the first row that knows its words, or `otherwise`. */
export async function explaining<T>(
  known: readonly KnownFailure[],
  otherwise: Omit<KnownFailure, "words">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HostCommandFailed)) throw error;
    const words = wordsOf(error);
    const row = known.find((each) => each.words.test(words));
    const { problem, remedy } = row ?? otherwise;
    throw new LabProblem(withWords(problem, words, row?.words), remedy, { cause: error });
  }
}

/** Any error as a sentence: nothing that fails in the lab ends in a stack trace. */
export function asProblem(error: unknown, during: string): LabProblem {
  if (error instanceof LabProblem) return error;
  const remedy = "try again, and if it fails again begin with npm run lab -- golden";
  return new LabProblem(withWords(`"${during}" failed`, wordsOf(error)), remedy, { cause: error });
}

const TELLING = /^E:|\berror\b|cannot|could not|failed|panic|killed at its deadline/i;

/** The problem, the line of a program's output that says why, and the file with all of it. */
export function withWords(problem: string, words: string, telling = TELLING): string {
  const file = join(cacheRoot(), "last-failure.log");
  mkdirSync(cacheRoot(), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${new Date().toISOString()} ${problem}\n${words}\n`);
  return `${problem} (${tellingLine(words, telling)}; all of it: ${file})`;
}

function wordsOf(error: unknown): string {
  if (error instanceof HostCommandFailed)
    return `${error.message}\n\n${error.ran.stdout}\n${error.ran.stderr}`;
  return error instanceof Error ? `${error.message}\n\n${error.stack ?? ""}` : String(error);
}

/** The last line that says why, else the first line. */
function tellingLine(words: string, telling: RegExp): string {
  const lines = words.split("\n").map((line) => line.trim());
  return (lines.findLast((line) => telling.test(line)) ?? lines[0] ?? "").slice(0, 200);
}
