/**
 * Tables that fit the terminal. Lesser columns are left out, in a stated order, until the others can be cut to fit; ids
 * and states are never touched, because a cut id cannot be pasted. On a pipe nothing is cut, and a long cell widens its
 * own line only.
 */
import type { Paint, Screen } from "./screen.js";

export interface Column<R> {
  readonly heading: string;
  readonly cell: (row: R) => string;
  readonly paint?: (row: R) => Paint;
  readonly right?: boolean;
  readonly cut?: number; // may be cut; the lowest number first
  readonly least?: number; // but not below so many characters; MIN_CUT where unset
  readonly leaveOut?: number; // may be left out where it is still too wide; the lowest number first
}

const GAP = 2;
const MIN_CUT = 10;
const PIPE_MAX = 40; // of a column that may be cut: no line is filled up further

interface Laid<R> {
  readonly column: Column<R>;
  readonly cells: readonly string[];
  width: number;
}

/** Lines without indentation, headings first; no lines for no rows. */
export function table<R>(
  columns: readonly Column<R>[],
  rows: readonly R[],
  screen: Screen,
  indentation = 0,
): string[] {
  if (rows.length === 0) return [];
  const laid = columns.map((column) => lay(column, rows));
  const cuts = screen.width !== undefined;
  const fitting = cuts ? fit(laid, screen.width - indentation) : laid.map(forPipe);
  const headings = fitting.map((it) => pad(it, it.column.heading, cuts));
  const lines = rows.map((row, n) => fitting.map((it) => paint(it, row, pad(it, it.cells[n] ?? "", cuts))));
  const margin = " ".repeat(indentation);
  return [headings.map((it) => screen.colour.dim(it)), ...lines].map((cells) =>
    `${margin}${join(cells)}`.trimEnd(),
  );
}

function lay<R>(column: Column<R>, rows: readonly R[]): Laid<R> {
  const cells = rows.map((row) => column.cell(row).replaceAll(/\s*\n\s*/g, " "));
  return { column, cells, width: Math.max(column.heading.length, ...cells.map(length)) };
}

function forPipe<R>(it: Laid<R>): Laid<R> {
  return it.column.cut === undefined ? it : { ...it, width: Math.min(it.width, PIPE_MAX) };
}

/** Leaves out columns until the others fit when cut as far as they may be; then cuts no more than is needed. */
function fit<R>(laid: readonly Laid<R>[], width: number): Laid<R>[] {
  const kept = [...laid];
  for (const it of inOrder(laid, "leaveOut")) {
    if (total(kept.map(smallest)) > width) kept.splice(kept.indexOf(it), 1);
  }
  const fitting = kept.map((it) => ({ ...it }));
  for (const it of inOrder(fitting, "cut")) {
    it.width = Math.max(smallest(it).width, it.width - Math.max(0, total(fitting) - width));
  }
  return fitting;
}

function smallest<R>(it: Laid<R>): Laid<R> {
  if (it.column.cut === undefined) return it;
  return { ...it, width: Math.min(it.width, Math.max(it.column.least ?? MIN_CUT, it.column.heading.length)) };
}

function inOrder<R>(laid: readonly Laid<R>[], by: "cut" | "leaveOut"): Laid<R>[] {
  return laid
    .filter((it) => it.column[by] !== undefined)
    .sort((a, b) => (a.column[by] ?? 0) - (b.column[by] ?? 0));
}

function total<R>(laid: readonly Laid<R>[]): number {
  return laid.reduce((sum, it) => sum + it.width, GAP * (laid.length - 1));
}

function pad<R>(it: Laid<R>, text: string, cuts: boolean): string {
  const cut =
    cuts && length(text) > it.width
      ? `${Array.from(text)
          .slice(0, it.width - 1)
          .join("")}…`
      : text;
  const space = " ".repeat(Math.max(0, it.width - length(cut)));
  return it.column.right === true ? space + cut : cut + space;
}

function paint<R>(it: Laid<R>, row: R, text: string): string {
  return it.column.paint === undefined ? text : it.column.paint(row)(text);
}

function join(cells: readonly string[]): string {
  return cells.join(" ".repeat(GAP));
}

/** In characters, not UTF-16 units. */
function length(text: string): number {
  return Array.from(text).length;
}
