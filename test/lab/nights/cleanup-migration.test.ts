/** A migration whose job is killed while both ends are Primary leaves them so; one command tidies it up. */
import { expect } from "vitest";
import { contentHash, procDrbd, waitForHealthy } from "../index.js";
import { masterNode } from "../cluster/configuration.js";
import { newestRun, stepTimes, type } from "../proofs/command.js";
import { proof, setStage, type Stage } from "../proofs/stage.js";

/** Ends the job's process at the moment when both are Primary, and lets Ganeti see that it is dead. */
async function killMigration({ lab, disk }: Stage): Promise<void> {
  const master = await masterNode(lab);
  await master.run(`gnt-instance start ${disk.instance}`, { timeoutMs: 120_000, allowFailure: true });
  await waitForHealthy(lab, disk);
  const look = `for i in $(seq 3000); do grep -q 'ro:Primary/Primary' /proc/drbd && exit 0; sleep 0.02; done; exit 1`;
  const bothPrimary = lab.node(disk.secondary.node).run(look, { timeoutMs: 120_000 });
  const submit = `gnt-instance migrate -f --submit --print-jobid ${disk.instance}`;
  const job = (await master.run(submit)).stdout.trim().split("\n")[0] ?? "";
  await bothPrimary;
  await master.run(`kill -KILL $(pgrep -f 'ganeti/jqueue/exec.py ${job}$')`);
  await master.script(
    `gnt-job cancel --kill --yes-do-it -f $1 || true
for i in $(seq 60); do gnt-job list --no-headers -o status $1 | grep -q error && exit 0; sleep 1; done; exit 1`,
    [job],
    { timeoutMs: 120_000 },
  );
}

proof("two Primaries that a killed migration left are made one again, and no data is lost", async () => {
  const stage = await setStage();
  const { lab, disk } = stage;
  await killMigration(stage);
  expect(await procDrbd(lab, disk.primary)).toContain("ro:Primary/Primary");

  await stage.vigie.until(
    "it is planned, once Vigie knows that the job is over, and succeeds",
    async () => {
      const done = await type(stage, "do cleanup-migration web1 --yes");
      if (done.exitCode === 0) return true;
      expect(done.stdout).toContain("INSTANCE_MIGRATE(web1.lab.example), is running"); // by its last reading
      return undefined;
    },
    60,
  );
  console.log(`cleanup-migration: ${stepTimes(await newestRun(stage, "cleanup-migration"))}`);
  expect(await procDrbd(lab, disk.primary)).toMatch(
    /cs:Connected ro:(Primary\/Secondary|Secondary\/Primary)/,
  );
  const { primary, secondary } = await contentHash(lab, disk.instance);
  expect(secondary).toBe(primary);
});
