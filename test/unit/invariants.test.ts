/** The watch over the simulated world sees each thing that must never be: every one is planted here. */
import { ConnectionState, DiskState } from "@vigie/proto";
import { afterEach, expect, test } from "vitest";
import { leave } from "../simulator/drbd-commands.js";
import { loseDisk } from "../simulator/drbd-model.js";
import { submit } from "../simulator/ganeti-jobs.js";
import { watchInvariants } from "../simulator/invariants.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";
import { createWorld, nodeOf, type World } from "../simulator/world.js";

const [H1, H2] = ["h1.sim.example", "h2.sim.example"];

let world: World | undefined;
afterEach(() => world?.stop());

function newWorld(): { readonly clock: VirtualClock; readonly world: World; readonly look: () => string[] } {
  const clock = createVirtualClock();
  world = createWorld(clock, 3);
  return { clock, world, look: watchInvariants(world).look };
}

function ran({ ran: list }: World, node: string, ...argv: string[]): void {
  list.push({ atMs: 0, begunMs: 0, node, argv });
}

function cut(of: World, entry: string): void {
  nodeOf(of, H1).cuts.set(entry, { expiresAtMs: Number.MAX_SAFE_INTEGER, runId: "r-1" });
}

test("a healthy world breaks nothing, and a disk that is let go while the other is whole breaks nothing", () => {
  const { world: it, look } = newWorld();
  expect(look()).toEqual([]);
  ran(it, H2, "/usr/sbin/drbdsetup", "detach", "10");
  expect(look()).toEqual([]);
});

test.each<[string, (of: World) => void]>([
  [
    "I1: no copy of web1",
    ({ disks }) => disks[0]?.ends.forEach((end) => (end.disk = DiskState.INCONSISTENT)),
  ],
  [
    "I2: h2.sim.example has no whole copy",
    (of) => {
      const [disk] = of.disks;
      if (disk !== undefined) loseDisk(disk, disk.ends[1]);
      ran(of, H1, "/usr/sbin/drbdsetup", "detach", "0");
    },
  ],
  [
    "I2: h3.sim.example has no whole copy",
    (of) => {
      const disk = of.disks[1];
      if (disk !== undefined) disk.ends[1].disk = DiskState.INCONSISTENT;
      ran(of, H2, "echo", "offline", ">", "/sys/block/sda/device/state");
    },
  ],
  ["I5: ", (of) => ran(of, H1, "/usr/sbin/drbdsetup", "detach", "0", "--force")],
  ["I5: ", (of) => ran(of, H1, "/usr/sbin/gnt-instance", "replace-disks", "--early-release", "-s", "web1")],
  ["I5: ", (of) => ran(of, H1, "/usr/sbin/dmsetup", "remove", "-f", "kvmvg-x")],
  ["I6: ", (of) => ran(of, H1, "/usr/sbin/drbdsetup", "primary", "0")],
  [
    "I9: two cuts",
    (of) => {
      cut(of, "10.77.0.12,tcp:11000");
      nodeOf(of, H2).cuts.set("10.77.0.11,tcp:11000", { expiresAtMs: 9e15, runId: "r-2" });
    },
  ],
  [
    "I9: two disks",
    (of) => {
      for (const name of [H1, H2]) for (const disk of nodeOf(of, name ?? "").disks) disk.state = "offline";
    },
  ],
  [
    "I10: ",
    (of) => {
      ran(of, H2, "/usr/sbin/drbdsetup", "detach", "10");
      ran(of, H1, "/usr/sbin/drbdsetup", "detach", "0");
    },
  ],
  ["I18: ", (of) => cut(of, "10.77.0.13,tcp:11000")],
  [
    "I30: ",
    (of) => {
      for (let times = 0; times < 2; times += 1)
        submit(of, {
          opcode: "INSTANCE_MIGRATE",
          subject: "web1",
          instances: [],
          locks: [],
          reasons: ["vigie:r-1:migrate"],
          work: async () => undefined,
        });
    },
  ],
  ["guests: web1", (of) => nodeOf(of, H2).guests.add("web1.sim.example")],
])("%s is seen", (line, plant) => {
  const { world: it, look } = newWorld();
  plant(it);
  expect(look().filter((broken) => broken.startsWith(line))).not.toEqual([]);
});

test("I17: a cut that stays is seen after its time", async () => {
  const { clock, world: it, look } = newWorld();
  cut(it, "10.77.0.12,tcp:11000");
  expect(look()).toEqual([]);
  await clock.advance(66_000);
  expect(look()).toEqual([expect.stringMatching(/^I17: /)]);
});

test("I10: the other side may be touched once both were whole for ten seconds", async () => {
  const { clock, world: it, look } = newWorld();
  look();
  ran(it, H2, "/usr/sbin/drbdsetup", "detach", "10");
  expect(look()).toEqual([]);
  await clock.advance(10_000);
  look();
  ran(it, H1, "/usr/sbin/drbdsetup", "detach", "0");
  expect(look()).toEqual([]);
});

test("a link that was left and comes back copies what was written meanwhile", async () => {
  const { clock, world: it } = newWorld();
  const [disk] = it.disks;
  if (disk === undefined) throw new Error("no disk");
  disk.rateKibPerS = 64;
  leave({ disk, end: disk.ends[1] });
  expect(disk.ends[0].generation.bitmap).toBe(disk.ends[1].generation.current);
  disk.ends[1].connection = ConnectionState.WF_CONNECTION;
  await clock.advance(3_500);
  expect(disk.ends[1].connection).toBe(ConnectionState.SYNC_TARGET);
  await clock.advance(1_000);
  expect(disk.outOfSyncKib).toBe(0);
  expect(disk.ends[0].generation).toEqual(disk.ends[1].generation);
});
