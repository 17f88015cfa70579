/** What is healthy looks healthy, and what is sick is seen: on real kernels, whatever their files look like then. */
import { afterEach, beforeEach, expect } from "vitest";
import type { DiskSide } from "../cluster/configuration.js";
import { connectionName } from "../cluster/drbd.js";
import { plugDisk } from "../cluster/new-disk.js";
import {
  createInstance,
  instanceDisk,
  procDrbd,
  removeInstance,
  troubleNamed,
  waitForMinor,
} from "../index.js";
import type { ToldIncident } from "../vigie/ask.js";
import { closedIncident, decidedIncident, incidentOf, proof, setStage, type Stage } from "../proofs/stage.js";

const LONGER_THAN_A_HOLD_DOWN_S = 20;
const FAKE_GUESTS = "/var/run/ganeti/fake-hypervisor";

let stage: Stage;
let mend: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  stage = await setStage();
});

afterEach(async () => {
  await mend();
  mend = async () => undefined;
});

function openKinds(incidents: readonly ToldIncident[]): string[] {
  return incidents
    .filter(({ state }) => state !== "closed")
    .map(({ kind, summary }) => `${kind}: ${summary}`);
}

proof(
  "an online verify is no trouble, and what it found is told with the commands that make it good",
  async () => {
    const { lab, disk, vigie } = stage;
    const { primary, secondary } = disk;
    for (const side of [primary, secondary])
      await lab
        .node(side.node)
        .run(`drbdsetup net-options ${connectionName(disk, side)} --verify-alg=crc32c`);
    const rate = `drbdsetup disk-options ${primary.minor} --resync-rate=2M --c-plan-ahead=0`;
    await lab.node(primary.node).run(rate);
    // 64 KiB of the second copy rot, below DRBD.
    await lab
      .node(secondary.node)
      .run(
        `dd if=/dev/urandom of=${disk.dataVolume} bs=64k count=1 seek=16 oflag=direct conv=notrunc status=none`,
      );
    await lab.node(primary.node).run(`drbdsetup verify ${primary.minor}`);
    await waitForMinor(lab, primary, "cs:VerifyS ro:Primary/Secondary ds:UpToDate/UpToDate");

    const untilMs = Date.now() + LONGER_THAN_A_HOLD_DOWN_S * 1000;
    while (Date.now() < untilMs && (await procDrbd(lab, primary)).includes("cs:Verify")) {
      const { resources_healthy: healthy, resources_total: total } = await vigie.status();
      expect(healthy).toBe(total);
      expect(openKinds(await vigie.incidents())).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }

    const found = await decidedIncident(vigie, "degraded", "drbdsetup disconnect", 240);
    expect(found.summary).toContain("64 KiB");
    const proposed = found.decision.join("; ").split("proposed: ")[1] ?? "";
    for (const line of proposed.split("; ")) {
      const [node = "", command = ""] = line.split("# ");
      await lab.node(node.split(".")[0] as DiskSide["node"]).run(command, { timeoutMs: 120_000 });
    }
    await closedIncident(vigie, found.id, 120);
  },
);

proof("a disk that leaves the bus takes its volumes with it, and each is told", async () => {
  const { lab, vigie } = stage;
  const name = "web2.lab.example";
  const h3 = lab.node("h3");
  const old = (await h3.run("pvs --noheadings -o pv_name")).stdout.trim();
  const sdx = await plugDisk(h3);
  mend = async () => {
    await removeInstance(lab, name);
    await h3.run(`pvchange -x y ${old}; vgreduce --removemissing --force kvmvg`, { allowFailure: true });
    await troubleNamed("power-cut").make(lab, { node: "h3" });
    await troubleNamed("power-cut").mend(lab, { node: "h3" });
  };
  const group = (await h3.run("vgs --noheadings -o vg_name")).stdout.trim();
  await h3.run(`pvcreate -q /dev/${sdx} && vgextend -q ${group} /dev/${sdx} && pvchange -q -x n ${old}`);
  await createInstance(lab, name, { primary: "h2", secondary: "h3", sizeMib: 16 });
  await h3.run(`pvchange -q -x y ${old}`);
  await vigie.until("web2 is seen healthy", async () => (await allHealthy()) || undefined, 90);

  await h3.run(`echo 1 > /sys/block/${sdx}/device/delete`);
  // Whoever writes meets the missing disk.
  const { primary } = await instanceDisk(lab, name);
  await lab
    .node(primary.node)
    .run(`dd if=/dev/urandom of=${primary.device} bs=64k count=4 oflag=direct conv=notrunc status=none`);
  const missing = await incidentOf(vigie, "missing-volume", 240);
  expect(missing.subject.node).toBe("h3.lab.example");
  expect(missing.summary).toContain("a physical volume is gone");
  const diskless = await incidentOf(vigie, "diskless", 60);
  expect(diskless.subject.instance).toBe(name);
  expect(await allHealthy()).toBe(false);

  async function allHealthy(): Promise<boolean> {
    const { resources_healthy: healthy, resources_total: total } = await vigie.status();
    return total === 2 && healthy === total;
  }
});

proof(
  "a guest that runs beside its primary node is told, and no more once it is where Ganeti has it",
  async () => {
    const { lab, disk, vigie } = stage;
    const { primary, secondary } = disk;
    const file = `${FAKE_GUESTS}/${disk.instance}`;
    const put = (from: DiskSide, to: DiskSide) => async (): Promise<void> => {
      const { stdout } = await lab.node(from.node).run(`cat ${file} && rm ${file}`);
      await lab.node(to.node).run(`cat > ${file} <<'END'\n${stdout}\nEND`);
    };
    await lab
      .node("h1")
      .run(`gnt-instance start ${disk.instance}`, { timeoutMs: 120_000, allowFailure: true });
    mend = put(secondary, primary);
    await put(primary, secondary)();
    const wrong = await incidentOf(vigie, "guest-wrong-node", 120);
    expect(wrong.summary).toContain(lab.node(secondary.node).fqdn);
    await mend();
    mend = async () => undefined;
    await closedIncident(vigie, wrong.id, 60);
  },
);

proof("a node whose system is full, and whose noded does not run, is told with what to type", async () => {
  const { lab, vigie } = stage;
  const h3 = lab.node("h3");
  mend = async () => {
    await h3.run("rm -f /var/log/lab-fills; systemctl start ganeti-noded");
  };
  await h3.run(
    "systemctl stop ganeti-noded; fallocate -l $(( ($(stat -f -c '%a * %S' /) ) - 60 * 1024 * 1024 )) /var/log/lab-fills",
  );
  const room = await vigie.until(
    "the full filesystem",
    async () => unhealthy(await vigie.incidents(), "MiB left of"),
    200,
  );
  expect(room.subject.node).toBe("h3.lab.example");
  const daemon = await vigie.until(
    "the daemon",
    async () => unhealthy(await vigie.incidents(), "systemctl restart ganeti-noded"),
    300,
  );
  await mend();
  mend = async () => undefined;
  await closedIncident(vigie, room.id, 200);
  await closedIncident(vigie, daemon.id, 200);
});

function unhealthy(incidents: readonly ToldIncident[], says: string): ToldIncident | undefined {
  return incidents.find(({ kind, summary }) => kind === "node-unhealthy" && summary.includes(says));
}
