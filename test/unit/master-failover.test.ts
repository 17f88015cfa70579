/** The master moves to h2 at each row of a heal, and the old orchestrator goes on as if nothing were (I25, I26). */
import { ActionOutcome } from "@vigie/proto";
import { expect, test } from "vitest";
import { diskOf } from "../scenarios/disk-of.js";
import { cutsThatStand, MASTER, passUntil, stalledCluster } from "./crash.js";

const ROWS = 11;
const NEW_MASTER = "h2.sim.example";

test.each(Array.from({ length: ROWS }, (_, row) => row + 1))("after row %i", async (row) => {
  const hit = await stalledCluster();
  const { cluster } = hit;
  let linesBefore = -1; // of the log, when the master moved
  let madeByOld = 0;
  try {
    hit.atRow(row, () => {
      cluster.world.master = NEW_MASTER;
      linesBefore = cluster.log.length;
      madeByOld = hit.cutsMade.get(hit.runId()) ?? 0;
    });
    expect(await passUntil(hit, () => linesBefore >= 0, 90)).toBe(true);
    await cluster.startOrchestrator();
    const leads = (node: string): boolean => cluster.orchestrator(node).leader.epoch() > 0;
    expect(await passUntil(hit, () => leads(NEW_MASTER), 30)).toBe(true);
    expect(leads(MASTER)).toBe(false);
    await hit.pass(130);

    expect(leads(MASTER)).toBe(false);
    expect(hit.cutsMade.get(hit.runId()) ?? 0).toBe(madeByOld);
    const accepted = cluster.log
      .slice(linesBefore)
      .filter(
        ({ event, detail }) =>
          event === "action.ended" &&
          detail["run"] === hit.runId() &&
          detail["outcome"] !== ActionOutcome.REFUSED,
      );
    expect(accepted).toEqual([]);
    expect([...hit.broken]).toEqual([]);
    expect(cutsThatStand(hit)).toEqual([]);
    expect(diskOf(cluster, "web1").outOfSyncKib).toBe(0); // the old one's cut, or the new one's, let it move again
  } finally {
    cluster.end();
  }
});
