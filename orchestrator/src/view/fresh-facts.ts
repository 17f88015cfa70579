/** Facts of a node that are new enough to plan or to judge upon, or why there are none (I7, I11). */
import { Source, SourceState, type Damaged, type SourceReport } from "@vigie/proto";
import { factsOf, type NodeView } from "./node-view.js";

/** Twice the time between two readings, and a moment for the report. */
const FRESH_MS = {
  [Source.LVM]: 65_000,
  [Source.BLOCK_DEVICES]: 5_000,
  [Source.DEVICE_MAPPER]: 25_000,
  [Source.MOUNTS]: 25_000,
  [Source.DRBD_CONFIG]: 25_000,
  [Source.GUESTS]: 25_000,
  [Source.GANETI]: 25_000, // read every 2 s, of a master that may be busy
  [Source.PROC_DRBD]: 5_000,
  [Source.KERNEL_LOG]: 5_000,
  [Source.NODE_HEALTH]: 130_000,
} as const satisfies Partial<Record<Source, number>>;

export const GUESTS_FRESH_MS = FRESH_MS[Source.GUESTS];

const freshMs: Readonly<Partial<Record<Source, number>>> = FRESH_MS;

const NAMES: Readonly<Partial<Record<Source, string>>> = {
  [Source.LVM]: "LVM",
  [Source.BLOCK_DEVICES]: "/sys/block",
  [Source.DEVICE_MAPPER]: "device-mapper",
  [Source.MOUNTS]: "mounts",
  [Source.DRBD_CONFIG]: "drbdsetup show",
  [Source.GUESTS]: "its guests",
  [Source.GANETI]: "Ganeti's configuration",
  [Source.PROC_DRBD]: "/proc/drbd",
  [Source.KERNEL_LOG]: "the kernel's log",
  [Source.NODE_HEALTH]: "its filesystems and Ganeti's files",
};

type Facts = NonNullable<SourceReport["facts"]>;
type FactsOf<C extends Facts["$case"]> = Extract<Facts, { $case: C }>["value"];

export interface Fresh<T> {
  readonly facts: T | undefined;
  readonly unknown: string; // why there are none, with the node's name; empty: there are
  readonly damaged: readonly Damaged[];
}

export function freshFacts<C extends Facts["$case"]>(
  node: NodeView | undefined,
  source: Source,
  kind: C,
  nowMs: number,
): Fresh<FactsOf<C>> {
  const none = (why: string): Fresh<FactsOf<C>> => ({ facts: undefined, unknown: why, damaged: [] });
  if (node === undefined || node.neverSeen) return none(`${node?.name ?? "a node"} has not reported`);
  const what = `${node.name}, ${NAMES[source] ?? source}`;
  const known = node.sources.get(source);
  if (known === undefined) return none(`${what}: not read yet`);
  const ageMs = nowMs - known.readAtMs;
  if (ageMs > (freshMs[source] ?? 5_000))
    return none(`${what}: the newest reading is ${Math.round(ageMs / 1000)} s old`);
  if (known.report.state !== SourceState.OK)
    return none(`${what}: ${known.report.reason || "it could not be read"}`);
  const facts = factsOf(node, source, kind);
  if (facts === undefined) return none(`${what}: not read yet`);
  const fresh: unknown = { facts, unknown: "", damaged: known.report.damaged };
  return fresh as Fresh<FactsOf<C>>; // the compiler does not see that both look the case up by its name
}
