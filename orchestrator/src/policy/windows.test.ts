import { expect, test } from "vitest";
import { isInWindow, isWindow } from "./windows.js";

const at = (text: string): number => Date.parse(`${text}:00Z`);

test("without a window any time is good", () => {
  expect(isInWindow([], at("2026-11-22T12:00"))).toBe(true);
});

test("a window is of its days and hours, and its end is outside", () => {
  const windows = ["Sat,Sun 01:00-05:00"]; // 2026-11-22 is a Sunday
  expect(isInWindow(windows, at("2026-11-22T01:00"))).toBe(true);
  expect(isInWindow(windows, at("2026-11-22T05:00"))).toBe(false);
  expect(isInWindow(windows, at("2026-11-23T02:00"))).toBe(false);
  expect(isInWindow(["01:00-05:00"], at("2026-11-23T02:00"))).toBe(true);
});

test("a window over midnight belongs to the day on which it begins", () => {
  const windows = ["Sun 22:00-02:00"];
  expect(isInWindow(windows, at("2026-11-22T23:59"))).toBe(true);
  expect(isInWindow(windows, at("2026-11-23T01:59"))).toBe(true);
  expect(isInWindow(windows, at("2026-11-22T01:00"))).toBe(false);
  expect(isInWindow(windows, at("2026-11-23T22:30"))).toBe(false);
});

test.each(["Sun", "25:00-26:00", "01:00-05:60", "sat 01:00-02:00", "Sat, Sun 01:00-02:00", ""])(
  "%j is no window",
  (text) => {
    expect(isWindow(text)).toBe(false);
  },
);
