/** An incident is HEALING while its run is at work; whatever happens at the run's end, somebody goes on with it. */
import { ConnectionState, IncidentState, RunEventKind, RunState } from "@vigie/proto";
import { expect, test } from "vitest";
import { diskOf } from "../scenarios/disk-of.js";
import { endAt } from "../simulator/drbd-model.js";
import { diskOf as diskIn, H2 } from "../simulator/stages.js";
import { onePair, settled } from "./acting.js";
import { passUntil, stalledCluster } from "./crash.js";

const MINUTE_MS = 60_000;

test("an orchestrator that is killed the moment that a vain heal has ended hands the stall to a person all the same", async () => {
  const hit = await stalledCluster();
  const { cluster } = hit;
  diskOf(cluster, "web1").blackhole = "port"; // another connection does not help
  let struck = false;
  cluster.orchestrator().subscribe(({ event }) => {
    if (event?.$case !== "run" || event.value.event?.kind !== RunEventKind.ENDED || struck) return;
    struck = true;
    cluster.killOrchestrator();
  });
  expect(await passUntil(hit, () => struck, 300)).toBe(true);
  await hit.pass(4);
  await cluster.startOrchestrator();
  await hit.clock.advance(2 * MINUTE_MS);
  const [incident] = cluster.orchestrator().desk.open();
  cluster.end();
  expect(incident?.state).toBe(IncidentState.NEEDS_PERSON);
});

test("a trouble that is back before its incident was closed is answered anew, though the run had succeeded", async () => {
  const { clock, cluster, world } = await settled({
    instances: onePair(2),
    config: { policy: { degraded: "auto" } },
  });
  const disk = diskIn(world, "web1");
  const goesDown = (): void => {
    const end = endAt(disk, H2);
    if (end === undefined) throw new Error("web1 has no copy on h2");
    end.configured = false;
    end.connection = ConnectionState.UNCONFIGURED;
  };
  goesDown();
  let succeeded = 0;
  cluster.orchestrator().subscribe(({ event }) => {
    if (event?.$case !== "run" || event.value.state !== RunState.SUCCEEDED) return;
    succeeded += 1;
    if (succeeded === 1) goesDown();
  });
  await clock.advance(20 * MINUTE_MS);
  const [incident] = cluster.orchestrator().desk.open();
  cluster.end();
  expect(succeeded).toBeGreaterThan(0);
  expect(incident?.state).toBe(IncidentState.NEEDS_PERSON); // it came back within the hour
  expect(incident?.decision.join()).not.toBe("");
});
