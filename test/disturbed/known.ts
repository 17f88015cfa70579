/**
 * What the disturbed world has found and nobody has mended yet: shown each time, with its reason and a seed that shows it,
 * and not counted as a failure. A line that no seed meets any more is to be deleted.
 */

export interface Known {
  readonly pattern: RegExp;
  readonly why: string;
  readonly seed: number;
}

export const KNOWN: readonly Known[] = [];

export function knownOf(line: string): Known | undefined {
  return KNOWN.find(({ pattern }) => pattern.test(line));
}
