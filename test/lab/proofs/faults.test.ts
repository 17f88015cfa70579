/** Faults that nobody may heal by machine yet are seen, and told apart. */
import { afterEach, beforeEach, expect } from "vitest";
import { troubleNamed } from "../index.js";
import { closedIncident, decidedIncident, incidentOf, proof, setStage, type Stage } from "./stage.js";

let stage: Stage;
let mend: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  stage = await setStage();
});

afterEach(async () => {
  await mend();
  mend = async () => undefined;
});

async function make(trouble: string): Promise<number> {
  mend = () => troubleNamed(trouble).mend(stage.lab, {});
  const begunUnixMs = Date.now();
  await troubleNamed(trouble).make(stage.lab, {});
  return begunUnixMs;
}

function tell(what: string, begunUnixMs: number, seenUnixMs: number): void {
  console.log(`${what}: told ${((seenUnixMs - begunUnixMs) / 1000).toFixed(1)} s after it was begun`);
}

proof("a disk that goes offline is told by its name, and so is the minor that lost its copy", async () => {
  const begun = await make("disk-offline");
  const offline = await incidentOf(stage.vigie, "disk-offline", 20);
  expect(offline.subject).toMatchObject({ node: "h3.lab.example", device: "sda" });
  tell("disk offline", begun, offline.opened_unix_ms);
  await decidedIncident(stage.vigie, "disk-offline", "vigie do retire-disk h3.lab.example disk=sda", 20);
  const diskless = await incidentOf(stage.vigie, "diskless", 20);
  expect(diskless.subject.instance).toBe(stage.disk.instance);
  tell("diskless", begun, diskless.opened_unix_ms);
  await mend();
  mend = async () => undefined;
  await closedIncident(stage.vigie, offline.id, 60);
  await closedIncident(stage.vigie, diskless.id, 60);
});

proof("a node that loses its power is told silent, and its disks are unknown, not healthy", async () => {
  const begun = await make("power-cut");
  const silent = await incidentOf(stage.vigie, "node-silent", 30);
  expect(silent.subject.node).toBe("h3.lab.example");
  tell("node silent", begun, silent.opened_unix_ms);
  const noneHealthy = async (): Promise<true | undefined> =>
    (await stage.vigie.status()).resources_healthy === 0 ? true : undefined;
  await stage.vigie.until("its disks are not healthy", noneHealthy, 10);
  expect((await stage.vigie.status()).leadership.leads).toBe(true); // two of three are a majority
});

proof(
  "a full disk under the orchestrator stops it from acting, and loses nothing that it acknowledged",
  async () => {
    const { lab, vigie } = stage;
    const h1 = lab.node("h1");
    const before = await vigie.incidents();
    await h1.run(
      "systemctl stop vigie-orchestrator; mount -t tmpfs -o size=1m tmpfs /mnt && cp -a /var/lib/vigie-orchestrator/. /mnt/ && mount --bind /mnt /var/lib/vigie-orchestrator && systemctl start vigie-orchestrator",
    );
    mend = async () => {
      await h1.run(
        "systemctl stop vigie-orchestrator; umount /var/lib/vigie-orchestrator; umount /mnt; systemctl start vigie-orchestrator",
        { allowFailure: true },
      );
      await troubleNamed("standalone").mend(lab, {});
    };
    await vigie.until("it answers", () => vigie.status(), 30);
    await h1.run("dd if=/dev/zero of=/mnt/filler bs=4k 2>/dev/null; true");
    await troubleNamed("standalone").make(lab, {});
    const told = await vigie.until(
      "it says that it may not act",
      async () => {
        const { leadership } = await vigie.status();
        return leadership.leads ? undefined : leadership;
      },
      40,
    );
    expect(JSON.stringify(told)).toContain("nothing can be kept");
    await mend();
    mend = async () => undefined;
    const after = await vigie.until("it answers again", () => vigie.incidents(), 40);
    for (const incident of before) expect(after.map((i) => i.id)).toContain(incident.id);
  },
);

proof(
  "records that are taken off the audit log's end are missed by the agents that saw them (I39)",
  async () => {
    const { lab, vigie } = stage;
    const h1 = lab.node("h1");
    const told = async (): Promise<string> => (await h1.run("vigie audit --json")).stdout;
    await h1.run("vigie stop --reason rehearsal && vigie go --reason 'it is over'"); // two records more
    await vigie.until(
      "every agent has heard of them",
      async () => (await told()).includes("released") || undefined,
      20,
    );
    await new Promise((resolve) => setTimeout(resolve, 5_000)); // for the acks of each node's next report
    await h1.run("systemctl stop vigie-orchestrator");
    await h1.script(`/usr/lib/vigie/node -e '
      const { DatabaseSync } = require("node:sqlite");
      const store = new DatabaseSync("/var/lib/vigie-orchestrator/vigie.db");
      store.exec("DELETE FROM audit WHERE sequence > (SELECT max(sequence) - 2 FROM audit)");'
      systemctl start vigie-orchestrator`);
    await vigie.until(
      "they say so",
      async () => (await told()).includes("audit.lost-records") || undefined,
      60,
    );
  },
);
