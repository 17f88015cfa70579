/** The main job on a real kernel: stalls made by real packet loss, healed by a real cut, or left alone. */
import { afterEach, beforeEach, expect } from "vitest";
import { contentHash, troubleNamed } from "../index.js";
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
