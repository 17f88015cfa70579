import { setTimeout as wait } from "node:timers/promises";

/** The command line's seam: all that it has of a process. Tests run it in-process with strings. */
export interface Output {
  write(text: string): unknown;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean; // of stdout
  readonly columns: number | undefined; // of the terminal; undefined where there is none
  readonly now: () => number; // unix ms
  readonly signal?: AbortSignal; // Ctrl-C, for what runs until it is stopped
  readonly hurry?: number; // a test's time goes so many times faster
}

/** Shorter when it is interrupted; never fails. */
export async function sleep({ signal, hurry = 1 }: Io, ms: number): Promise<void> {
  await wait(ms / hurry, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
