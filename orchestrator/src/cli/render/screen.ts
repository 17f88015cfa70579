/**
 * What a rendering may depend on beside its message: the paper it is printed on. Renderings are pure functions
 * (message, screen) → text, so that a test holds the whole output.
 */
import type { Colors } from "picocolors/types.js";

export interface Screen {
  readonly width: number | undefined; // columns of the terminal; undefined on a pipe, where nothing is cut
  readonly colour: Colors; // functions that leave the text alone where colours are not wanted
  readonly now: number; // unix ms
  readonly timeZone?: string; // the system's where unset
}

export type Paint = (text: string) => string;

/** Lines of a part of a screen below its heading; nothing at all where there are none. */
export function section(heading: string, lines: readonly string[], screen: Screen): string[] {
  return lines.length === 0 ? [] : ["", screen.colour.bold(heading), ...lines];
}

export function indent(text: string, by = 2): string {
  return text
    .split("\n")
    .map((line) => " ".repeat(by) + line)
    .join("\n");
}

const NARROWEST = 20; // words are not broken to fit less

/** Sentences, broken between words to fit the terminal; `rest` stands before all lines but the first. */
export function wrapped(
  text: string,
  screen: Screen,
  first = "  ",
  rest = " ".repeat(first.length),
): string[] {
  const width = Math.max(NARROWEST, (screen.width ?? Infinity) - rest.length);
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    const [, lead = "", words = ""] = /^( *)(.*)$/.exec(paragraph) ?? [];
    let line = "";
    for (const word of words.split(" ")) {
      const longer = line === "" ? `${lead}${word}` : `${line} ${word}`;
      if (line !== "" && Array.from(longer).length > width) {
        lines.push(line);
        line = `${lead}${word}`;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines.map((line, n) => `${n === 0 ? first : rest}${line}`.trimEnd());
}
