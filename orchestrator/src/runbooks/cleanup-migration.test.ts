import { ConnectionState, GanetiJob, Guest, type Plan } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { cleanupMigration } from "./cleanup-migration.js";
import { planFaults } from "./plan-faults.js";
import { stepById } from "./runbook.js";
import { minorIn, nodeIn, planIn, small, stepIds, type World } from "./testing.js";

const { STAND_ALONE, SYNC_SOURCE } = ConnectionState;

function plan(change: (world: World) => void = () => {}): Plan {
  return planIn(small(change), cleanupMigration, { instance: "web1" });
}

function runsOnH2(world: World): void {
  nodeIn(world, "h1").guests = [];
  nodeIn(world, "h2").guests.push(Guest.create({ instance: "web1" }));
}

function migration(status: string) {
  return GanetiJob.create({ id: 5, status, summary: "INSTANCE_MIGRATE(web1)", instances: ["web1"] });
}

test("Ganeti cleans up, and must then name the node where the guest runs", () => {
  const made = plan(runsOnH2);
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual(["cleanup-migration", "await-clean"]);
  expect(planFaults(made)).toEqual([]);
  expect(stepById(made, "cleanup-migration")?.manualCommands).toEqual([
    "h1# gnt-instance migrate -f --cleanup web1",
  ]);
  const [on] = stepById(made, "await-clean")?.condition?.what?.$case === "allOf" ? conditions(made) : [];
  expect(on?.what).toMatchObject({ $case: "instanceOn", value: { node: "h2", running: true } });
});

function conditions(made: Plan) {
  const what = stepById(made, "await-clean")?.condition?.what;
  return what?.$case === "allOf" ? what.value.conditions : [];
}

describe("it is refused", () => {
  test.each<[string, (world: World) => void, string, string[]]>([
    [
      "while the migration runs",
      (w) => w.inventory.jobs.push(migration("running")),
      "job 5, INSTANCE_MIGRATE(web1), is running",
      ["vigie do recover-stuck-migration web1"],
    ],
    ["while a migration waits", (w) => w.inventory.jobs.push(migration("waiting")), "is waiting", []],
    [
      "for a StandAlone end: to connect it may give a side up (F10)",
      (w) => (minorIn(w, "h2", 0).connection = STAND_ALONE),
      "h2 is StandAlone",
      ["vigie do resolve-split-brain web1"],
    ],
    [
      "while a resync stands",
      (w) => {
        minorIn(w, "h1", 0).connection = SYNC_SOURCE;
        nodeIn(w, "h1").still = { 0: 9_000 };
      },
      "a resync runs on h1",
      ["vigie do reset-stalled-sync web1"],
    ],
    [
      "for a guest that runs twice",
      (w) => nodeIn(w, "h2").guests.push(Guest.create({ instance: "web1" })),
      "runs on h1 and h2 at once",
      [],
    ],
    ["for a guest that runs nowhere", (w) => (nodeIn(w, "h1").guests = []), "h1# gnt-instance stop web1", []],
    [
      "for a guest on a third node",
      (w) => {
        nodeIn(w, "h1").guests = [];
        nodeIn(w, "h3").guests.push(Guest.create({ instance: "web1" }));
      },
      "runs on h3, where it has no disk",
      [],
    ],
    ["when a node does not tell", (w) => (nodeIn(w, "h2").silent = true), "h2 does not tell", []],
    ["for an end that is not active", (w) => (nodeIn(w, "h2").minors = []), "h2 minor 0 is not active", []],
  ])("%s", (_what, change, why, wayOut) => {
    const made = plan(change);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.wayOut).toEqual(wayOut);
    expect(made.steps).toEqual([]);
  });
});
