/** A small cluster for tests: web1's disk is minor 0 on h1, which is master, and minor 10 on h2; h3 has none. */
import {
  ConnectionState,
  type Damaged,
  DiskState,
  DrbdFacts,
  DrbdMinor,
  GanetiDisk,
  GanetiFacts,
  GanetiInstance,
  GanetiNode,
  Report,
  Role,
  Source,
  SourceReport,
  SourceState,
  SsconfFacts,
} from "@vigie/proto";
import { emptyView, joined, withNode, type ClusterView } from "./cluster-view.js";
import { foldReport, unseenNode } from "./node-view.js";

export const NOW_MS = 1_000_000;
export const NODES = ["h1", "h2", "h3"];

/** What one node's agent says. */
export interface Says {
  readonly minors?: readonly DrbdMinor[];
  readonly still?: Readonly<Record<number, number>>; // minor → ms
  readonly sinceWatched?: boolean; // of all of them
  readonly damaged?: readonly Damaged[];
  readonly damagedGaneti?: readonly Damaged[]; // of the inventory, h1's alone
  readonly failed?: string; // why /proc/drbd could not be read
  readonly ageMs?: number; // of everything it says
  readonly sources?: readonly SourceReport[]; // beside /proc/drbd
  readonly master?: string;
  readonly epoch?: number;
  readonly offline?: boolean; // its session ended
}

export const SSCONF = SsconfFacts.create({ clusterName: "c", masterNode: "h1", nodeList: NODES });

export const INVENTORY = GanetiFacts.create({
  nodes: NODES.map((name, i) => GanetiNode.create({ name, secondaryIp: `10.0.0.${i + 1}`, role: "C" })),
  instances: [
    GanetiInstance.create({
      name: "web1",
      uuid: "i1",
      primaryNode: "h1",
      secondaryNodes: ["h2"],
      serial: 5,
      disks: [
        GanetiDisk.create({
          uuid: "d1",
          type: "drbd",
          nodeA: "h1",
          nodeB: "h2",
          minorA: 0,
          minorB: 10,
          port: 11_000,
          dataLv: "vg/d1_data",
        }),
      ],
    }),
  ],
});

export function cluster(says: Readonly<Record<string, Says>>, inventory?: GanetiFacts): ClusterView {
  let view = emptyView("h1");
  for (const [name, said] of Object.entries(says)) {
    const own =
      name === "h1" ? [ssconfReport(SSCONF), ganetiReport(inventory ?? INVENTORY, said.damagedGaneti)] : [];
    const node = foldReport(unseenNode(name), reportOf(said, own), NOW_MS - (said.ageMs ?? 0));
    view = withNode(view, { ...node, connected: said.offline !== true }, "h1");
  }
  return joined(view);
}

export function reportOf(said: Says, more: readonly SourceReport[] = []): Report {
  const drbd =
    said.failed === undefined ? drbdReport(said.minors ?? [], said.damaged) : failedDrbd(said.failed);
  return Report.create({
    full: true,
    sources: [drbd, ...more, ...(said.sources ?? [])],
    masterNode: said.master ?? "h1",
    highestEpoch: said.epoch ?? 0,
    still: Object.entries(said.still ?? {}).map(([minor, stillMs]) => ({
      minor: Number(minor),
      stillMs,
      sinceWatched: said.sinceWatched ?? false,
    })),
  });
}

export function drbdReport(minors: readonly DrbdMinor[], damaged: readonly Damaged[] = []): SourceReport {
  const value = DrbdFacts.create({ minors: [...minors] });
  return ok(Source.PROC_DRBD, { $case: "drbd", value }, damaged);
}

export function ok(
  source: Source,
  facts: NonNullable<SourceReport["facts"]>,
  damaged: readonly Damaged[] = [],
): SourceReport {
  return SourceReport.create({ source, state: SourceState.OK, facts, damaged: [...damaged] });
}

export function ssconfReport(value: SsconfFacts): SourceReport {
  return ok(Source.SSCONF, { $case: "ssconf", value });
}

export function ganetiReport(value: GanetiFacts, damaged: readonly Damaged[] = []): SourceReport {
  return ok(Source.GANETI, { $case: "ganeti", value }, damaged);
}

function failedDrbd(reason: string): SourceReport {
  return SourceReport.create({ source: Source.PROC_DRBD, state: SourceState.FAILED, reason });
}

/** web1's minor as h1 has it, healthy. */
export function onH1(change: Partial<DrbdMinor> = {}): DrbdMinor {
  return DrbdMinor.create({ ...HEALTHY, minor: 0, role: Role.PRIMARY, peerRole: Role.SECONDARY, ...change });
}

/** web1's minor as h2 has it, healthy. */
export function onH2(change: Partial<DrbdMinor> = {}): DrbdMinor {
  return DrbdMinor.create({ ...HEALTHY, minor: 10, role: Role.SECONDARY, peerRole: Role.PRIMARY, ...change });
}

const HEALTHY = {
  connection: ConnectionState.CONNECTED,
  disk: DiskState.UP_TO_DATE,
  peerDisk: DiskState.UP_TO_DATE,
  outOfSyncKib: 0,
};

/** web1 resyncs from h1 to h2, and both ends have not moved for `stillMs`. */
export function stalled(stillMs: number, oos = 4_096): { h1: Says; h2: Says } {
  const { SYNC_SOURCE, SYNC_TARGET } = ConnectionState;
  const source = onH1({ connection: SYNC_SOURCE, peerDisk: DiskState.INCONSISTENT, outOfSyncKib: oos });
  const target = onH2({ connection: SYNC_TARGET, disk: DiskState.INCONSISTENT, outOfSyncKib: oos });
  return {
    h1: { minors: [source], still: { 0: stillMs } },
    h2: { minors: [target], still: { 10: stillMs } },
  };
}
