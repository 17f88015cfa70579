/** Killed in the middle of a heal, on a real kernel: the cut goes, the run goes on, nothing is done twice. */
import { afterEach, beforeEach, expect } from "vitest";
import { troubleNamed } from "../index.js";
import {
  closedIncident,
  cutsMade,
  incidentOf,
  proof,
  runIn,
  setStage,
  standingCuts,
  untilCut,
  untilNoCut,
  type Stage,
} from "./stage.js";

const TTL_S = 30;
const GRACE_S = 5; // I17
const NO_RESTART = "/run/systemd/system/vigie-agent.service.d/no-restart.conf";
let stage: Stage;

beforeEach(async () => {
  stage = await setStage();
  await troubleNamed("stalled-sync").make(stage.lab, {});
  await incidentOf(stage.vigie, "stalled-sync", 30);
});

afterEach(() => troubleNamed("stalled-sync").mend(stage.lab, {}));

proof(
  "an agent killed by SIGKILL while its cut stands: the kernel ends the cut though nobody is there to",
  async () => {
    const { lab, disk, vigie } = stage;
    const node = lab.node(disk.primary.node);
    await node.write(NO_RESTART, "[Service]\nRestart=no\nExecStopPost=\n"); // or systemd opens the link at once
    await node.run("systemctl daemon-reload");
    try {
      await untilCut(stage, 30);
      await node.run("systemctl kill --signal=KILL vigie-agent");
      await untilNoCut(stage, TTL_S + GRACE_S);
      expect(
        (await node.run("systemctl is-active vigie-agent", { allowFailure: true })).stdout.trim(),
      ).not.toBe("active");
    } finally {
      await node.run(`rm ${NO_RESTART}; systemctl daemon-reload; systemctl restart vigie-agent`);
    }
    const incident = await incidentOf(vigie, "stalled-sync", 5);
    const run = await runIn(vigie, incident, ["failed", "succeeded", "frozen"], 120);
    expect(cutsMade(run)).toBe(1);
    await closedIncident(vigie, incident.id, 60);
  },
);

proof("an agent killed by SIGKILL that systemd starts again sweeps its cut at once", async () => {
  const { lab, disk } = stage;
  await untilCut(stage, 30);
  await lab.node(disk.primary.node).run("systemctl kill --signal=KILL vigie-agent");
  await untilNoCut(stage, TTL_S + GRACE_S);
  await closedIncident(stage.vigie, (await incidentOf(stage.vigie, "stalled-sync", 5)).id, 90);
});

proof(
  "an orchestrator killed by SIGKILL in the middle of the run takes it up and ends it, and cuts once",
  async () => {
    const { lab, vigie } = stage;
    await untilCut(stage, 30);
    await lab.node("h1").run("systemctl kill --signal=KILL vigie-orchestrator");
    const incident = await vigie.until("it answers again", () => incidentOf(vigie, "stalled-sync", 2), 40);
    const run = await runIn(vigie, incident, ["succeeded", "failed", "frozen"], 120);
    expect(run.events.some((row) => row.kind === "recovered")).toBe(true);
    expect(cutsMade(run)).toBe(1);
    expect(run.state).toBe("succeeded");
    expect(await standingCuts(stage)).toEqual([]);
    await closedIncident(vigie, incident.id, 60);
  },
);

proof(
  "an orchestrator whose node is cut off in the middle of the run: the kernel ends the cut, and the run goes on later",
  async () => {
    const { lab, vigie } = stage;
    const apart = [
      { node: "h1", peer: "h2" },
      { node: "h1", peer: "h3" },
    ] as const;
    const cutOff = troubleNamed("network-cut");
    await untilCut(stage, 30);
    try {
      for (const pair of apart) await cutOff.make(lab, pair);
      await untilNoCut(stage, TTL_S + GRACE_S);
      const follows = async (): Promise<true | undefined> =>
        (await vigie.status()).leadership.leads ? undefined : true;
      await vigie.until("it leads no more: one of three is no majority", follows, 30);
    } finally {
      for (const pair of apart) await cutOff.mend(lab, pair);
    }
    const incident = await incidentOf(vigie, "stalled-sync", 10);
    const run = await runIn(vigie, incident, ["succeeded", "failed", "frozen"], 180);
    expect(cutsMade(run)).toBe(1);
    await closedIncident(vigie, incident.id, 60);
  },
);
