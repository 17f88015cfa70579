import { ConnectionState, DiskState, GanetiJob, Role, type Plan } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { recoverStuckMigration } from "./recover-stuck-migration.js";
import { minorIn, nodeIn, planIn, small, stepIds, viewOf, WALL_MS, type World } from "./testing.js";
import { stepById } from "./runbook.js";

const { SYNC_SOURCE, SYNC_TARGET, STAND_ALONE } = ConnectionState;

const MIGRATION = GanetiJob.create({
  id: 77,
  status: "running",
  summary: "INSTANCE_MIGRATE(web1)",
  instances: ["web1"],
});

/** web1's migration to h2 hangs: both ends are Primary, and the resync stands. */
function hung(world: World): void {
  world.inventory.jobs.push(MIGRATION);
  Object.assign(minorIn(world, "h1", 0), {
    connection: SYNC_SOURCE,
    peerRole: Role.PRIMARY,
    peerDisk: DiskState.INCONSISTENT,
    outOfSyncKib: 4,
  });
  Object.assign(minorIn(world, "h2", 0), {
    connection: SYNC_TARGET,
    role: Role.PRIMARY,
    outOfSyncKib: 4,
  });
  nodeIn(world, "h1").still = { 0: 8_000 };
  nodeIn(world, "h2").still = { 0: 8_000 };
}

function planWith(change: (world: World) => void, parameters: Record<string, string> = {}): Plan {
  const world = small((w) => {
    hung(w);
    change(w);
  });
  return planIn(world, recoverStuckMigration, { instance: "web1", ...parameters });
}

test("the resync is made to move first, and the job is killed only then", () => {
  const plan = planWith(() => {});
  expect(plan.refusals).toEqual([]);
  expect(stepIds(plan)).toEqual([
    "pause-watcher ← continue-watcher",
    "await-verdict-0",
    "cut-link-0 ← restore-link-0",
    "await-link-down-0",
    "restore-link-0",
    "await-resync-moves-0",
    "await-redundant",
    "await-job",
    "kill-job!",
    "cleanup-migration",
    "await-clean",
    "continue-watcher",
  ]);
  expect(planFaults(plan)).toEqual([]);
});

test("the guard of the cut is told which job made both ends Primary", () => {
  expect(
    stepById(
      planWith(() => {}),
      "cut-link-0",
    )?.action?.kind,
  ).toMatchObject({ value: { migrateJobId: 77 } });
});

test("a job that is over is not killed, and one that writes in its log is not either", () => {
  const kill = stepById(
    planWith(() => {}),
    "kill-job",
  );
  expect(kill?.holds?.what).toEqual({ $case: "jobOver", value: { jobId: 77 } });
  const required = kill?.requires?.what;
  const cases = required?.$case === "allOf" ? required.value.conditions.map((c) => c.what?.$case) : [];
  expect(cases).toEqual(["redundant", "jobStill"]);
});

test.each([
  ["2.11.6", "restart-ganeti!", "h1# service ganeti restart"],
  ["2.12.4", "restart-ganeti!", "h1# service ganeti restart"],
  ["2.13.0", "kill-job!", "h1# gnt-job cancel --kill --yes-do-it -f 77"],
  ["3.1.0", "kill-job!", "h1# gnt-job cancel --kill --yes-do-it -f 77"],
  ["", "kill-job!", "h1# gnt-job cancel --kill --yes-do-it -f 77"],
])("Ganeti %s ends the job by the step %s, which is shown as %s", (release, step, command) => {
  const plan = planWith((w) => (w.release = release));
  expect(stepIds(plan)[8]).toBe(step);
  expect(plan.steps[8]?.manualCommands).toEqual([command]);
  expect(planFaults(plan)).toEqual([]);
});

test("nothing is cleaned up after a migration that ended well by itself", () => {
  const step = stepById(
    planWith(() => {}),
    "cleanup-migration",
  );
  expect(step?.holds?.what).toEqual({ $case: "jobSucceeded", value: { stepId: "", jobId: 77 } });
});

test("a resync that moves now may stand by then: it is reset only if it does, and let back only if it was cut", () => {
  const plan = planWith((w) => (nodeIn(w, "h1").still = { 0: 1_000 }));
  expect(plan.refusals).toEqual([]);
  const onlyIf = plan.steps.filter(({ onlyIf: it }) => it !== undefined);
  expect(onlyIf.map(({ id, onlyIf: it }) => [id, it?.what?.$case])).toEqual([
    ["cut-link-0", "resyncStands"],
    ["await-link-down-0", "stepRan"],
    ["restore-link-0", "stepRan"],
    ["await-resync-moves-0", "stepRan"],
  ]);
});

describe("with migrate=yes it is migrated to where it was to go,", () => {
  const target = (plan: Plan) => stepById(plan, "migrate-again")?.holds?.what;

  test("its secondary, while both ends are Primary", () => {
    expect(target(planWith(() => {}, { migrate: "yes" }))).toMatchObject({ value: { node: "h2" } });
  });

  test("Ganeti's primary, once one end is Secondary: the memory was copied", () => {
    const plan = planWith((w) => Object.assign(minorIn(w, "h2", 0), { role: Role.SECONDARY }), {
      migrate: "yes",
    });
    expect(target(plan)).toMatchObject({ value: { node: "h1" } });
  });

  test("and without it, not", () => {
    expect(target(planWith(() => {}))).toBeUndefined();
  });
});

describe("it is refused", () => {
  const noJob = (w: World) => (w.inventory.jobs.length = 0);
  const whole = small();
  test.each<[string, (world: World) => void, string, string[]]>([
    [
      "without a migration, with a stall",
      noJob,
      "no migration of web1 runs",
      ["vigie do reset-stalled-sync web1 0"],
    ],
    [
      "without a migration and a stall",
      (w) => {
        noJob(w);
        Object.assign(minorIn(w, "h1", 0), minorIn(whole, "h1", 0));
        Object.assign(minorIn(w, "h2", 0), minorIn(whole, "h2", 0));
      },
      "no migration of web1 runs",
      ["vigie do cleanup-migration web1"],
    ],
    [
      "while the migration only waits for its locks",
      (w) => (w.inventory.jobs = [{ ...MIGRATION, status: "waiting" }]),
      "no migration of web1 runs",
      ["vigie do reset-stalled-sync web1 0"],
    ],
    [
      "for a StandAlone end",
      (w) => Object.assign(minorIn(w, "h2", 0), { connection: STAND_ALONE }),
      "h2 is StandAlone",
      ["vigie do resolve-split-brain web1"],
    ],
    ["for a silent end", (w) => (nodeIn(w, "h2").silent = true), "h2 has not reported", []],
    ["for a stale end", (w) => (nodeIn(w, "h2").ageMs = 9_000), "9 s old", []],
    ["for an end that is not active", (w) => (nodeIn(w, "h2").minors = []), "not active", []],
  ])("%s", (_what, change, why, wayOut) => {
    const plan = planWith(change);
    expect(plan.refusals.join("; ")).toContain(why);
    expect(plan.wayOut).toEqual(wayOut);
    expect(planFaults(plan)).toEqual([]);
  });
});

test("a pause of the watcher that a person made is left as it is", () => {
  const plan = planWith((w) => (w.inventory.watcherPausedUntilUnixS = WALL_MS / 1000 + 86_400));
  expect(stepIds(plan).filter((id) => id.includes("watcher"))).toEqual([]);
  expect(plan.notes.join()).toContain("paused already");
});

test("the same view gives the same plan", () => {
  const view = viewOf(small(hung));
  const request = {
    parameters: { instance: "web1" },
    view,
    nowMs: 1_000_000,
    wallUnixMs: 1,
    incidentId: "",
    ttlS: 30,
    minStillMs: 7_000,
    ownWatcherPause: false,
  };
  expect(recoverStuckMigration.plan(request)).toEqual(recoverStuckMigration.plan(request));
});
