/** Nothing that Vigie adds to a firewall outlives the last cut by more than seconds. */
import { expect, test } from "vitest";
import { nodeOf } from "../simulator/world.js";
import { ended, MASTER, passUntil, stalledCluster, type Hit } from "./crash.js";

const TIDY_S = 6;

function ours({ cluster }: Hit): string[] {
  const rules = nodeOf(cluster.world, MASTER).firewall?.rules() ?? [];
  return rules.filter((rule) => rule.includes("VIGIE"));
}

const cut = (hit: Hit): boolean => nodeOf(hit.cluster.world, MASTER).cuts.size > 0;

test("once a heal let the link back, its node's firewall is as it was", async () => {
  const hit = await stalledCluster();
  expect(await passUntil(hit, () => cut(hit), 60)).toBe(true);
  expect(ours(hit)).not.toEqual([]);
  expect(await passUntil(hit, () => !cut(hit), 60)).toBe(true);
  expect(await passUntil(hit, () => ours(hit).length === 0, TIDY_S)).toBe(true);
  expect(await passUntil(hit, () => ended(hit), 60)).toBe(true);
  expect(ours(hit)).toEqual([]);
});

test("after an agent that was killed while its cut was made, its next life takes the rules away", async () => {
  const hit = await stalledCluster();
  expect(await passUntil(hit, () => cut(hit), 60)).toBe(true);
  hit.cluster.killAgent(MASTER);
  await hit.pass(40); // the kernel ended the cut, and nobody is there to tidy
  expect(cut(hit)).toBe(false);
  expect(ours(hit)).not.toEqual([]);
  hit.cluster.startAgent(MASTER);
  expect(await passUntil(hit, () => ours(hit).length === 0, TIDY_S)).toBe(true);
});

test("a cut that no orchestrator lets back is tidied away by its agent when the kernel has ended it", async () => {
  const hit = await stalledCluster();
  expect(await passUntil(hit, () => cut(hit), 60)).toBe(true);
  hit.cluster.killOrchestrator();
  expect(await passUntil(hit, () => !cut(hit), 40)).toBe(true);
  expect(await passUntil(hit, () => ours(hit).length === 0, TIDY_S)).toBe(true);
});
