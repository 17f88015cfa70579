import { stripVTControlCharacters } from "node:util";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import type { Screen } from "./screen.js";
import { printable } from "../../wording/printable.js";
import { table, type Column } from "./table.js";

interface Row {
  readonly id: string;
  readonly text: string;
  readonly extra: string;
  readonly size: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { heading: "ID", cell: (it) => it.id },
  { heading: "TEXT", cell: (it) => it.text, cut: 1 },
  { heading: "EXTRA", cell: (it) => it.extra, leaveOut: 1 },
  { heading: "SIZE", cell: (it) => it.size, right: true },
];
const ROWS: readonly Row[] = [
  { id: "i-0123456789", text: "the resync of web1.example has not moved", extra: "more", size: "1 KiB" },
  { id: "i-2", text: "short", extra: "", size: "15.0 GiB" },
];

function screen(width?: number, colour = false): Screen {
  return { width, colour: createColors(colour), now: 0, timeZone: "UTC" };
}

test("on a pipe nothing is cut", () => {
  expect(table(COLUMNS, ROWS, screen()).join("\n")).toMatchInlineSnapshot(`
    "ID            TEXT                                      EXTRA      SIZE
    i-0123456789  the resync of web1.example has not moved  more      1 KiB
    i-2           short                                            15.0 GiB"
  `);
});

test("on a pipe one long cell does not fill up the lines of all others", () => {
  const long = { id: "i-3", text: "x".repeat(5_000), extra: "", size: "1 B" };
  const [heading = "", first = "", , last = ""] = table(COLUMNS, [...ROWS, long], screen());
  expect(Math.max(heading.length, first.length)).toBeLessThan(80);
  expect(last).toContain(long.text);
});

test("on a narrow terminal the middle column is cut, never the id", () => {
  const lines = table(COLUMNS, ROWS, screen(50));
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "ID            TEXT                 EXTRA      SIZE
    i-0123456789  the resync of web1…  more      1 KiB
    i-2           short                       15.0 GiB"
  `);
  expect(Math.max(...lines.map((it) => it.length))).toBeLessThanOrEqual(50);
});

test("on a very narrow one a lesser column is left out", () => {
  expect(table(COLUMNS, ROWS, screen(36)).join("\n")).toMatchInlineSnapshot(`
    "ID            TEXT              SIZE
    i-0123456789  the resync …     1 KiB
    i-2           short         15.0 GiB"
  `);
});

test("colours do not disturb the widths", () => {
  const painted = COLUMNS.map((it) => ({ ...it, paint: () => createColors(true).red }));
  const plain = table(painted, ROWS, screen(50, true)).map((it) => stripVTControlCharacters(it).trimEnd());
  expect(plain).toEqual(table(COLUMNS, ROWS, screen(50)));
});

test("no rows, no headings", () => {
  expect(table(COLUMNS, [], screen())).toEqual([]);
});

test("text from outside cannot move the cursor, change colours or reorder a line", () => {
  expect(
    printable({ a: ["x\u001b[31mred\u0007", "a\tb\nc", "\u202eabc\u0085"], n: 1, u: undefined }),
  ).toEqual({
    a: ["x\ufffd[31mred\ufffd", "a    b\nc", "\ufffdabc\ufffd"],
    n: 1,
    u: undefined,
  });
});
