import { expect, test } from "vitest";
import { createNamer, identifierAt } from "./identifier.js";

test("no two names of one millisecond are the same, whatever chance says", () => {
  let calls = 0;
  const name = createNamer(() => (Math.floor((calls += 1) / 40) % 32) / 32); // the same digits ten times over
  const names = Array.from({ length: 20 }, () => name("i", 1_000));
  expect(new Set(names).size).toBe(names.length);
});

test("names sort by their time", () => {
  const name = createNamer(Math.random);
  expect(name("r", 1_001) > name("r", 1_000)).toBe(true);
  expect(name("r", 1_000) >= identifierAt("r", 1_000)).toBe(true);
});
