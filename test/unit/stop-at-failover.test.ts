/** A stop that was confirmed holds wherever the master moves, whatever was said on an orchestrator that only stood by (I33). */
import { createService } from "@vigie/orchestrator";
import { expect, test } from "vitest";
import { createSimCluster } from "../simulator/cluster.js";
import { startResync } from "../simulator/drbd-model.js";
import { diskOf, H1, H2 } from "../simulator/stages.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";

test("a drill on the standby lets nothing go that is stopped on the master, when the master moves there", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock);
  await clock.advance(12_000);
  const soon = async <T>(answer: Promise<T>): Promise<T> => {
    answer.catch(() => undefined);
    await clock.advance(4_000);
    return answer;
  };
  cluster.world.master = H2;
  await cluster.startOrchestrator();
  cluster.world.master = H1;
  await clock.advance(10_000);
  const standby = createService(cluster.orchestrator(H2));
  await soon(standby.setKillSwitch({ stopped: true, reason: "drill" }, "bob"));
  await expect(soon(standby.setKillSwitch({ stopped: false, reason: "over" }, "bob"))).rejects.toMatchObject({
    code: "NOT_LEADING",
  });
  const master = createService(cluster.orchestrator(H1));
  expect(await soon(master.setKillSwitch({ stopped: true, reason: "wrong disk" }, "anna"))).toMatchObject({
    confirmed: true,
  });
  cluster.killOrchestrator(H1);
  cluster.world.master = H2;
  await clock.advance(40_000);
  expect(cluster.orchestrator(H2).leader.epoch()).toBeGreaterThan(0);
  const disk = diskOf(cluster.world, "web1");
  startResync(disk, 40_000);
  await clock.advance(5_000);
  disk.blackhole = "this-connection";
  await clock.advance(60_000);
  cluster.end();
  expect(cluster.requests).toEqual([]);
});
