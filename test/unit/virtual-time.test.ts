/** The simulator's time: sleepers wake in order, and hours in which nothing but polls happens pass in leaps. */
import { expect, test } from "vitest";
import { createVirtualClock } from "../simulator/virtual-clock.js";

test("sleepers wake in the order of their times, and of their coming where these are the same", async () => {
  const clock = createVirtualClock();
  const woken: string[] = [];
  for (const [name, ms] of [
    ["b", 20],
    ["c", 20],
    ["a", 10],
    ["d", 30],
  ] as const)
    void clock.sleep(ms).then(() => woken.push(name));
  await clock.advance(25);
  expect(woken).toEqual(["a", "b", "c"]);
});

test("a sleeper that was woken by its signal is not woken again", async () => {
  const clock = createVirtualClock();
  const stop = new AbortController();
  let times = 0;
  void clock.sleep(10, stop.signal).then(() => (times += 1));
  stop.abort();
  await clock.advance(50);
  expect(times).toBe(1);
});

test("in a leap whoever is due wakes once, at its end, and sees the time of its end", async () => {
  const clock = createVirtualClock();
  const startedMs = clock.monotonicMs();
  const seen: number[] = [];
  void (async () => {
    for (;;) {
      await clock.sleep(300);
      seen.push(clock.monotonicMs() - startedMs);
    }
  })();
  for (let leap = 0; leap < 3; leap += 1) await clock.leap(2_000);
  expect(seen).toEqual([2_000, 4_000, 6_000]);
});
