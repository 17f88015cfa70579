import { expect, test } from "vitest";
import { inTurn } from "./in-turn.js";

test("each begins when the one before it has ended, also when that failed, and each gets its own answer", async () => {
  const turn = inTurn();
  const happened: string[] = [];
  const work = (name: string, fails: boolean) => async () => {
    happened.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    happened.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const answers = await Promise.allSettled([
    turn(work("a", false)),
    turn(work("b", true)),
    turn(work("c", false)),
  ]);
  expect(happened).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
