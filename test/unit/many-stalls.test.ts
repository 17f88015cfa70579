/** What passes by itself is waited for: stalls of one node pair, a stop of a minute, a window that opens later. */
import { createService } from "@vigie/orchestrator";
import { DiskState, IncidentState, RunState } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { createSimCluster, type SimCluster, type SimOptions } from "../simulator/cluster.js";
import { endAt, loseDisk, startResync } from "../simulator/drbd-model.js";
import { diskOf, H2 } from "../simulator/stages.js";
import { onePair } from "./acting.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";

const clusters: SimCluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.end();
});

async function begun(options: SimOptions = {}) {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, options);
  clusters.push(cluster);
  await clock.advance(12_000);
  return { clock, cluster };
}

async function stall(clock: VirtualClock, cluster: SimCluster, ...names: string[]): Promise<void> {
  for (const name of names) startResync(diskOf(cluster.world, name), 40_000);
  await clock.advance(5_000);
  for (const name of names) diskOf(cluster.world, name).blackhole = "this-connection";
}

test("of resyncs between two nodes that stall together one is healed first, and then all others at once", async () => {
  const { clock, cluster } = await begun({ instances: 9 });
  await stall(clock, cluster, "web1", "web4", "web7");
  const atWork = () => cluster.orchestrator().executor.open().length;
  await clock.advanceUntil(() => atWork() > 0, 30_000);
  await clock.advance(2_000);
  expect(atWork()).toBe(1);
  const decisions = cluster.orchestrator().desk.open();
  expect(decisions.filter(({ decision }) => decision.join().includes("until the first heal")).length).toBe(2);
  await clock.advanceUntil(() => atWork() === 2, 30_000);
  expect(atWork()).toBe(2);
  await clock.advance(60_000);
  expect(cluster.orchestrator().desk.open()).toEqual([]);
});

test("sixty resyncs between two nodes that stall at one moment all move again a minute after the first was flagged", async () => {
  const { clock, cluster } = await begun({ instances: onePair(60) });
  const names = Array.from({ length: 60 }, (_, n) => `web${n + 1}`);
  await stall(clock, cluster, ...names);
  const flagged = () => cluster.orchestrator().desk.open().length > 0;
  expect(await clock.advanceUntil(flagged, 30_000)).toBe(true);
  const moving = () => names.every((name) => diskOf(cluster.world, name).blackhole === "none");
  expect(await clock.advanceUntil(moving, 60_000)).toBe(true);
});

test("a stall that came while everything was stopped is healed once it is let go", async () => {
  const { clock, cluster } = await begun();
  const service = createService(cluster.orchestrator());
  const set = async (stopped: boolean): Promise<void> => {
    const answer = service.setKillSwitch({ stopped, reason: "look" }, "anna");
    await clock.advance(500);
    await answer;
  };
  await set(true);
  await stall(clock, cluster, "web1");
  await clock.advance(20_000);
  expect(cluster.orchestrator().desk.open()).toMatchObject([{ state: IncidentState.OPEN }]);
  await set(false);
  await clock.advance(60_000);
  expect(cluster.orchestrator().desk.open()).toEqual([]);
});

test("a plan that waits for approval is withdrawn when its incident is over", async () => {
  const { clock, cluster } = await begun({ config: { policy: { stalled_sync: "ask" } } });
  await stall(clock, cluster, "web1");
  const { executor, desk, store } = cluster.orchestrator();
  const waits = () => executor.open().some(({ state }) => state === RunState.AWAITING_APPROVAL);
  expect(await clock.advanceUntil(waits, 30_000)).toBe(true);
  diskOf(cluster.world, "web1").blackhole = "none"; // somebody mended it by hand
  await clock.advanceUntil(() => desk.open().length === 0, 60_000);
  await clock.advance(3_000);
  expect(executor.open()).toEqual([]);
  const [run] = await store.runs(false, 1);
  expect(run?.state).toBe(RunState.ABORTED);
});

test("what is destructive waits for its maintenance window, and is done when that opens", async () => {
  const config = { policy: { diskless: "auto", windows: ["Thu 00:20-05:00"] } };
  const { clock, cluster } = await begun({ config });
  await clock.advance(30_000);
  const disk = diskOf(cluster.world, "web1");
  loseDisk(disk, endAt(disk, H2)!);
  await clock.advance(60_000);
  const [waiting] = cluster.orchestrator().desk.open();
  expect(waiting?.decision.join("; ")).toContain("waits for a maintenance window: Thu 00:20-05:00 (UTC)");
  await clock.advance(25 * 60_000);
  expect(endAt(disk, H2)?.disk).toBe(DiskState.UP_TO_DATE);
});

test("a plan that nobody approved in time is made and asked for again while its incident stands", async () => {
  const { clock, cluster } = await begun({ config: { policy: { stalled_sync: "ask" } } });
  await stall(clock, cluster, "web1");
  await clock.advance(20_000);
  const waiting = () =>
    cluster
      .orchestrator()
      .executor.open()
      .filter(({ state }) => state === RunState.AWAITING_APPROVAL)
      .map(({ id }) => id);
  const [first] = waiting();
  await clock.advance(16 * 60_000);
  const [second] = waiting();
  expect([first, second]).toEqual([expect.any(String), expect.any(String)]);
  expect(second).not.toBe(first);
});
