import { SsconfFacts, type Clock } from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import type { Change } from "../store/store.js";
import { emptyView, type ClusterView } from "../view/cluster-view.js";
import { unseenNode } from "../view/node-view.js";
import { createLeader, type Leader } from "./leader.js";

let world: { up: string[]; nodes: string[]; master: string; highest: number; stored: number; broken: string };
let recorded: Change[];
let announced: number[];
let leader: Leader;
let away: [number, boolean][];
let nowMs: number;

const clock: Clock = { monotonicMs: () => nowMs, wallUnixMs: () => 0, sleep: () => Promise.resolve() };

beforeEach(() => {
  world = { up: ["h1", "h2"], nodes: ["h1", "h2"], master: "h1", highest: 4, stored: 2, broken: "" };
  recorded = [];
  announced = [];
  away = [];
  nowMs = 0;
  leader = createLeader({
    clock,
    ownNode: "h1",
    store: { epoch: async () => world.stored } as Parameters<typeof createLeader>[0]["store"],
    view,
    record: async (changes) => void recorded.push(...changes),
    broken: () => world.broken,
    announce: (epoch) => void announced.push(epoch),
    returned: (awayMs, alone) => void away.push([awayMs, alone]),
  });
});

function view(): ClusterView {
  const nodes = world.nodes.map((name) => ({
    ...unseenNode(name),
    connected: world.up.includes(name),
    masterNode: world.master,
    highestEpoch: world.highest,
    reportedAtMs: nowMs,
  }));
  return {
    ...emptyView("h1"),
    nodes: new Map(nodes.map((node) => [node.name, node])),
    ssconf: SsconfFacts.create({ nodeList: world.nodes }),
  };
}

test("a majority makes it leader, with an epoch that is on disk before anybody is told (I25)", async () => {
  expect(leader.epoch()).toBe(0);
  await leader.tick();
  expect(recorded[0]).toEqual({ record: "epoch", epoch: 5 });
  expect(announced).toEqual([5]);
  expect(leader.epoch()).toBe(5);
});

test("the majority's loss counts at once, not at the next tick", async () => {
  await leader.tick();
  world.up = ["h1"];
  expect(leader.epoch()).toBe(0);
  await leader.tick();
  expect(announced).toEqual([5, 0]);
});

test("a majority that comes back is led under a new epoch", async () => {
  await leader.tick();
  world.up = ["h1"];
  await leader.tick();
  world.up = ["h1", "h2"];
  world.highest = 5;
  await leader.tick();
  expect(leader.epoch()).toBe(6);
});

test("an agent that has seen a higher epoch ends it (I25)", async () => {
  await leader.tick();
  world.highest = 9;
  expect(leader.epoch()).toBe(0);
  expect(leader.status().reason).toContain("epoch 9");
});

test("a store that cannot be written ends it (I24)", async () => {
  await leader.tick();
  world.broken = "disk full";
  expect(leader.epoch()).toBe(0);
  await leader.tick();
  expect(recorded.filter(({ record }) => record === "audit")).toHaveLength(1);
});

test("the epoch that could not be kept is not used", async () => {
  const failing = createLeader({
    clock,
    ownNode: "h1",
    store: { epoch: async () => 0 } as Parameters<typeof createLeader>[0]["store"],
    view,
    record: () => Promise.reject(new Error("disk full")),
    broken: () => "",
    announce: (epoch) => void announced.push(epoch),
    returned: (awayMs, alone) => void away.push([awayMs, alone]),
  });
  await expect(failing.tick()).rejects.toThrow();
  expect([failing.epoch(), announced]).toEqual([0, []]);
});

test("a person answers for the node that is down, and it leads", async () => {
  world.up = ["h1"];
  await leader.tick();
  expect(leader.epoch()).toBe(0);
  leader.confirm("anna");
  await leader.tick();
  expect(leader.epoch()).toBe(5);
  expect(leader.status().reason).toContain("anna");
});

test("a confirmation is for one time: once a majority was back, the next loss asks again", async () => {
  world.up = ["h1"];
  leader.confirm("anna");
  await leader.tick();
  world.up = ["h1", "h2"];
  await leader.tick();
  world.up = ["h1"];
  await leader.tick();
  expect(leader.epoch()).toBe(0);
});

test("a confirmation that was of no use is not kept for later", async () => {
  world.master = "h2";
  leader.confirm("anna");
  await leader.tick();
  world.master = "h1";
  world.up = ["h1"];
  await leader.tick();
  expect(leader.epoch()).toBe(0);
});

test("who led before is told for how long it did not, before anything is sent with the new epoch", async () => {
  await leader.tick();
  expect(away).toEqual([]);
  world.up = [];
  nowMs = 1_000;
  await leader.tick();
  world.up = ["h1", "h2"];
  world.stored = 5; // its own of before
  nowMs = 61_000;
  await leader.tick();
  expect([away, leader.epoch() > 0]).toEqual([[[60_000, true]], true]);
});

test("who led before is told that somebody else has led meanwhile", async () => {
  await leader.tick();
  world.up = [];
  await leader.tick();
  world.up = ["h1", "h2"];
  world.highest = 6; // another orchestrator's
  nowMs = 5_000;
  await leader.tick();
  expect(away).toEqual([[5_000, false]]);
});
