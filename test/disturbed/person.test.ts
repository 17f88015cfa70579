/** The person of the disturbed world, whom a cluster may change under. */
import type { Orchestrator } from "@vigie/orchestrator";
import { expect, test } from "vitest";
import { createSimCluster } from "../simulator/cluster.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import { createExposure } from "./exposure.js";
import { createFaults } from "./faults.js";
import { createJudge } from "./judge/judge.js";
import { HEALTHY } from "./mutants/mutant.js";
import { createPerson } from "./person.js";
import { createRandom } from "./random.js";
import { createRuns } from "./runs.js";

test("a stop counts as confirmed though the master moves in the moment of its answer", async () => {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, { inMemory: true });
  const confirmed: string[] = [];
  const random = createRandom(1);
  /** Asked last, before the answer goes out: the next master has no orchestrator yet. */
  const movesThen = (asked: Orchestrator): Orchestrator => {
    const stopped = (): string => {
      cluster.world.master = "h2.sim.example";
      return asked.killSwitch.stopped();
    };
    return { ...asked, killSwitch: { ...asked.killSwitch, stopped } };
  };
  const person = createPerson({
    random,
    clock,
    cluster,
    world: cluster.world,
    faults: createFaults(clock, random),
    judge: createJudge([{ confirmed: ({ what }) => void confirmed.push(what) }], () => undefined),
    exposure: createExposure(),
    runs: createRuns(() => undefined),
    tell: () => undefined,
    healers: new Set(),
    mutant: { ...HEALTHY, asked: movesThen },
  });
  try {
    await clock.advance(12_000); // sessions, and a leader
    const stopped = person.stop();
    stopped.catch(() => undefined);
    await clock.advance(5_000);
    await expect(stopped).resolves.toBeUndefined();
    expect(confirmed).toEqual(["stopped"]);
  } finally {
    cluster.end();
  }
});
