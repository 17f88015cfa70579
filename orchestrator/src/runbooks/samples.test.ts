import { Plan } from "@vigie/proto";
import { expect, test } from "vitest";
import { RUNBOOKS } from "./index.js";
import { planFaults } from "./plan-faults.js";
import { samplePlans } from "./samples.js";

const plans = samplePlans();

test("every runbook makes a plan that acts, and its shape is as every plan's", () => {
  expect(new Set(plans.map(({ runbook }) => runbook))).toEqual(new Set(RUNBOOKS.map(({ name }) => name)));
  expect(plans.map((plan) => [plan.runbook, plan.refusals, planFaults(plan)])).toEqual(
    plans.map(({ runbook }) => [runbook, [], []]),
  );
  expect(plans.filter(({ steps }) => !steps.some(({ action }) => action !== undefined))).toEqual([]);
});

test("the same view gives the same plan, byte for byte", () => {
  const bytes = (list: readonly Plan[]) =>
    list.map((plan) => Buffer.from(Plan.encode(plan).finish()).toString("hex"));
  expect(bytes(samplePlans())).toEqual(bytes(plans));
});

test("a plan is what it is on the wire: nothing in it is lost in between (I32)", () => {
  for (const plan of plans) expect(Plan.decode(Plan.encode(plan).finish())).toEqual(plan);
});

test("no plan carries a peer's report: those are taken when a step is sent (I7)", () => {
  const text = JSON.stringify(plans);
  expect(text).not.toContain('"redundantMs"');
  expect(text).not.toContain('"peers":[{');
});

test("what gives data or a copy up locks it, its instance, its pair, and the node (I9)", () => {
  const destroys = new Set(["setDiskOffline", "detachMinor", "discardVictim"]);
  for (const plan of plans.filter((p) => p.steps.some((s) => destroys.has(s.action?.kind?.$case ?? "")))) {
    const kinds = new Set(plan.locks.map((lock) => lock.split(" ")[0]));
    expect([plan.runbook, ...["disk", "instance", "node", "pair"].map((kind) => kinds.has(kind))]).toEqual([
      plan.runbook,
      true,
      true,
      true,
      true,
    ]);
    expect(plan.locks).toEqual(plan.locks.toSorted());
  }
});

test("every plan whose steps stand on an instance's configuration names its serial (I15)", () => {
  for (const { locks, configSerials } of plans) {
    const instances = locks.filter((lock) => lock.startsWith("instance ")).map((lock) => lock.slice(9));
    expect(configSerials.filter(({ kind }) => kind === "instance").map(({ name }) => name)).toEqual(
      instances,
    );
  }
});
