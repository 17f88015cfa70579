/** An incident says the one thing that helps: its own runbook, another one, or what a person types. */
import { ConnectionState, DiskState, IncidentKind, Role } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { beginGeneration, invalidate, startResync, type DiskModel } from "../simulator/drbd-model.js";
import { diskOf, H1, H2 } from "../simulator/stages.js";
import { nodeOf, standAlone } from "../simulator/world.js";
import { OBSERVE, settled, type Acting } from "./acting.js";

let acting: Acting;
afterEach(() => acting.cluster.end());

async function begin(trouble: (disk: DiskModel) => void): Promise<DiskModel> {
  acting = await settled({ config: OBSERVE });
  const disk = diskOf(acting.world, "web1");
  trouble(disk);
  await acting.clock.advance(75_000);
  return disk;
}

function proposals(kind: IncidentKind): string[] {
  const open = acting.cluster.orchestrator().desk.open();
  return open
    .filter((incident) => incident.kind === kind)
    .flatMap(({ decision }) => decision.filter((line) => line.startsWith("proposed: ")));
}

test("a mirror that is StandAlone beside an Inconsistent copy is connected again, and becomes whole", async () => {
  const disk = await begin((it) => {
    invalidate(it, it.ends[1]);
    standAlone(it);
  });
  expect(proposals(IncidentKind.STANDALONE)).toEqual([
    "proposed: vigie do rebuild-redundancy web1.sim.example",
  ]);
  disk.rateKibPerS = 500_000;
  await acting.approve(await acting.plan("rebuild-redundancy", { target: "web1" }));
  await acting.clock.advance(120_000);
  expect(disk.ends.map((end) => [end.connection, end.disk])).toEqual([
    [ConnectionState.CONNECTED, DiskState.UP_TO_DATE],
    [ConnectionState.CONNECTED, DiskState.UP_TO_DATE],
  ]);
});

test("a mirror whose both sides may have been written is a person's decision, and that is what is proposed", async () => {
  await begin((it) => {
    standAlone(it);
    beginGeneration(it, it.ends[1]);
  });
  expect(proposals(IncidentKind.STANDALONE)).toEqual([
    "proposed: vigie do resolve-split-brain web1.sim.example",
  ]);
});

test("a resync that a person paused says on which node and how it goes on", async () => {
  const disk = await begin((it) => {
    startResync(it, 40_000);
    it.ends[1].paused = true;
  });
  const minor = disk.ends[1].minor;
  expect(proposals(IncidentKind.DEGRADED)).toEqual([`proposed: ${H2}# drbdsetup resume-sync ${minor}`]);
});

test("a guest that runs beside its primary node, and two Primaries, are tidied up as after a migration", async () => {
  await begin((it) => {
    it.ends[1].role = Role.PRIMARY;
    it.ends[0].role = Role.SECONDARY;
    nodeOf(acting.world, H1).guests.delete(it.instance);
    nodeOf(acting.world, H2).guests.add(it.instance);
  });
  expect(proposals(IncidentKind.GUEST_WRONG_NODE)).toEqual([
    "proposed: vigie do cleanup-migration web1.sim.example",
  ]);
});

test("a mirror of which no copy is left is a person's: no runbook mends that, and none is proposed", async () => {
  const disk = await begin((it) => {
    for (const end of it.ends) end.disk = DiskState.INCONSISTENT;
    standAlone(it);
  });
  expect(disk.ends.map((end) => end.disk)).not.toContain(DiskState.UP_TO_DATE);
  const open = acting.cluster.orchestrator().desk.open();
  const lost = open.find(({ findingKey }) => findingKey === "no-copy");
  expect(lost?.decision.join("; ")).toMatch(/there is no runbook for it: a person decides/);
});
