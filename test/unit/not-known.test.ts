/**
 * What was not read, or not lately, or not as it is now, is no reason to act and none to stay silent: each of these was
 * found by playing it against the acting path.
 */
import { ConnectionState, DiskState, IncidentKind, IncidentState } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { DISK_KIB, threeNodes } from "../simulator/cluster-spec.js";
import type { SimOptions } from "../simulator/cluster.js";
import { endAt, loseDisk, startResync, type DiskModel } from "../simulator/drbd-model.js";
import { submit } from "../simulator/ganeti-jobs.js";
import { diskOf, H1, H2, H3 } from "../simulator/stages.js";
import { powerOff } from "../simulator/world.js";
import { OBSERVE, settled, type Acting } from "./acting.js";

const started: Acting[] = [];
afterEach(() => {
  for (const { cluster } of started.splice(0)) cluster.end();
});

async function begin(options: SimOptions = {}): Promise<Acting> {
  const acting = await settled(options);
  started.push(acting);
  return acting;
}

function lose(disk: DiskModel, node: string): void {
  const end = endAt(disk, node);
  if (end !== undefined) loseDisk(disk, end);
}

test("minors behind a cut in /proc/drbd are unknown, and not gone", async () => {
  let isCut = false;
  const acting = await begin({
    instances: 6,
    config: OBSERVE,
    seams: {
      host: (host, node) =>
        node.name !== H2
          ? host
          : {
              ...host,
              readFile: async (path) => {
                const text = await host.readFile(path);
                if (path !== "/proc/drbd" || !isCut) return text;
                const lines = text.split("\n");
                const first = lines.findIndex((line) => /^ *\d+: cs:/.test(line));
                return `${lines.slice(0, first + 1).join("\n")}\n    ns:12`;
              },
            },
    },
  });
  isCut = true;
  await acting.clock.advance(40_000);
  const run = await acting.plan("rebuild-redundancy", { target: "h2" });
  expect(acting.story.lines.filter((line) => line.includes("not active on h2"))).toEqual([]);
  expect(run.plan?.steps).toEqual([]);
});

test("a copy that a person has mended meanwhile is not thrown away when its turn comes", async () => {
  const web = (name: string, disks: number) => ({
    name: `${name}.sim.example`,
    template: "drbd" as const,
    primary: H1,
    secondary: H2,
    sizesKib: Array.from({ length: disks }, () => DISK_KIB),
    up: true,
  });
  const acting = await begin({
    instances: { ...threeNodes(3), instances: [web("web1", 1), web("web2", 2)] },
    config: OBSERVE,
  });
  const { world, clock } = acting;
  const disk = (name: string, index: number): DiskModel => {
    const found = world.disks.find((each) => each.instance === `${name}.sim.example` && each.index === index);
    if (found === undefined) throw new Error(`no disk/${index} of ${name}`);
    return found;
  };
  const [first, mended, broken] = [disk("web1", 0), disk("web2", 0), disk("web2", 1)];
  first.rateKibPerS = 512;
  mended.rateKibPerS = 8_192;
  lose(first, H2);
  lose(mended, H2);
  await clock.advance(5_000);
  await acting.approve(await acting.plan("rebuild-redundancy", { target: "h2" }));
  await clock.advance(20_000);
  acting.types(
    "gnt-instance",
    "replace-disks",
    "-s",
    "--disks=0",
    "--submit",
    "--print-jobid",
    "web2.sim.example",
  );
  await clock.advance(40_000);
  lose(broken, H2);
  const dropped: string[] = [];
  world.drops = (each, end) => {
    if (each === mended && end.disk === DiskState.UP_TO_DATE) dropped.push(end.node);
  };
  await clock.advance(400_000);
  expect(dropped).toEqual([]);
});

test("a migration that goes on after its resync is not killed while it starts its guest and says nothing", async () => {
  const name = "web1.sim.example";
  const acting = await begin({ config: OBSERVE });
  const { world, clock } = acting;
  const disk = diskOf(world, "web1");
  const job = submit(world, {
    opcode: "INSTANCE_MIGRATE",
    subject: name,
    instances: [name],
    locks: [`instance ${name}`],
    reasons: [],
    work: async (work) => {
      work.log("* wait until resync is done");
      while (disk.outOfSyncKib > 0) {
        await work.sleep(2_000);
        work.log("   - progress: 50.0%");
      }
      work.log("* preparing h2 to accept the instance");
      await work.sleep(45_000);
      work.log("* starting memory transfer");
    },
  });
  startResync(disk, 20_000);
  await clock.advance(3_000);
  disk.blackhole = "this-connection";
  await clock.advance(12_000);
  await acting.approve(await acting.plan("recover-stuck-migration", { instance: "web1" }));
  await clock.advance(300_000);
  expect(job.status).toBe("success");
});

test("heals whose node has died end by themselves, and the node can be taken out of the cluster", async () => {
  const acting = await begin({ instances: 24 });
  const { world, clock, cluster } = acting;
  await acting.stall(...["web2", "web5", "web8", "web11"].map((name) => diskOf(world, name)));
  const { executor } = cluster.orchestrator();
  await clock.advanceUntil(() => executor.open().length >= 3, 60_000);
  await clock.advance(2_000);
  cluster.killAgent(H2);
  powerOff(world, H2);
  await clock.advance(600_000);
  const run = await acting.plan("disable-dead-node", { node: "h2" });
  await expect(acting.approve(run)).resolves.toBeDefined();
});

test("a heal that a node's stop file refused is tried again when the file is gone", async () => {
  const file = { stands: true };
  const acting = await begin({
    seams: {
      host: (host, node) =>
        node.name !== H1
          ? host
          : {
              ...host,
              readFile: async (path) =>
                path === "/etc/vigie/stop" && file.stands ? "" : host.readFile(path),
            },
    },
  });
  const { world, clock, cluster } = acting;
  const disk = diskOf(world, "web1");
  await acting.stall(disk);
  await clock.advance(180_000);
  expect(cluster.orchestrator().desk.open()[0]).toMatchObject({ state: IncidentState.NEEDS_PERSON });
  file.stands = false;
  await clock.advance(600_000);
  expect(disk.blackhole).toBe("none");
});

test("that a state lasted, by an agent that does not answer any more, freezes no run (I7)", async () => {
  const acting = await begin({ config: OBSERVE });
  const { world, clock, cluster } = acting;
  const disk = diskOf(world, "web1");
  const end = endAt(disk, H2);
  if (end === undefined) throw new Error("web1 has no end on h2");
  loseDisk(disk, end);
  disk.rateKibPerS = 512;
  await clock.advance(5_000);
  await acting.approve(await acting.plan("rebuild-redundancy", { target: "web1" }));
  await clock.advance(20_000);
  const was = end.connection;
  end.connection = ConnectionState.STAND_ALONE; // Ganeti itself parts them for a second
  await clock.advance(1_300);
  const thaw = cluster.freeze("agent", H2);
  end.connection = was;
  await clock.advance(13_000);
  thaw?.();
  await clock.advance(30_000);
  expect(acting.story.lines.filter((line) => line.includes("frozen"))).toEqual([]);
});

test("how long a node went on after its agent fell silent is not known, and the plan says what may be lost", async () => {
  const acting = await begin({ config: OBSERVE });
  const { world, clock, cluster } = acting;
  cluster.killAgent(H3);
  await clock.advance(300_000);
  world.partitions.add(`${H1} ${H3}`);
  world.partitions.add(`${H2} ${H3}`);
  await clock.advance(300_000);
  powerOff(world, H3);
  await clock.advance(30_000);
  const run = await acting.plan("disable-dead-node", { node: "h3" });
  expect(run.plan?.typedWord).toBe("lose-h3.sim.example");
});

test("while Ganeti's daemon does not answer, a stall is a person's, and is healed when it answers again", async () => {
  const luxi = { hangs: false };
  const acting = await begin({
    seams: {
      host: (host, node) =>
        node.name !== H1
          ? host
          : {
              ...host,
              exchange: async (socket, request, end, timeoutMs) => {
                if (luxi.hangs) throw new Error(`no answer within ${timeoutMs} ms`);
                return host.exchange(socket, request, end, timeoutMs);
              },
            },
    },
  });
  const { world, clock, cluster } = acting;
  luxi.hangs = true;
  await clock.advance(60_000);
  const disk = diskOf(world, "web1");
  await acting.stall(disk);
  await clock.advance(120_000);
  const stalled = cluster
    .orchestrator()
    .desk.open()
    .find(({ kind }) => kind === IncidentKind.STALLED_SYNC);
  expect(stalled?.state).toBe(IncidentState.NEEDS_PERSON);
  expect(stalled?.decision.join()).toContain("whose minors these are is not known now");
  luxi.hangs = false;
  await clock.advance(180_000);
  expect(disk.blackhole).toBe("none");
});

test("a stall is healed though the kernel's file cannot be read in the very moment of the cut", async () => {
  let unread = false;
  const acting = await begin({
    seams: {
      host: (host) => ({
        ...host,
        readFile: (path) =>
          unread && path === "/proc/drbd" ? Promise.reject(new Error("EIO")) : host.readFile(path),
      }),
    },
  });
  const { world, clock, cluster } = acting;
  const disk = diskOf(world, "web1");
  cluster.hooks.sent = ({ stepId }) => {
    if (stepId !== "cut-link" || unread) return;
    unread = true;
    void clock.sleep(1_500).then(() => (unread = false));
    cluster.hooks.sent = () => undefined;
  };
  await acting.stall(disk);
  await clock.advance(75_000);
  expect(cluster.requests.filter(({ stepId }) => stepId === "cut-link").length).toBeGreaterThan(1);
  expect(disk.blackhole).toBe("none");
});
