/** A node loses its power for good, with guests and copies on it; it is taken out, and comes back with an empty disk. */
import { afterEach, expect, vi } from "vitest";
import { contentHash, createInstance, removeInstance, troubleNamed, waitForHealthy } from "../index.js";
import { instanceDisk, masterNode } from "../cluster/configuration.js";
import type { Lab } from "../lab.js";
import { newestRun, stepTimes, type, typeUntil } from "../proofs/command.js";
import { closedIncident, decidedIncident, proof, setStage, type Stage } from "../proofs/stage.js";

vi.setConfig({ testTimeout: 900_000 }); // ten jobs of Ganeti, a boot, and minutes until DRBD and Ganeti give a node up
const JOB_TIMEOUT_MS = 120_000;
const PLACES = { "web1.lab.example": ["h2", "h3"], "web2.lab.example": ["h3", "h1"] } as const;
const SMALL_MIB = 16; // see disk.test.ts
let clear: () => Promise<void> = async () => undefined;

afterEach(async () => {
  await clear();
  clear = async () => undefined;
});

/** web1 has its second copy on h3, web2 runs there; both hold what nobody else wrote. */
async function twoGuests({ lab }: Stage): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const [name, [primary, secondary]] of Object.entries(PLACES)) {
    await removeInstance(lab, name);
    const disk = await createInstance(lab, name, { primary, secondary, sizeMib: SMALL_MIB });
    await (await masterNode(lab)).run(`gnt-instance start ${name}`, { timeoutMs: JOB_TIMEOUT_MS });
    const write = `dd if=/dev/urandom of=${disk.primary.device} bs=1M count=${SMALL_MIB} oflag=direct conv=notrunc status=none`;
    await lab.node(primary).run(write);
    await waitForHealthy(lab, disk);
    hashes.set(name, (await contentHash(lab, name)).primary);
  }
  return hashes;
}

/** As the other proofs want it. */
async function backToOne(lab: Lab): Promise<void> {
  await lab.node("h3").powerOn();
  for (const name of Object.keys(PLACES)) await removeInstance(lab, name);
}

async function places(lab: Lab): Promise<string[]> {
  const list = "gnt-instance list --no-headers --separator=: -o name,pnode,snodes,status";
  return (await (await masterNode(lab)).run(list)).stdout.trim().split("\n").toSorted();
}

async function unchanged(lab: Lab, hashes: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, hash] of hashes) {
    await waitForHealthy(lab, await instanceDisk(lab, name));
    expect([name, await contentHash(lab, name)]).toEqual([name, { primary: hash, secondary: hash }]);
  }
}

async function reportsAgain({ vigie }: Stage): Promise<void> {
  const all = async (): Promise<true | undefined> =>
    (await vigie.status()).nodes_reporting === 3 ? true : undefined;
  await vigie.until("h3 reports", all, 90);
}

proof(
  "a dead node is taken out after a person's word, its guests and copies go on elsewhere, and it comes back",
  async () => {
    const stage = await setStage();
    const { lab, vigie } = stage;
    clear = () => backToOne(lab);
    const hashes = await twoGuests(stage);

    const tooEarly = "do disable-dead-node h3 --yes --word h3.lab.example";
    const refused = await typeUntil(stage, tooEarly, /is still connected with h3\.lab\.example/, 60);
    expect(refused.exitCode).toBe(6);
    expect(refused.stdout).toContain("h3.lab.example reports: it is not dead");

    const cutMs = Date.now();
    await troubleNamed("power-cut").make(lab, { node: "h3" });
    const incident = await decidedIncident(
      vigie,
      "node-dead",
      "vigie do disable-dead-node h3.lab.example",
      90,
    );
    console.log(
      `node-dead opened ${((incident.opened_unix_ms - cutMs) / 1000).toFixed(1)} s after the power`,
    );
    expect(incident.subject.node).toBe("h3.lab.example");
    expect(incident.run_id).toBe(""); // nobody but a person begins it

    const begun = await type(stage, "do disable-dead-node h3 --yes --word h3.lab.example");
    expect(begun).toMatchObject({ exitCode: 11 }); // it waits for a person
    const { id } = await newestRun(stage, "disable-dead-node");
    const roles = "gnt-node list --no-headers --separator=: -o name,role h3.lab.example";
    const { stdout } = await (await masterNode(lab)).run(roles);
    expect(stdout.trim()).toBe("h3.lab.example:C"); // nothing was done yet
    await type(stage, `run continue ${id}`);
    expect((await type(stage, `run follow ${id}`)).stdout).toContain("succeeded");
    console.log(`disable-dead-node: ${stepTimes(await vigie.run(id))}`);
    const [one, two] = ["h1.lab.example", "h2.lab.example"];
    expect(await places(lab)).toEqual([
      `web1.lab.example:${two}:${one}:running`,
      `web2.lab.example:${one}:${two}:running`,
    ]);
    await unchanged(lab, hashes);
    await closedIncident(vigie, incident.id, 30);
    const bothOnly = async (): Promise<true | undefined> =>
      (await vigie.status()).resources_total === 2 ? true : undefined;
    await vigie.until("what h3 had is not counted as unknown", bothOnly, 30);

    await lab.node("h3").powerOn();
    await reportsAgain(stage);
    const back = await type(stage, "do reinstate-node h3 --yes");
    expect(back.stdout).toContain("succeeded");
    console.log(`reinstate-node: ${stepTimes(await newestRun(stage, "reinstate-node"))}`);
    expect((await (await masterNode(lab)).run(roles)).stdout.trim()).toBe("h3.lab.example:C");
    await unchanged(lab, hashes);

    const drain = "gnt-node modify -D yes --auto-promote h2.lab.example";
    await (await masterNode(lab)).run(drain, { timeoutMs: JOB_TIMEOUT_MS });
    try {
      const moved = await type(stage, "do relocate-secondaries h2 --yes");
      expect(moved.stdout).toContain("succeeded");
      console.log(`relocate-secondaries: ${stepTimes(await newestRun(stage, "relocate-secondaries"))}`);
      expect(await places(lab)).toContain(`web2.lab.example:${one}:h3.lab.example:running`);
      await unchanged(lab, hashes);
    } finally {
      await (
        await masterNode(lab)
      ).run("gnt-node modify -D no h2.lab.example", { timeoutMs: JOB_TIMEOUT_MS });
    }
  },
);
