/**
 * Plays every scenario in virtual time and compares its log with the golden one beside it.
 * VIGIE_UPDATE_GOLDEN=1 writes the golden logs anew: read the difference before it is committed.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createSimCluster } from "../simulator/cluster.js";
import { fakeChannel } from "../simulator/fake-channel.js";
import { watchInvariants } from "../simulator/invariants.js";
import { createStory } from "../simulator/story.js";
import { createVirtualClock } from "../simulator/virtual-clock.js";
import type { Scenario } from "./scenario.js";

const here = dirname(fileURLToPath(import.meta.url));
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .toSorted();
const SETTLE_MS = 10_000; // sessions, leadership, a first full report

for (const folder of folders) {
  const { scenario } = (await import(join(here, folder, "scenario.ts"))) as { scenario: Scenario };
  test(scenario.title, async () => {
    const log = await play(scenario);
    const golden = join(here, folder, "expected.log");
    if (process.env["VIGIE_UPDATE_GOLDEN"] === "1") writeFileSync(golden, log);
    expect(log).toBe(readFileSync(golden, "utf8"));
  });
}

async function play(scenario: Scenario): Promise<string> {
  const clock = createVirtualClock();
  const ops = fakeChannel("ops");
  const channels = () => (scenario.listens === true ? [ops.channel] : []);
  const cluster = await createSimCluster(clock, { config: scenario.config ?? {}, channels });
  try {
    await clock.advance(SETTLE_MS);
    const story = createStory(clock, cluster);
    const invariants = watchInvariants(cluster.world);
    const passTenth = async (): Promise<void> => {
      await clock.advance(100);
      expect(invariants.look()).toEqual([]);
    };
    await scenario.play({
      clock,
      cluster,
      story,
      messages: ops.received,
      pass: async (seconds) => {
        for (let i = 0; i < seconds * 10; i += 1) await passTenth();
      },
      until: async (what, holds, seconds) => {
        for (let i = 0; i < seconds * 10 && !holds(); i += 1) await passTenth();
        expect(holds(), `${what} within ${seconds} s; so far:\n${story.lines.join("\n")}`).toBe(true);
      },
    });
    return `${story.lines.join("\n")}\n`;
  } finally {
    cluster.end();
  }
}
