/** How long the text that is read every second on every node takes to parse, once the code is warm. */
import { parseProcDrbd } from "@vigie/agent";
import { median } from "./figures.js";
import type { Part } from "./part.js";
import { MINORS, procDrbdText, type Activity } from "./proc-drbd-text.js";

const WARM_UP = 2_000;
const MEASURED = 2_000;

export const parsePart: Part = {
  name: "parse",
  runs: 5,
  run: async (_options, note) => {
    const resyncing = medianMs("resyncing");
    const connected = medianMs("connected");
    note(
      `${MINORS} minors that resync ${resyncing.toFixed(3)} ms, that are connected ${connected.toFixed(3)} ms`,
    );
    return { parse_128_ms: Math.max(resyncing, connected) };
  },
};

function medianMs(activity: Activity): number {
  const timesMs: number[] = [];
  for (let i = 0; i < WARM_UP + MEASURED; i += 1) {
    const text = flat(procDrbdText(activity, () => i)); // never the same twice, as in life
    const begunMs = performance.now();
    const { minors } = parseProcDrbd(text);
    const tookMs = performance.now() - begunMs;
    if (minors.length !== MINORS) throw new Error(`${minors.length} minors were parsed, not ${MINORS}`);
    if (i >= WARM_UP) timesMs.push(tookMs);
  }
  return median(timesMs);
}

/** A text as it comes from a file: in one piece, not as the joined parts that it was made of. */
function flat(text: string): string {
  return Buffer.from(text).toString("utf8");
}
