/** What `vigie status` was told, before it is put into words. */
import type { GetStatusResponse, Incident, NodeStatus, Run } from "@vigie/proto";

export type HealthCounts = Readonly<
  Record<"ok" | "resyncing" | "degraded" | "stalled" | "unknown" | "inactive", number>
>;

export interface StatusView {
  readonly status: GetStatusResponse;
  readonly health: HealthCounts;
  /** Of `unknown` and `degraded`: those that a planned maintenance does not explain. */
  readonly unexplained: Pick<HealthCounts, "unknown" | "degraded">;
  /** When the last of the resyncs that run will be done, by the kernels' own rates; 0: none runs, or it is not known. */
  readonly resyncedUnixMs: number;
  readonly nodes: readonly NodeStatus[];
  readonly incidents: readonly Incident[]; // open ones
  readonly runs: readonly Run[]; // open ones, with their events
}
