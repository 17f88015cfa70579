/**
 * Both ends of a mirrored disk side by side: a stall, a split brain or a lost disk is only understood by what each
 * end says, and by how old that is.
 */
import {
  connectionWord,
  diskWord,
  roleWord,
  type DrbdMinor,
  type Evidence,
  type ResourceEnd,
} from "@vigie/proto";
import { duration, percent, rateOfKib, sizeOfKib } from "./format.js";
import type { Screen } from "./screen.js";
import { table, type Column } from "./table.js";

interface End {
  readonly node: string;
  readonly drbd: DrbdMinor | undefined;
  readonly ageMs: number;
  readonly stillMs: number;
  readonly text: string; // what else is to be said of this end
}

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

type Fact = readonly [name: string, value: (drbd: DrbdMinor, end: End) => string | undefined];

/** In the order and with the names of /proc/drbd. A fact that no end has is left out. */
const FACTS: readonly Fact[] = [
  ["minor", (it) => String(it.minor)],
  ["cs", (it) => connectionWord(it.connection)],
  ["ro", (it) => `${roleWord(it.role)}/${roleWord(it.peerRole)}`],
  ["ds", (it) => `${diskWord(it.disk)}/${diskWord(it.peerDisk)}`],
  ["oos", (it) => (it.outOfSyncKib === undefined ? undefined : sizeOfKib(it.outOfSyncKib))],
  ["pe/ua", (it) => `${it.pending}/${it.unacknowledged}`],
  ["done", (it) => (it.resync === undefined ? undefined : percent(it.resync.donePercent))],
  [
    "left",
    (it) =>
      it.resync === undefined
        ? undefined
        : `${sizeOfKib(it.resync.leftKib)} of ${sizeOfKib(it.resync.totalKib)}`,
  ],
  ["speed", (it) => (it.resync?.speedKibPerS === undefined ? undefined : rateOfKib(it.resync.speedKibPerS))],
  ["kernel says", (it) => (it.resync?.kernelSaysStalled === true ? "stalled" : undefined)],
  ["still for", (_, end) => (end.stillMs > 0 ? duration(end.stillMs) : undefined)],
];

function sideBySide(ends: readonly End[], screen: Screen): string[] {
  const rows = FACTS.map(([name, value]) => ({
    name,
    values: ends.map((end) => (end.drbd === undefined ? undefined : value(end.drbd, end))),
  })).filter((row) => row.values.some((it) => it !== undefined));
  const said = ends.some((it) => it.text !== "") ? [{ name: "seen", values: ends.map((it) => it.text) }] : [];
  const ages = { name: "age", values: ends.map(ageText) };
  return table(columnsFor(ends), [...rows, ages, ...said], screen, 2);
}

function columnsFor(
  ends: readonly End[],
): Column<{ name: string; values: readonly (string | undefined)[] }>[] {
  const perEnd = ends.map((end, n) => ({
    heading: end.node,
    cell: (row: { values: readonly (string | undefined)[] }) => row.values[n] ?? "-",
  }));
  return [{ heading: "", cell: (row) => row.name }, ...perEnd];
}

function ageText(end: End): string {
  return end.drbd === undefined && end.ageMs === 0 ? "not seen" : duration(end.ageMs);
}
