/**
 * /proc/drbd again, a second later: nearly every minor of a node prints what it printed before. A minor whose text is
 * the same is the same value; only the others are parsed. What is damaged, or odd in any way, is parsed as a whole,
 * so the answer is always parseProcDrbd's.
 */
import type { DrbdMinor } from "@vigie/proto";
import type { ProcDrbd } from "./proc-drbd-lines.js";

/** The text before the first minor, and each minor's own lines. */
interface Pieces {
  readonly header: string;
  readonly blocks: readonly string[];
}

interface Remembered {
  readonly header: string;
  readonly parsed: ProcDrbd;
  readonly minors: ReadonlyMap<string, DrbdMinor>; // by their lines, as slices of the newest text alone
}

/** @param parse parseProcDrbd */
export function rememberingMinors(parse: (text: string) => ProcDrbd): (text: string) => ProcDrbd {
  let before: Remembered | undefined;
  return (text) => {
    const pieces = piecesOf(text);
    const parsed = (before && parseChanged(before, pieces, parse)) ?? parse(text);
    before = remember(pieces, parsed);
    return parsed;
  };
}

/** @returns undefined where only the whole text tells: no minors, one that is damaged, one that is there twice */
function parseChanged(
  before: Remembered,
  { header, blocks }: Pieces,
  parse: (text: string) => ProcDrbd,
): ProcDrbd | undefined {
  if (header !== before.header || blocks.length === 0) return undefined;
  const changed = blocks.filter((block) => !before.minors.has(block));
  const news = changed.length === 0 ? NOTHING : parse(header + changed.join(""));
  if (news.damaged.length > 0 || news.minors.length !== changed.length) return undefined;
  let next = 0;
  const minors: DrbdMinor[] = [];
  for (const block of blocks) {
    const minor = before.minors.get(block) ?? news.minors[next++];
    if (minor !== undefined) minors.push(minor);
  }
  const numbers = new Set(minors.map(({ minor }) => minor));
  return numbers.size === blocks.length ? { ...before.parsed, minors } : undefined;
}

const NOTHING = { minors: [], damaged: [] };

/** Only where every piece is one minor, and all is understood. */
function remember({ header, blocks }: Pieces, parsed: ProcDrbd): Remembered | undefined {
  const { minors, damaged } = parsed;
  if (blocks.length === 0 || damaged.length > 0 || minors.length !== blocks.length) return undefined;
  const byText = new Map<string, DrbdMinor>();
  minors.forEach((minor, i) => byText.set(blocks[i] ?? "", minor));
  return { header, parsed, minors: byText };
}

const STATE = ": cs:";

function piecesOf(text: string): Pieces {
  const starts: number[] = [];
  for (let at = text.indexOf(STATE); at >= 0; at = text.indexOf(STATE, at + STATE.length))
    starts.push(text.lastIndexOf("\n", at) + 1);
  const blocks = starts.map((start, i) => text.slice(start, starts[i + 1]));
  return { header: text.slice(0, starts[0]), blocks };
}
