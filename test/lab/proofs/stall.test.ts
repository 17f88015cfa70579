/** The main job on a real kernel: stalls made by real packet loss, healed by a real cut, or left alone. */
import { afterEach, beforeEach, expect } from "vitest";
import { contentHash, removeInstance, troubleNamed, waitForHealthy } from "../index.js";
import { STALLED_INSTANCES } from "../troubles/stalled-syncs.js";
import {
  closedIncident,
  cutsMade,
  decidedIncident,
  incidentIn,
  incidentOf,
  proof,
  runIn,
  secondsTo,
  setStage,
  standingCuts,
  type Stage,
} from "./stage.js";

let stage: Stage;
let mend: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  stage = await setStage();
});

afterEach(async () => {
  await mend();
  mend = async () => undefined;
});

async function make(trouble: string): Promise<void> {
  mend = () => troubleNamed(trouble).mend(stage.lab, {});
  await troubleNamed(trouble).make(stage.lab, {});
}

proof(
  "a resync that stalls on its old connection is healed with the packet loss still there, and no data is lost",
  async () => {
    const { lab, disk, vigie } = stage;
    await make("stalled-sync");
    const written = (await contentHash(lab, disk.instance)).primary;
    const incident = await incidentOf(vigie, "stalled-sync", 30);
    const run = await runIn(vigie, incident, ["succeeded"], 90);
    const closed = await closedIncident(vigie, incident.id, 30);

    const flagged = ((incident.opened_unix_ms - incident.last_progress_unix_ms) / 1000).toFixed(1);
    console.log(
      `stall flagged after ${flagged} s, healed after ${secondsTo(run, incident, "await-resync-moves").toFixed(1)} s`,
    );
    expect(closed.decision).toContain("policy for this kind is auto");
    expect(await standingCuts(stage)).toEqual([]);
    const { stdout } = await lab.node(disk.primary.node).run("iptables -S LAB-STALL | grep -c DROP");
    expect(Number(stdout)).toBeGreaterThan(0); // the packet loss is there still: the new connection is free of it
    await vigie.until(
      "both copies are the same",
      async () => {
        const { primary, secondary } = await contentHash(lab, disk.instance);
        return primary === written && secondary === written ? true : undefined;
      },
      120,
    );
  },
);

proof(
  "of three resyncs that stall at one moment all are healed: one first, and the others at once when that helped",
  async () => {
    const { vigie, lab } = stage;
    mend = async () => {
      await troubleNamed("stalled-syncs").mend(lab, {});
      for (const name of STALLED_INSTANCES.slice(1)) await removeInstance(lab, name);
    };
    await troubleNamed("stalled-syncs").make(lab, {});
    const stalls = async () => (await vigie.incidents()).filter(({ kind }) => kind === "stalled-sync");
    const healed = async (): Promise<true | undefined> => {
      const all = await stalls();
      const closed = all.every(({ state }) => state === "closed");
      return all.length >= STALLED_INSTANCES.length && closed ? true : undefined;
    };
    await vigie.until("all three are healed", healed, 150);
    const all = await stalls();
    const runs = await Promise.all(all.map((incident) => vigie.run(incident.run_id)));
    expect(runs.map(({ state }) => state)).toEqual(STALLED_INSTANCES.map(() => "succeeded"));
    const firstMs = Math.min(...all.map((incident) => incident.opened_unix_ms));
    const seconds = runs.map((run) => ((run.events.at(-1)?.unix_ms ?? 0) - firstMs) / 1000);
    console.log(
      `healed ${seconds
        .map((s) => s.toFixed(1))
        .toSorted()
        .join(", ")} s after the first was flagged`,
    );
    expect(await standingCuts(stage)).toEqual([]);
  },
);

proof("a resync that is finished for its target and never left by its source is healed", async () => {
  const { vigie, disk, lab } = stage;
  await make("finished-and-never-left");
  const incident = await incidentOf(vigie, "stalled-sync", 30);
  const run = await runIn(vigie, incident, ["succeeded"], 90);
  await closedIncident(vigie, incident.id, 30);
  console.log(`healed after ${secondsTo(run, incident, "await-resync-moves").toFixed(1)} s`);
  await waitForHealthy(lab, disk);
  const { primary, secondary } = await contentHash(lab, disk.instance);
  expect(secondary).toBe(primary);
});

proof(
  "a stall that comes back after the cut is noticed and handed to a person, and nothing is cut again",
  async () => {
    const { vigie } = stage;
    await make("stalled-sync-port");
    const incident = await incidentOf(vigie, "stalled-sync", 30);
    const run = await runIn(vigie, incident, ["failed"], 120);
    await incidentIn(vigie, incident.id, "needs-person", 10);
    await decidedIncident(vigie, "stalled-sync", "the cut does not mend it", 10);
    expect(cutsMade(run)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    expect((await vigie.incidents()).filter((i) => i.run_id !== "")).toHaveLength(1);
    expect(await standingCuts(stage)).toEqual([]);
  },
);

proof("a resync that is slow but moves is left alone", async () => {
  await make("slow-sync");
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  expect((await stage.vigie.incidents()).filter((i) => i.kind === "stalled-sync")).toEqual([]);
  expect(await standingCuts(stage)).toEqual([]);
});

proof("a StandAlone pair is shown, and left alone", async () => {
  await make("standalone");
  const incident = await incidentOf(stage.vigie, "standalone", 20);
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  const told = (await stage.vigie.incidents()).find((i) => i.id === incident.id);
  expect(told?.state).toBe("open");
  expect(told?.run_id).toBe("");
  expect(await standingCuts(stage)).toEqual([]);
});
