/** The wiki's first bad night on a real kernel and a real Ganeti: a live migration that hangs on a stalled resync. */
import { afterEach, expect } from "vitest";
import { contentHash, troubleNamed, waitForHealthy } from "../index.js";
import { masterNode } from "../cluster/configuration.js";
import {
  decidedIncident,
  incidentOf,
  proof,
  runIn,
  setStage,
  standingCuts,
  type Stage,
} from "../proofs/stage.js";

const NOBODY_HEALS = 'stalled_sync = "observe"\n';
const HEAL_WITHIN_S = 120;

let mend: () => Promise<void> = async () => undefined;

afterEach(async () => {
  await mend();
  mend = async () => undefined;
});

async function hang(stage: Stage): Promise<void> {
  mend = () => troubleNamed("stuck-migration").mend(stage.lab, {});
  await troubleNamed("stuck-migration").make(stage.lab, {});
}

async function placeOf({ lab, disk }: Stage): Promise<string> {
  const fields = "-o pnode,status --no-headers --separator=:";
  const { stdout } = await (await masterNode(lab)).run(`gnt-instance list ${fields} ${disk.instance}`);
  return stdout.trim();
}

async function lastMigration({ lab }: Stage): Promise<string> {
  const command = "gnt-job list --no-headers -o summary,status | grep INSTANCE_MIGRATE | tail -1";
  return (await (await masterNode(lab)).run(command)).stdout.trim().replaceAll(/ +/g, " ");
}

async function bothCopiesSame({ lab, disk }: Stage): Promise<string> {
  await waitForHealthy(lab, disk);
  const { primary, secondary } = await contentHash(lab, disk.instance);
  expect(secondary).toBe(primary);
  return primary;
}

proof(
  "a migration that hangs is ended well by one command, and the guest runs where it was to go",
  async () => {
    const stage = await setStage(NOBODY_HEALS);
    const { lab, disk, vigie } = stage;
    const target = lab.node(disk.secondary.node);
    await hang(stage);
    const { stdout } = await target.run(`dd if=${disk.dataVolume} bs=1M iflag=direct status=none | md5sum`);
    await decidedIncident(vigie, "hung-migration", "vigie do recover-stuck-migration", 30);

    const startedMs = Date.now();
    const done = await lab
      .node("h1")
      .run("vigie do recover-stuck-migration web1 --yes", { timeoutMs: 240_000, allowFailure: true });
    const seconds = (Date.now() - startedMs) / 1000;
    console.log(`recover-stuck-migration: ${seconds.toFixed(1)} s from the command to its end`);
    expect(done.stdout).toContain("succeeded");
    expect(done.exitCode).toBe(0);
    expect(await placeOf(stage)).toBe(`${target.fqdn}:running`);
    expect(await lastMigration(stage)).toBe(`INSTANCE_MIGRATE(${disk.instance}) success`);
    expect(await standingCuts(stage)).toEqual([]);
    expect(await bothCopiesSame(stage)).toBe(stdout.slice(0, 32));
  },
);

proof("with the policy as shipped, the same heals with nobody at the keyboard", async () => {
  const stage = await setStage();
  const { vigie } = stage;
  // On a slow machine the heal is done before the trouble has seen three seconds of standstill, and then it says so.
  await hang(stage).catch((error: unknown) => expect(String(error)).toContain("cs:Connected"));
  await vigie.until(
    "the migration ended well",
    async () => ((await lastMigration(stage)).endsWith("success") ? true : undefined),
    HEAL_WITHIN_S,
  );
  const incident = await incidentOf(vigie, "stalled-sync", 10); // there was a stall, and Vigie's own run on it
  await runIn(vigie, incident, ["succeeded"], 60);
  expect(await standingCuts(stage)).toEqual([]);
  await bothCopiesSame(stage);
});
