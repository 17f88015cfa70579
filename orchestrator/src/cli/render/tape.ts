/**
 * Lines of something that is followed, and below them one line that is rewritten: how far it is now. Where lines
 * cannot be rewritten (a pipe, a dumb terminal) it is told again from time to time.
 */
import type { Io } from "../io.js";
import type { Screen } from "./screen.js";

export interface Tape {
  readonly line: (text: string) => void;
  /** Empty: nothing is to be told. */
  readonly progress: (text: string) => void;
  /** Before anything else is printed. */
  readonly end: () => void;
}

const CLEAR_LINE = "\r\u001b[2K";
const PLAIN_EVERY_MS = 60_000;

export function tapeFor(io: Io, screen: Screen): Tape {
  return screen.width === undefined || io.env["TERM"] === "dumb"
    ? plainTape(io)
    : liveTape(io, screen.width, screen);
}

function liveTape({ stdout }: Io, width: number, { colour }: Screen): Tape {
  let shown = "";
  const clear = (): void => {
    if (shown !== "") stdout.write(CLEAR_LINE);
    shown = "";
  };
  return {
    line: (text) => {
      clear();
      stdout.write(`${text}\n`);
    },
    progress: (text) => {
      const next = Array.from(text)
        .slice(0, width - 1)
        .join("");
      if (next === shown) return;
      clear();
      stdout.write(colour.dim(next));
      shown = next;
    },
    end: clear,
  };
}

function plainTape(io: Io): Tape {
  let told = { text: "", atMs: -Infinity };
  return {
    line: (text) => io.stdout.write(`${text}\n`),
    progress: (text) => {
      if (text === "" || text === told.text || io.now() - told.atMs < PLAIN_EVERY_MS) return;
      told = { text, atMs: io.now() };
      io.stdout.write(`${text}\n`);
    },
    end: () => undefined,
  };
}
