/** The figures that the benchmark promises: the name of each, its unit, and the limit that its median must keep. */
export const FIGURES = {
  stall_flagged_s: { part: "lab", unit: "s", limit: 10, atMost: true },
  stall_healed_s: { part: "lab", unit: "s", limit: 35, atMost: true },
  fault_flagged_s: { part: "lab", unit: "s", limit: 3, atMost: true },
  recover_migration_s: { part: "lab", unit: "s", limit: 120, atMost: true },
  recover_overhead_s: { part: "lab", unit: "s", limit: 10, atMost: true },
  runs_back_s: { part: "lab", unit: "s", limit: 5, atMost: true },
  parse_128_ms: { part: "parse", unit: "ms", limit: 0.3, atMost: false },
  agent_cpu_percent: { part: "agent", unit: "%", limit: 1, atMost: false },
  agent_rss_mib: { part: "agent", unit: "MiB", limit: 70, atMost: true },
  agent_anon_mib: { part: "agent", unit: "MiB", limit: 20, atMost: true },
  orchestrator_core_percent: { part: "orchestrator", unit: "%", limit: 50, atMost: false },
  ack_p99_ms: { part: "orchestrator", unit: "ms", limit: 100, atMost: false },
  status_long_ms: { part: "store", unit: "ms", limit: 10, atMost: false },
  status_long_ratio: { part: "store", unit: "times", limit: 2, atMost: true },
  plan_2000_ms: { part: "plan", unit: "ms", limit: 200, atMost: false },
} as const satisfies Record<string, PromisedFigure>;

interface PromisedFigure {
  readonly part: PartName;
  readonly unit: string;
  readonly limit: number;
  readonly atMost: boolean; // the limit itself is still good
}

export const PART_NAMES = ["parse", "plan", "store", "agent", "orchestrator", "lab"] as const;
export type PartName = (typeof PART_NAMES)[number];
export type FigureName = keyof typeof FIGURES;

/** What one run of a part measured. */
export type Measured = Partial<Record<FigureName, number>>;

export interface Figure {
  readonly median: number;
  readonly raw: readonly number[]; // one a run, in their order
  readonly unit: string;
  readonly limit: number;
}

/** Every figure, in the table's order; null where its part was not run, or could not. */
export type Figures = Record<FigureName, Figure | null>;

export function figuresOf(runs: readonly Measured[]): Figures {
  const names = Object.keys(FIGURES) as FigureName[];
  return Object.fromEntries(names.map((name) => [name, figureOf(name, runs)])) as Figures;
}

function figureOf(name: FigureName, runs: readonly Measured[]): Figure | null {
  const raw = runs.map((run) => run[name]).filter((value) => value !== undefined);
  const { unit, limit } = FIGURES[name];
  return raw.length === 0 ? null : { median: rounded(median(raw)), raw: raw.map(rounded), unit, limit };
}

export function keepsLimit(name: FigureName, { median, limit }: Figure): boolean {
  return FIGURES[name].atMost ? median <= limit : median < limit;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param part 0.99: the smallest value that 99 % of them do not exceed; for 0.5 the middle, or the mean of the two */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (part === 0.5 && Number.isInteger(middle))
    return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** Three significant digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
