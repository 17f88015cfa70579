import { HolderKind } from "@vigie/proto";
import { expect, test } from "vitest";
import { groupOf, holders } from "./holders.js";
import { errno, fakeHost, type FakeMachine } from "./testing.js";

const INFO = `drbd18p1|part1-devnode_147:18_Wh5pYvM|254|7|1|Active
guestvg-root|LVM-${"a".repeat(64)}|254|8|0|Active
`;
const TABLE = `drbd18p1: 0 40960 linear 147:18 2048
guestvg-root: 0 40960 linear 254:7 0
`;

/** drbd18 with a partition map, a guest's volume group on that, and nothing else. */
const BASE: FakeMachine = {
  files: {
    "/sys/block/drbd18/dev": "147:18\n",
    "/sys/block/dm-7/dev": "254:7\n",
    "/sys/block/dm-7/dm/name": "drbd18p1\n",
    "/sys/block/dm-7/dm/uuid": "part1-devnode_147:18_Wh5pYvM\n",
    "/sys/block/dm-8/dev": "254:8\n",
    "/sys/block/dm-8/dm/name": "guestvg-root\n",
    "/sys/block/dm-8/dm/uuid": `LVM-${"a".repeat(64)}\n`,
    "/proc/self/mountinfo": "25 1 254:0 / / rw - ext4 /dev/sda1 rw\n",
    "/proc/12/mountinfo": "25 1 254:0 / / rw - ext4 /dev/sda1 rw\n",
    "/proc/12/comm": "sleep\n",
    "/proc/12/cmdline": "sleep\x001000\x00",
    "/proc/swaps": "Filename Type\n",
  },
  folders: {
    "/sys/block": ["drbd18", "dm-7", "dm-8", "loop0"],
    "/sys/block/drbd18/holders": ["dm-7"],
    "/sys/block/dm-7/holders": ["dm-8"],
    "/sys/block/dm-8/holders": [],
    "/proc": ["12", "self", "meminfo"],
    "/proc/12/fd": ["0", "3"],
  },
  links: {
    "/proc/self/ns/mnt": "mnt:[1]",
    "/proc/12/ns/mnt": "mnt:[1]",
    "/proc/12/fd/0": "/dev/null",
    "/proc/12/fd/3": "pipe:[4]",
  },
  run: ({ args }) => ({ stdout: args[0] === "info" ? INFO : TABLE }),
};

const with_ = (change: FakeMachine): FakeMachine => ({
  ...BASE,
  ...change,
  files: { ...BASE.files, ...change.files },
  folders: { ...BASE.folders, ...change.folders },
  links: { ...BASE.links, ...change.links },
});

async function heldBy(machine: FakeMachine): Promise<unknown[]> {
  const reading = await holders.read(fakeHost(machine), { minor: 18, jobId: 0 });
  if (reading.state !== "ok" || reading.facts.$case !== "holders") throw new Error("it is not ok");
  expect(reading.facts.value.minor).toBe(18);
  return reading.facts.value.holders.map(({ kind, name, pid }) => [kind, name, pid]);
}

const STACK = [
  [HolderKind.MAP, "drbd18p1", 0],
  [HolderKind.GUEST_VG, "guestvg", 0],
];

test("a partition map and a guest's volume group on it are told, the group once", async () => {
  expect(await heldBy(BASE)).toEqual(STACK);
  const reading = await holders.read(fakeHost(BASE), { minor: 18, jobId: 0 });
  expect(reading).toMatchObject({ facts: { value: { holders: [{ kpartx: true, openCount: 1 }, {}] } } });
});

test("a device that nobody holds has no holder", async () => {
  expect(await heldBy(with_({ folders: { "/sys/block/drbd18/holders": [] } }))).toEqual([]);
});

test("a process that has it open is told, also by a map, and by a node that is deleted", async () => {
  for (const path of ["/dev/drbd18", "/dev/drbd18 (deleted)", "/dev/dm-7", "/dev/mapper/guestvg-root"])
    expect(await heldBy(with_({ links: { "/proc/12/fd/3": path } })), path).toEqual([
      ...STACK,
      [HolderKind.PROCESS, "sleep", 12],
    ]);
  expect(await heldBy(with_({ links: { "/proc/12/fd/3": "/dev/drbd180" } }))).toEqual(STACK);
});

test("a mount is told by its number or its name, in any namespace", async () => {
  const line = (dev: string, source: string): string => `30 25 ${dev} / /mnt/guest rw - ext4 ${source} rw\n`;
  const other = { "/proc/12/ns/mnt": "mnt:[2]" };
  for (const text of [line("147:18", "/dev/root"), line("254:7", "x"), line("0:40", "/dev/mapper/drbd18p1")])
    expect(await heldBy(with_({ links: other, files: { "/proc/12/mountinfo": text } }))).toContainEqual([
      HolderKind.MOUNT,
      "/mnt/guest",
      0,
    ]);
});

test("a loop on it, and swap on it, are told", async () => {
  const files = {
    "/sys/block/loop0/loop/backing_file": "/dev/drbd18\n",
    "/proc/swaps": "Filename Type\n/dev/dm-8 partition 1 0 -2\n",
  };
  expect(await heldBy(with_({ files }))).toEqual([
    ...STACK,
    [HolderKind.LOOP, "loop0", 0],
    [HolderKind.SWAP, "/dev/dm-8", 0],
  ]);
});

test("something that is no map stands on it: it is told as it is", async () => {
  const machine = with_({
    files: { "/sys/block/md0/dev": "9:0\n" },
    folders: { "/sys/block/drbd18/holders": ["md0"], "/sys/block/md0/holders": [] },
  });
  expect(await heldBy(machine)).toEqual([[HolderKind.OTHER, "md0", 0]]);
});

test("a process that ends meanwhile is no holder, and one that may not be looked at is damaged (I11)", async () => {
  expect(await heldBy(with_({ folders: { "/proc": ["12", "13"] } }))).toEqual(STACK);
  const broken: FakeMachine = { ...BASE, links: { ...BASE.links } };
  const host = fakeHost(broken);
  const reading = await holders.read(
    {
      ...host,
      listFolder: async (path) => {
        if (path === "/proc/12/fd") throw errno("EACCES");
        return host.listFolder(path);
      },
    },
    { minor: 18, jobId: 0 },
  );
  expect(reading).toMatchObject({ state: "ok", damaged: [{ object: "/proc/12/fd" }] });
});

test("what is on it and goes away meanwhile makes who holds it unknown, and not nobody (I11)", async () => {
  const files = { ...BASE.files };
  delete files["/sys/block/dm-8/dev"];
  await expect(holders.read(fakeHost({ ...BASE, files }), { minor: 18, jobId: 0 })).rejects.toThrow();
});

test("a mount namespace that may not be looked at is damaged, for the device may be mounted there (I11)", async () => {
  const host = fakeHost(BASE);
  const reading = await holders.read(
    {
      ...host,
      readLink: async (path) => {
        if (path === "/proc/12/ns/mnt") throw errno("EACCES");
        return host.readLink(path);
      },
    },
    { minor: 18, jobId: 0 },
  );
  expect(reading).toMatchObject({ state: "ok", damaged: [{ object: "/proc/12/mountinfo" }] });
});

test("a minor that is not there has no holders to tell", async () => {
  expect(await holders.read(fakeHost(BASE), { minor: 19, jobId: 0 })).toMatchObject({ state: "absent" });
});

test("a group's name is what stands before the single dash", () => {
  expect(["guestvg-root", "my--vg-lv--1", "vg-a--b", "odd"].map(groupOf)).toEqual([
    "guestvg",
    "my-vg",
    "vg",
    "odd",
  ]);
});
