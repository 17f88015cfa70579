/**
 * Ganeti connects all disks of an instance, and lets DRBD give a side up by itself then (F10). Whatever runbook asks it to,
 * and whatever happened since its plan was approved: ends with writes of their own, or StandAlone, stay apart (I8).
 */
import { ConnectionState, DiskState, Role, RunEventKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { DISK_KIB, threeNodes } from "../simulator/cluster-spec.js";
import { leave } from "../simulator/drbd-commands.js";
import { beginGeneration, endAt, type DiskModel } from "../simulator/drbd-model.js";
import { begin, createPlay } from "../simulator/play.js";
import { diskOf, H1, H2, H3, STAGES, type Stage } from "../simulator/stages.js";
import { OBSERVE, settled, type Acting } from "./acting.js";

function splits(disk: DiskModel): void {
  for (const end of disk.ends) beginGeneration(disk, end);
  for (const end of disk.ends) end.connection = ConnectionState.STAND_ALONE;
}

/** web1 alone, with so many disks. */
function web1(disks: number, primary: string = H1, secondary: string = H2): Promise<Acting> {
  const sizesKib = Array.from({ length: disks }, () => DISK_KIB);
  const instance = {
    name: "web1.sim.example",
    template: "drbd" as const,
    primary,
    secondary,
    sizesKib,
    up: true,
  };
  return settled({ instances: { ...threeNodes(3), instances: [instance] }, config: OBSERVE });
}

function stageOf(runbook: string, nth = 0): Stage {
  const stage = STAGES.filter((each) => each.runbook === runbook)[nth];
  if (stage === undefined) throw new Error(`${runbook} has no such stage`);
  return stage;
}

test.each(["its minor is gone", "it is StandAlone and Inconsistent"])(
  "disk/0 is to be connected again, %s; disk/1 splits before the approval: nothing is connected",
  async (how) => {
    const on = await web1(2);
    const { clock, cluster, world } = on;
    const [first, second] = world.disks as [DiskModel, DiskModel];
    const end = endAt(first, H2);
    if (end === undefined) throw new Error("disk/0 has no end on h2");
    if (how === "its minor is gone") {
      leave({ disk: first, end });
      end.configured = false;
    } else {
      for (const each of first.ends) each.connection = ConnectionState.STAND_ALONE;
      end.disk = DiskState.INCONSISTENT;
      first.outOfSyncKib = 4_000;
    }
    await clock.advance(30_000);
    const run = await on.plan("rebuild-redundancy", { target: "web1" });
    expect(run.plan?.refusals).toEqual([]);
    splits(second);
    await clock.advance(20_000);
    await on.approve(run);
    await clock.advance(60_000);
    cluster.end();
    expect(cluster.requests.map(({ stepId }) => stepId)).toEqual([]);
    expect(second.ends.map(({ connection }) => connection)).toEqual([
      ConnectionState.STAND_ALONE,
      ConnectionState.STAND_ALONE,
    ]);
  },
);

test("while one side of disk/0 is given up, disk/1 splits: nobody has said which side of that one, and it stays apart", async () => {
  const on = await web1(2);
  const { clock, cluster, world } = on;
  const [first, second] = world.disks as [DiskModel, DiskModel];
  splits(first);
  await clock.advance(40_000);
  const run = await on.plan("resolve-split-brain", { instance: "web1", victim: "h2" });
  let done = false;
  cluster.orchestrator().subscribe(({ event }) => {
    if (event?.$case !== "run" || event.value.event?.stepId !== "discard-0" || done) return;
    done = true;
    splits(second);
  });
  await on.approve(run);
  await clock.advance(120_000);
  cluster.end();
  expect(done).toBe(true);
  expect(cluster.requests.map(({ stepId }) => stepId)).not.toContain("connect");
});

test("two Primaries that lost each other, each with writes of its own, are not tidied up after a migration", async () => {
  const on = await web1(1, H2, H3);
  const { clock, cluster, world } = on;
  const [disk] = world.disks as [DiskModel];
  world.partitions.add(`${H2} ${H3}`);
  await clock.advance(14_000);
  disk.ends[1].role = Role.PRIMARY;
  for (const end of disk.ends) beginGeneration(disk, end);
  await clock.advance(20_000);
  const run = await on.plan("cleanup-migration", { instance: "web1" });
  cluster.end();
  expect(run.plan?.refusals.join()).toContain("Primary on both nodes, which are apart");
  expect(run.plan?.wayOut).toEqual(["vigie do resolve-split-brain web1.sim.example"]);
});

test.each([1, 2])(
  "a stuck migration is ended, and its disk splits then: it is not tidied up (stage %i)",
  async (nth) => {
    const play = await createPlay(stageOf("recover-stuck-migration", nth));
    const disk = diskOf(play.cluster.world, "web1");
    play.onRow = ({ stepId, kind }) => {
      if (/^(?:kill-job|restart-ganeti)$/.test(stepId) && kind === RunEventKind.STEP_VERIFIED) splits(disk);
    };
    await begin(play);
    await play.pass(420);
    play.cluster.end();
    expect(disk.ends.map(({ connection }) => connection)).toContain(ConnectionState.STAND_ALONE);
    expect(play.cluster.requests.map(({ stepId }) => stepId)).not.toContain("cleanup-migration");
  },
);

test("a node that comes back with an active copy that was written there alone is online again, and that copy stays apart", async () => {
  const play = await createPlay(stageOf("reinstate-node"));
  const disk = diskOf(play.cluster.world, "web3");
  for (const end of disk.ends) end.configured = true;
  splits(disk);
  await play.pass(10);
  await begin(play);
  await play.pass(180);
  const activated = play.cluster.requests.flatMap(({ action }) =>
    action?.kind?.$case === "submitGanetiJob" && action.kind.value.job?.$case === "activateDisks"
      ? [action.kind.value.job.value.instance]
      : [],
  );
  play.cluster.end();
  expect(activated).not.toContain("web3.sim.example");
});
