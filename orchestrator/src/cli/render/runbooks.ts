/** `vigie runbook list` and `vigie runbook show`: what Vigie can do, and how to ask for it. */
import type { ListRunbooksResponse, RunbookInfo, RunbookParameter } from "@vigie/proto";
import { section, wrapped, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";

export function renderRunbooks({ runbooks }: ListRunbooksResponse, screen: Screen): string {
  if (runbooks.length === 0) return "No runbooks.\n";
  const columns: Column<RunbookInfo>[] = [
    { heading: "RUNBOOK", cell: (it) => it.name },
    { heading: "PARAMETERS", cell: (it) => it.parameters.map(parameterWord).join(" ") || "-", leaveOut: 1 },
    { heading: "WHAT IT DOES", cell: (it) => it.summary, cut: 1, least: 50 },
  ];
  const next = section("Next", ["  vigie runbook show NAME", "  vigie do NAME … --dry-run"], screen);
  return `${[...table(columns, runbooks, screen), ...next].join("\n")}\n`;
}

export function renderRunbook(info: RunbookInfo, screen: Screen): string {
  const { colour } = screen;
  const width = Math.max(0, ...info.parameters.map((it) => it.name.length));
  const lines = [
    `${colour.bold(info.name)}  version ${info.version}`,
    ...wrapped(info.summary, screen),
    ...section("How to call it", [`  ${callOf(info)}`, `  ${callOf(info)} --dry-run`], screen),
    ...section(
      "Parameters",
      info.parameters.flatMap((it) =>
        wrapped(`${it.summary}${it.required ? "" : " (optional)"}`, screen, `  ${it.name.padEnd(width)}  `),
      ),
      screen,
    ),
    ...section(
      "What it does, and what it refuses",
      info.explanation.map((it) => `  ${it}`.trimEnd()),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** `vigie do reset-stalled-sync INSTANCE [DISK]`. */
export function callOf(info: RunbookInfo): string {
  return ["vigie do", info.name, ...info.parameters.map(parameterWord)].join(" ");
}

function parameterWord(parameter: RunbookParameter): string {
  const word = `${parameter.name.toUpperCase()}${takesSeveral(parameter) ? "…" : ""}`;
  return parameter.required ? word : `[${word}]`;
}

/** As its summary says; several words are sent as one, joined by commas. */
export function takesSeveral({ summary }: RunbookParameter): boolean {
  return /\bcommas? between\b/.test(summary);
}
