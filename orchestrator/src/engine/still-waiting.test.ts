import { expect, test } from "vitest";
import { createStillness } from "./still-waiting.js";

const MINUTE_MS = 60_000;

function stillness(): { readonly after: (minutes: number, rateMibPerS: string, percent: number) => string } {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, wallUnixMs: () => nowMs, sleep: async () => undefined };
  const told = createStillness(clock, 60 * MINUTE_MS);
  return {
    after: (minutes, rate, donePercent) => {
      nowMs += minutes * MINUTE_MS;
      const what = `job 41 is running: - progress: 37.2%; resync ${donePercent.toFixed(1)} %, 68 MiB left, ${rate} MiB/s`;
      return told({
        seen: false,
        never: "",
        what,
        progress: { donePercent, finishUnixMs: nowMs, kibPerS: 1 },
      });
    },
  };
}

test("a resync that stalls is handed to a person after an hour, though its average rate goes on sinking", () => {
  const { after } = stillness();
  expect(after(0, "98.4", 37.2)).toBe("");
  expect(after(30, "64.1", 37.2)).toBe("");
  expect(after(31, "41.7", 37.2)).toContain("nothing has changed for 60 min");
});

test("a resync that moves is waited for, however slow it is", () => {
  const { after } = stillness();
  for (let hour = 0; hour < 20; hour += 1) expect(after(59, "0.0", 37 + hour / 1000)).toBe("");
});
