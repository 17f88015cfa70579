/** The benchmark's answers, for people and for programs. */
import { FIGURES, keepsLimit, type FigureName, type Figures } from "./figures.js";

const COLUMNS = ["figure", "median", "limit", "", "runs"] as const;

export function table(figures: Figures): string {
  const rows = (Object.keys(FIGURES) as FigureName[]).map((name) => row(name, figures));
  const widths = COLUMNS.map((title, i) =>
    Math.max(title.length, ...rows.map((cells) => cells[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [COLUMNS, ...rows].map(line).join("\n");
}

function row(name: FigureName, figures: Figures): string[] {
  const { unit, limit, atMost } = FIGURES[name];
  const figure = figures[name];
  const promised = `${atMost ? "≤" : "<"} ${limit} ${unit}`;
  if (figure === null) return [name, "not measured", promised, "", ""];
  const verdict = keepsLimit(name, figure) ? "kept" : "MISSED";
  return [name, `${figure.median} ${unit}`, promised, verdict, figure.raw.join(", ")];
}
