import { expect, test } from "vitest";
import { readDiskStack, stackAbove } from "./disk-stack.js";
import type { DeviceHandle } from "./host.js";
import { errno, fakeHost, type FakeMachine } from "./sources/testing.js";

/** sdb1 is a PV: dm-0 below drbd18, dm-1 below a snapshot's origin dm-2, which drbd19 has. */
const MACHINE: FakeMachine = {
  files: {
    "/sys/block/dm-0/dev": "254:0\n",
    "/sys/block/dm-0/dm/name": "kvmvg-a\n",
    "/sys/block/dm-0/dm/uuid": "LVM-A\n",
    "/sys/block/dm-1/dev": "254:1\n",
    "/sys/block/dm-1/dm/name": "kvmvg-b-real\n",
    "/sys/block/dm-1/dm/uuid": "LVM-B-real\n",
    "/sys/block/dm-2/dev": "254:2\n",
    "/sys/block/dm-2/dm/name": "kvmvg-b\n",
    "/sys/block/dm-2/dm/uuid": "LVM-B\n",
    "/sys/block/drbd18/dev": "147:18\n",
    "/sys/block/drbd19/dev": "147:19\n",
    "/sys/block/dm-7/dev": "254:7\n",
    "/sys/block/dm-7/dm/name": "drbd18p1\n",
  },
  folders: {
    "/sys/block/dm-0/holders": ["drbd18"],
    "/sys/block/dm-1/holders": ["dm-2"],
    "/sys/block/dm-2/holders": ["drbd19"],
    "/sys/block/drbd18/holders": ["dm-7"],
    "/sys/block/dm-7/holders": [],
  },
};

function disk(folders: Readonly<Record<string, readonly string[]>>): DeviceHandle {
  const files: Readonly<Record<string, string>> = { dev: "8:16\n", "sdb1/dev": "8:17\n" };
  return {
    read: async (path) => files[path] ?? Promise.reject(errno("ENODEV")),
    readLink: async () => Promise.reject(errno("ENODEV")),
    list: async (path) => {
      const names = folders[path];
      if (names === undefined) throw errno("ENODEV");
      return [...names];
    },
    write: async () => Promise.reject(errno("ENODEV")),
    close: async () => undefined,
  };
}

const SDB = disk({ "": ["sdb1", "device", "holders"], holders: [], "sdb1/holders": ["dm-0", "dm-1"] });

test("a disk bears what its partitions bear, up to the DRBD minors, each once", async () => {
  const { parts, devices } = await readDiskStack(fakeHost(MACHINE), SDB, "sdb");
  expect(parts).toEqual([
    { name: "sdb", dev: "8:16", holders: [] },
    { name: "sdb1", dev: "8:17", holders: ["dm-0", "dm-1"] },
  ]);
  expect(devices.map(({ name, holders }) => [name, ...holders])).toEqual([
    ["dm-0", "drbd18"],
    ["dm-1", "dm-2"],
    ["dm-2", "drbd19"],
    ["drbd18"],
    ["drbd19"],
  ]);
  expect(devices[1]).toMatchObject({ dmName: "kvmvg-b-real", dmUuid: "LVM-B-real", dev: "254:1" });
});

test("what a minor bears is asked of the minor", async () => {
  const above = await stackAbove(fakeHost(MACHINE), "drbd18");
  expect(above.map(({ name, dmName }) => [name, dmName])).toEqual([["dm-7", "drbd18p1"]]);
});

test("a disk that went away, or a device that cannot be read, is unknown and not empty (I11)", async () => {
  await expect(readDiskStack(fakeHost(MACHINE), disk({}), "sdb")).rejects.toMatchObject({
    code: "SOURCE_FAILED",
  });
  const without = fakeHost({ ...MACHINE, files: {} });
  await expect(readDiskStack(without, SDB, "sdb")).rejects.toMatchObject({ code: "SOURCE_FAILED" });
});
