/** A heal that is hit after each row of its run: every process killed, and started again (I17, I22, I23, I28). */
import { RunEventKind } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { cutsThatStand, ended, MASTER, stalledCluster, passUntil, type Hit } from "./crash.js";

const DOWN_S = 4;
const ENDS_WITHIN_S = 200; // a node that stays away is waited for while a cut could live

/** The rows of the undisturbed run: planned, approved, then each step's, then its end. */
const ROWS = await countRows();

async function countRows(): Promise<number> {
  const hit = await stalledCluster();
  await hit.pass(90);
  hit.cluster.end();
  return hit.rows().length;
}

test("the undisturbed heal has the rows that are hit below", () => {
  expect(ROWS).toBe(11);
});

const KILLED: readonly [string, boolean, boolean][] = [
  ["the orchestrator", true, false],
  ["the agent that cuts", false, true],
  ["both", true, true],
];

describe.each(KILLED)("%s killed", (_who, orchestrator, agent) => {
  test.each(Array.from({ length: ROWS - 1 }, (_, row) => row + 1))("after row %i", async (row) => {
    const hit = await stalledCluster();
    const { cluster } = hit;
    try {
      let struck = false;
      hit.atRow(row, () => {
        struck = true;
        if (orchestrator) cluster.killOrchestrator();
        if (agent) cluster.killAgent(MASTER);
      });
      expect(await passUntil(hit, () => struck, 90)).toBe(true);
      await hit.pass(DOWN_S);
      if (agent) cluster.startAgent(MASTER);
      if (orchestrator) {
        await cluster.startOrchestrator();
        hit.follow();
      }
      expect(await passUntil(hit, () => ended(hit), ENDS_WITHIN_S)).toBe(true);
      await hit.pass(2);
      await expectOrder(hit);
    } finally {
      cluster.end();
    }
  });
});

async function expectOrder(hit: Hit): Promise<void> {
  const [run] = await hit.cluster.orchestrator().store.runsById(hit.runId());
  const events = run?.events ?? [];
  expect(events.at(-1)?.kind).toBe(RunEventKind.ENDED);
  expect(ended(hit)).toBe(true);
  expect(cutsThatStand(hit)).toEqual([]);
  expect([...hit.broken]).toEqual([]);
  for (const [runId, made] of hit.cutsMade) {
    const keys = events.filter((e) => e.kind === RunEventKind.STEP_INTENT && e.stepId === "cut-link");
    expect(made, `${runId} was cut`).toBeLessThanOrEqual(keys.length);
  }
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
  expect(await hit.cluster.orchestrator().auditor.state()).toMatchObject({ intact: true });
}
