import { Maintenance, type Clock, type MaintenanceList } from "@vigie/proto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Change } from "../store/store.js";
import { createMaintenanceKeeper, type MaintenanceKeeper } from "./maintenance.js";

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 24, 12);

let clock: { monotonicMs: number; wallUnixMs: number };
let kept: Change[];
let announced: MaintenanceList[];
let onDisk: () => Promise<void>;

beforeEach(() => {
  clock = { monotonicMs: 5_000, wallUnixMs: NOON };
  kept = [];
  announced = [];
  onDisk = async () => undefined;
});

/** Both clocks. */
function pass(ms: number): void {
  clock.monotonicMs += ms;
  clock.wallUnixMs += ms;
}

function made(known: MaintenanceList = { number: 0, maintenances: [] }): MaintenanceKeeper {
  const its: Clock = {
    monotonicMs: () => clock.monotonicMs,
    wallUnixMs: () => clock.wallUnixMs,
    sleep: async () => undefined,
  };
  return createMaintenanceKeeper({
    clock: its,
    ownNode: "h1",
    maxMs: () => 24 * HOUR_MS,
    known,
    record: async (changes) => {
      await onDisk();
      kept.push(...changes);
    },
    announce: (list) => void announced.push(list),
  });
}

/** The same orchestrator's next life, on what is on disk. */
function restarted(before: MaintenanceKeeper): MaintenanceKeeper {
  clock.monotonicMs = 100; // of another boot
  return made(before.newest());
}

const nodes = (keeper: MaintenanceKeeper): string[] => keeper.on().map(({ node }) => node);
const planned = (node: string, hours: number, begunUnixMs = NOON): Maintenance =>
  Maintenance.create({ node, begunUnixMs, untilUnixMs: begunUnixMs + hours * HOUR_MS, person: "anna" });

test("it counts when it is on disk, is told to every agent, and is in the audit log with who and why", async () => {
  const keeper = made();
  const written = Promise.withResolvers<void>();
  onDisk = () => written.promise;
  const begun = keeper.begin("h3", 2 * HOUR_MS, "anna", "firmware");
  await Promise.resolve();
  expect(nodes(keeper)).toEqual([]);
  written.resolve();
  const maintenance = await begun;
  expect(maintenance).toEqual({
    node: "h3",
    begunUnixMs: NOON,
    untilUnixMs: NOON + 2 * HOUR_MS,
    person: "anna",
    reason: "firmware",
  });
  expect(keeper.on()).toEqual([maintenance]);
  expect(announced).toEqual([{ number: 1, maintenances: [maintenance] }]);
  expect(kept).toMatchObject([
    { record: "maintenance", list: { number: 1 } },
    {
      record: "audit",
      audit: { actor: "anna", action: "maintenance.begun", subject: "h3", detail: { reason: "firmware" } },
    },
  ]);
});

test("it always has an end, which is not beyond the maximum, and announced again it has another", async () => {
  const keeper = made();
  for (const forMs of [0, -1, Number.NaN, 24 * HOUR_MS + 1])
    await expect(keeper.begin("h3", forMs, "anna", "")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await keeper.begin("h3", HOUR_MS, "anna", "");
  await keeper.begin("h3", 3 * HOUR_MS, "bert", "it takes longer");
  expect(keeper.on()).toMatchObject([{ node: "h3", untilUnixMs: NOON + 3 * HOUR_MS, person: "bert" }]);
  pass(2 * HOUR_MS);
  expect(nodes(keeper)).toEqual(["h3"]);
  pass(HOUR_MS);
  expect(nodes(keeper)).toEqual([]);
});

test("two that are announced at once are both kept", async () => {
  const keeper = made();
  await Promise.all([keeper.begin("h3", HOUR_MS, "anna", ""), keeper.begin("h2", HOUR_MS, "bert", "")]);
  expect(nodes(keeper)).toEqual(["h2", "h3"]);
  expect(announced.at(-1)?.maintenances).toHaveLength(2);
});

test("a person ends it, and what was not begun cannot be ended", async () => {
  const keeper = made();
  await expect(keeper.end("h3", "anna", "")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await keeper.begin("h3", HOUR_MS, "anna", "");
  await keeper.end("h3", "anna", "done");
  expect(nodes(keeper)).toEqual([]);
  expect(announced.at(-1)).toEqual({ number: 2, maintenances: [] });
  expect(kept.at(-1)).toMatchObject({ audit: { actor: "anna", action: "maintenance.ended" } });
});

describe("when a clock is set", () => {
  test("back, it lasts no longer than it was announced for", async () => {
    const keeper = made();
    await keeper.begin("h3", HOUR_MS, "anna", "");
    clock.wallUnixMs -= 10 * 365 * 24 * HOUR_MS;
    pass(HOUR_MS - 1);
    expect(nodes(keeper)).toEqual(["h3"]);
    pass(1);
    expect(nodes(keeper)).toEqual([]);
  });

  test("forward, it is over: what is told too early harms nobody", async () => {
    const keeper = made();
    await keeper.begin("h3", HOUR_MS, "anna", "");
    clock.wallUnixMs += HOUR_MS;
    expect(nodes(keeper)).toEqual([]);
  });

  test("back before a restart, to before it was begun, it is over: how much is left is not known", async () => {
    const keeper = made();
    await keeper.begin("h3", HOUR_MS, "anna", "");
    clock.wallUnixMs -= HOUR_MS;
    expect(nodes(restarted(keeper))).toEqual([]);
  });
});

test("after a restart it lasts to the same end", async () => {
  const keeper = made();
  await keeper.begin("h3", 2 * HOUR_MS, "anna", "");
  pass(HOUR_MS);
  const again = restarted(keeper);
  expect(nodes(again)).toEqual(["h3"]);
  pass(HOUR_MS);
  expect(nodes(again)).toEqual([]);
});

describe("an orchestrator on the next master", () => {
  const list = { number: 4, maintenances: [planned("h3", 2)] };

  test("takes it up from the agent of its own node, and tells it on", async () => {
    const keeper = made();
    await keeper.learn(list, "h1");
    expect(nodes(keeper)).toEqual(["h3"]);
    expect(announced).toEqual([list]);
    expect(kept).toMatchObject([{ record: "maintenance" }, { audit: { action: "maintenance.learned" } }]);
  });

  test("though the clock of this master is some minutes behind that of the old one, and not hours", async () => {
    clock.wallUnixMs = NOON - 240_000;
    const keeper = made();
    await keeper.learn(list, "h1");
    expect(nodes(keeper)).toEqual(["h3"]);
    clock.wallUnixMs = NOON - HOUR_MS;
    const other = made();
    await other.learn(list, "h1");
    expect(nodes(other)).toEqual([]);
  });

  test("begins none by another agent's word, whenever that comes (I41)", async () => {
    const keeper = made();
    await keeper.learn(list, "h2");
    await keeper.learn({ number: 0, maintenances: [] }, "h1");
    await keeper.learn(list, "h3");
    expect(nodes(keeper)).toEqual([]);
    expect(announced).toEqual([]);
  });

  test("learns by another agent's word that one is over, which only lets more be told", async () => {
    const keeper = made(list);
    const newer = { number: 6, maintenances: [planned("h2", 2)] };
    await keeper.learn(newer, "h2"); // before its own node's agent has spoken
    expect(nodes(keeper)).toEqual(["h3"]);
    await keeper.learn(list, "h1");
    expect(nodes(keeper)).toEqual([]);
    expect(announced.at(-1)).toEqual({ number: 7, maintenances: [] }); // for all, newer than either
  });

  test("with an old store takes its own agent's list, though another's came first", async () => {
    const keeper = made({ number: 2, maintenances: [planned("h5", 2)] });
    await keeper.learn(list, "h2");
    await keeper.learn(list, "h1");
    expect(nodes(keeper)).toEqual(["h3"]);
  });

  test("believes no number beyond reason, and no end beyond the maximum", async () => {
    const keeper = made();
    await keeper.learn({ ...list, number: 2 ** 21 }, "h1");
    expect(nodes(keeper)).toEqual([]);
    await keeper.learn({ number: 1, maintenances: [planned("h3", 10_000)] }, "h1");
    expect(nodes(keeper)).toEqual(["h3"]);
    pass(24 * HOUR_MS);
    expect(nodes(keeper)).toEqual([]);
  });
});
