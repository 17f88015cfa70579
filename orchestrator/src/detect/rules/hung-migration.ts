/**
 * A migration that hangs: its job runs, and a mirror of the instance does not move. Ganeti waits for that mirror without
 * a limit, and without a word once it is at 100 % (ganeti lib/cmdlib/instance_migration.py, _WaitUntilSync).
 */
import { IncidentKind, Severity } from "@vigie/proto";
import { resourceName } from "../evidence.js";
import { foundBy, isKnown, type ResourceRule } from "../rule.js";
import { stalledSync } from "./stalled-sync.js";

export const hungMigration: ResourceRule = {
  about: "resource",
  kind: IncidentKind.HUNG_MIGRATION,
  holdDownMs: 0,
  clearMs: 3_000,
  judge: (resource, ends, view, settings) => {
    const job = view.inventory?.jobs.find(
      ({ status, summary }) => status === "running" && summary === `INSTANCE_MIGRATE(${resource.instance})`,
    );
    if (job === undefined) return [];
    const stall = stalledSync.judge(resource, ends, view, settings);
    if (!isKnown(stall)) return "unknown";
    return foundBy(stall).map((finding) => ({
      ...finding,
      summary: `${resourceName(resource)}: the migration, job ${job.id}, waits for a resync that does not move`,
      severity: Severity.CRITICAL,
    }));
  },
};
