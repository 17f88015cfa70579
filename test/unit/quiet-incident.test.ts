/** An incident of months must not grow with every line that a job writes. */
import { RunEventKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { createSimCluster } from "../simulator/cluster.js";
import { endAt, loseDisk } from "../simulator/drbd-model.js";
import { diskOf, H2 } from "../simulator/stages.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";

test("what a job writes, but for its percentages, is kept with the run, and not again with the incident", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, { config: { policy: { diskless: "auto" } } });
  try {
    await clock.advance(40_000);
    const disk = diskOf(cluster.world, "web1");
    loseDisk(disk, endAt(disk, H2)!);
    const { store } = cluster.orchestrator();
    const job = () => cluster.world.ganeti.jobs.findLast(({ status }) => status === "running");
    await clock.advanceUntil(() => job() !== undefined, 60_000);
    for (const text of ["- device disk/0: 1.00% done, 3s remaining (estimated)", "* wait for the copy"])
      job()?.log.push({ unixMs: clock.wallUnixMs(), text });
    await clock.advance(120_000);
    const [run] = await store.runs(false, 1);
    const [whole] = await store.runsById(run?.id ?? "");
    const lines = whole?.events.filter(({ kind }) => kind === RunEventKind.STEP_LOG) ?? [];
    expect(lines.map(({ text }) => text)).toContain("* wait for the copy");
    expect(lines.filter(({ text }) => text.includes("%"))).toEqual([]);
    const [incident] = await store.incidentsById(run?.plan?.incidentId ?? "i-none");
    expect(incident?.events.some(({ text }) => text.includes(`${run?.id} `))).toBe(true);
    expect(incident?.events.filter(({ text }) => text.includes("step log"))).toEqual([]);
  } finally {
    cluster.end();
  }
});
