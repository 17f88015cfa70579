/** Ganeti's queue is not ours: a job that waits there begins when its locks are free, whatever became of its run. */
import { createService } from "@vigie/orchestrator";
import { ControlRunRequest, RunState, RunVerb } from "@vigie/proto";
import { expect, test } from "vitest";
import { endAt, loseDisk } from "../simulator/drbd-model.js";
import { submit } from "../simulator/ganeti-jobs.js";
import { diskOf, H2, H3 } from "../simulator/stages.js";
import { nodeOf, powerOff } from "../simulator/world.js";
import { OBSERVE, settled, type Acting } from "./acting.js";

const MINUTE_MS = 60_000;

/** Somebody's job that holds this lock, which its summary does not name. */
function holds({ world }: Acting, lock: string, ms: number): void {
  submit(world, {
    opcode: "GROUP_VERIFY_DISKS",
    subject: "default",
    instances: [],
    locks: [lock],
    reasons: [],
    work: (work) => work.sleep(ms),
  });
}

async function rebuilding(on: Acting): Promise<string> {
  const disk = diskOf(on.world, "web1");
  const end = endAt(disk, H2);
  if (end !== undefined) loseDisk(disk, end);
  await on.clock.advance(10_000);
  const run = await on.plan("rebuild-redundancy", { target: "web1" });
  holds(on, "instance web1.sim.example", 10 * MINUTE_MS);
  await on.approve(run);
  await on.clock.advance(20_000);
  return run.id;
}

const replaceDisks = ({ world }: Acting) =>
  world.ganeti.jobs.find(({ opcode }) => opcode === "INSTANCE_REPLACE_DISKS");

test("a run that is aborted holds what it holds until its queued job is over, and says how to take it out", async () => {
  const on = await settled({ config: OBSERVE });
  const id = await rebuilding(on);
  expect(replaceDisks(on)?.status).toBe("waiting");
  await on.abort(id);
  await on.clock.advance(MINUTE_MS);
  const [open] = on.cluster.orchestrator().executor.open();
  expect(open?.id).toBe(id);
  expect(open?.progress?.text).toMatch(/job 42 is waiting.*gnt-job cancel 42 takes it out/);
  const job = replaceDisks(on);
  if (job !== undefined) job.status = "canceled"; // as gnt-job cancel
  await on.clock.advance(MINUTE_MS);
  const [run] = await on.cluster.orchestrator().store.runsById(id);
  on.cluster.end();
  expect(run?.state).toBe(RunState.ABORTED);
});

test("a stop is not confirmed while a job of ours waits in Ganeti's queue: it would begin by itself", async () => {
  const on = await settled({ config: OBSERVE });
  await rebuilding(on);
  const service = createService(on.cluster.orchestrator());
  const stopping = service.setKillSwitch({ stopped: true, reason: "wrong" }, "anna");
  await on.clock.advance(4_000);
  const stop = await stopping;
  on.cluster.end();
  expect(stop).toMatchObject({ stopped: true, confirmed: false });
  expect(stop.unconfirmedReason).toContain("gnt-job cancel 42");
});

test("a step's time begins when Ganeti begins with its job: what waits in the queue has not failed, and is not taken back", async () => {
  const on = await settled({ config: OBSERVE });
  const { clock, cluster, world } = on;
  cluster.killAgent(H3);
  powerOff(world, H3);
  await clock.advance(MINUTE_MS);
  const run = await on.plan("disable-dead-node", { node: "h3" });
  await on.approve(run);
  holds(on, `node ${H3}`, 6 * MINUTE_MS);
  await clock.advance(8_000);
  await on.say(run.id, RunVerb.CONFIRM);
  await clock.advance(8 * MINUTE_MS);
  cluster.end();
  expect(nodeOf(world, H3).offline).toBe(true);
  expect(cluster.requests.map(({ stepId }) => stepId)).not.toContain("set-online");
});

test("a job of ours that never ends is a person's after a while, and who takes the run over ends it at once", async () => {
  const on = await settled({ config: { ...OBSERVE, runs: { ask_when_unchanged_min: 5 } } });
  const id = await rebuilding(on);
  await on.abort(id);
  await on.clock.advance(7 * MINUTE_MS);
  const [run] = on.cluster.orchestrator().executor.open();
  expect(run?.state).toBe(RunState.FROZEN);
  expect(run?.events.at(-1)?.text).toMatch(
    /nothing has changed for 5 min: job 42 is waiting.*take the run over/,
  );
  const takeOver = ControlRunRequest.create({ runId: id, verb: RunVerb.TAKE_OVER, reason: "by hand" });
  const taken = createService(on.cluster.orchestrator()).controlRun(takeOver, "anna");
  await on.clock.advance(2_000);
  await taken;
  const open = on.cluster.orchestrator().executor.open();
  on.cluster.end();
  expect(open).toEqual([]);
});
