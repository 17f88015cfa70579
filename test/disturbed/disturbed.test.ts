/** The first hundred disturbed worlds, before each change lands; `npm run test:disturbed` plays thousands. */
import { expect, test } from "vitest";
import { playSeed } from "./play-seed.js";

const SEEDS = 100;
const PER_TEST = 10;

const firsts = Array.from({ length: SEEDS / PER_TEST }, (_, i) => i * PER_TEST + 1);

test.each(firsts)("nothing that must never be is seen in the ten worlds from seed %i on", async (first) => {
  for (let seed = first; seed < first + PER_TEST; seed += 1) {
    const { broken, log } = await playSeed(seed);
    expect(broken, `seed ${seed}: npm run test:disturbed -- --seed ${seed}\n${log.join("\n")}`).toEqual([]);
  }
});

test("a seed gives the same world, moment by moment, each time", async () => {
  const [once, again] = [await playSeed(7), await playSeed(7)];
  expect(again.log).toEqual(once.log);
});
