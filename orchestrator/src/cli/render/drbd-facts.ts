/**
 * Both ends of a mirrored disk side by side: a stall, a split brain or a lost disk is only understood by what each
 * end says, and by how old that is.
 */
import type { Evidence, ResourceEnd } from "@vigie/proto";
import { ageText, DRBD_FACTS, type DrbdEndFacts } from "../../wording/drbd-facts.js";
import type { Screen } from "./screen.js";
import { table, type Column } from "./table.js";

export function evidenceLines(evidence: readonly Evidence[], screen: Screen): string[] {
  return sideBySide(evidence, screen);
}

export function endLines(ends: readonly ResourceEnd[], screen: Screen): string[] {
  return sideBySide(
    ends.map((it) => ({
      ...it,
      text: it.fresh || it.unknownReason === "" ? it.unknownReason : `unknown: ${it.unknownReason}`,
    })),
    screen,
  );
}

function sideBySide(ends: readonly DrbdEndFacts[], screen: Screen): string[] {
  const rows = DRBD_FACTS.map(([name, value]) => ({
    name,
    values: ends.map((end) => (end.drbd === undefined ? undefined : value(end.drbd, end))),
  })).filter((row) => row.values.some((it) => it !== undefined));
  const said = ends.some((it) => it.text !== "") ? [{ name: "seen", values: ends.map((it) => it.text) }] : [];
  const ages = { name: "age", values: ends.map(ageText) };
  return table(columnsFor(ends), [...rows, ages, ...said], screen, 2);
}

function columnsFor(
  ends: readonly DrbdEndFacts[],
): Column<{ name: string; values: readonly (string | undefined)[] }>[] {
  const perEnd = ends.map((end, n) => ({
    heading: end.node,
    cell: (row: { values: readonly (string | undefined)[] }) => row.values[n] ?? "-",
  }));
  return [{ heading: "", cell: (row) => row.name }, ...perEnd];
}
