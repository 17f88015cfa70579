import { expect, test } from "vitest";
import {
  count,
  dateTime,
  duration,
  offset,
  percent,
  rateOfKib,
  since,
  sizeOfBytes,
  sizeOfKib,
  timeOfDay,
} from "./format.js";

test.each([
  [0, "0 KiB"],
  [1023, "1023 KiB"],
  [1024, "1.0 MiB"],
  [102_400, "100 MiB"],
  [15_728_640, "15.0 GiB"],
  [1_073_741_824, "1.0 TiB"],
  [-2048, "-2.0 MiB"],
])("%d KiB is %s", (kib, text) => expect(sizeOfKib(kib)).toBe(text));

test.each([
  [0, "0.0 s"],
  [12, "12 ms"],
  [449, "0.4 s"],
  [9_999, "9.9 s"],
  [59_999, "59 s"],
  [60_000, "1 min 00 s"],
  [185_000, "3 min 05 s"],
  [7_500_000, "2 h 05 min"],
  [273_600_000, "3 d 4 h"],
])("%d ms last %s", (ms, text) => expect(duration(ms)).toBe(text));

test("bytes, rates, shares and counts carry their unit", () => {
  expect(sizeOfBytes(512)).toBe("512 B");
  expect(sizeOfBytes(1_572_864)).toBe("1.5 MiB");
  expect(rateOfKib(71_820)).toBe("70.1 MiB/s");
  expect(rateOfKib(-3)).toBe("-3 KiB/s");
  expect(percent(100)).toBe("100.0 %");
  expect(count(1, "node")).toBe("1 node");
  expect(count(0, "node")).toBe("0 nodes");
});

test("a moment in the future of this clock is no negative age", () => {
  expect(since(2000, 1000)).toBe("0.0 s");
  expect(offset(13_340, 1000)).toBe("+12.3 s");
  expect(offset(900, 1000)).toBe("-0.1 s");
});

test("a time is given in the reader's zone, and says which", () => {
  expect(dateTime(1_795_313_101_000, "UTC")).toBe("2026-11-22 02:05:01 UTC");
  expect(dateTime(1_795_313_101_000, "Europe/Paris")).toMatch(/^2026-11-22 03:05:01 (CET|GMT\+1)$/);
  expect(timeOfDay(1_795_313_101_000, "UTC")).toBe("02:05:01");
});
