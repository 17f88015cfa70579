import { expect, test } from "vitest";
import { parsedOnce } from "./reading.js";

test("a text that is as it was is not parsed again, and another one is", () => {
  let times = 0;
  const parse = parsedOnce((text) => ({ text, times: (times += 1) }));
  const first = parse("a");
  expect(parse("a")).toBe(first);
  expect(parse("b")).toEqual({ text: "b", times: 2 });
  expect(parse("a")).toEqual({ text: "a", times: 3 });
});

test("a text that could not be parsed is tried again", () => {
  let broken = true;
  const parse = parsedOnce((text) => {
    if (broken) throw new Error("not yet");
    return text;
  });
  expect(() => parse("a")).toThrow("not yet");
  broken = false;
  expect(parse("a")).toBe("a");
});
