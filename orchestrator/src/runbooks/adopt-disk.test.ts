import { BlockDevice, Damaged, DeviceMapperDevice, type Plan } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { adoptDisk } from "./adopt-disk.js";
import { planFaults } from "./plan-faults.js";
import { GIB, nodeIn, planIn, small, stepIds, type World } from "./testing.js";

const NEW_DISK = BlockDevice.create({
  name: "sdc",
  dev: "8:32",
  sizeBytes: 4000 * GIB,
  state: "running",
  wwid: "naa.new",
  serial: "NEW1",
  model: "ST4000",
  scsiAddress: "2:0:0:0",
});

/** h2's sdb is gone, with its volume group; sdc was plugged in. */
function replaced(world: World): void {
  const node = nodeIn(world, "h2");
  node.devices = [...node.devices.filter(({ name }) => name !== "sdb"), { ...NEW_DISK }];
  node.lvm.physicalVolumes = [];
  node.lvm.volumeGroups = [];
  node.lvm.logicalVolumes = [];
  node.maps = [];
}

function plan(change: (world: World) => void = () => {}, more: Record<string, string> = {}): Plan {
  const world = small((w) => {
    replaced(w);
    change(w);
  });
  return planIn(world, adoptDisk, { node: "h2", disk: "sdc", replaces: "naa.50000000005001", ...more });
}

function disk(world: World): BlockDevice {
  const found = nodeIn(world, "h2").devices.find(({ name }) => name === "sdc");
  if (found === undefined) throw new Error("no sdc");
  return found;
}

test("the disk becomes the volume group that Ganeti wants", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual(["adopt-disk!"]);
  expect(made.steps[0]?.action?.kind).toMatchObject({
    value: {
      vgName: "kvmvg",
      partition: false,
      replacesWwid: "naa.50000000005001",
      disk: { wwid: "naa.new" },
    },
  });
  expect(made.steps[0]?.manualCommands).toEqual(["h2# pvcreate /dev/sdc", "h2# vgcreate kvmvg /dev/sdc"]);
  expect(planFaults(made)).toEqual([]);
});

test("a volume group that is there is extended, and a partition is made where it is asked for", () => {
  const withVg = (w: World) => {
    nodeIn(w, "h2").lvm.volumeGroups = nodeIn(small(), "h2").lvm.volumeGroups;
  };
  expect(plan(withVg, { partition: "yes" }).steps[0]?.manualCommands).toEqual([
    "h2# printf 'label: gpt\\ntype=E6D6D379-F507-44C2-A23C-238F2A3DF928\\n' | sfdisk --wipe never /dev/sdc",
    "h2# udevadm settle --timeout=20",
    "h2# pvcreate /dev/sdc1",
    "h2# vgextend kvmvg /dev/sdc1",
  ]);
});

describe("it is refused", () => {
  test.each<[string, (world: World) => void, string]>([
    ["for a disk with a partition", (w) => disk(w).partitions.push("sdc1"), "sdc1 is on it"],
    ["for a disk that something stands on", (w) => disk(w).holders.push("dm-4"), "dm-4 stands on it"],
    ["for a disk that is not running", (w) => (disk(w).state = "offline"), "sdc is offline"],
    ["for a virtual disk", (w) => (disk(w).state = ""), "no real disk"],
    ["for a disk without a name", (w) => (disk(w).wwid = ""), "no world-wide name"],
    ["for two disks with one name", (w) => (disk(w).wwid = "naa.50000000001001"), "the same world-wide name"],
    [
      "for the very disk that it is to replace",
      (w) => (disk(w).wwid = "naa.50000000005001"),
      "the very disk",
    ],
    [
      "for a disk that is mounted",
      (w) =>
        nodeIn(w, "h2").mounts.push({ device: "/dev/sdc", mountPoint: "/mnt", type: "ext4", readOnly: true }),
      "mounted on /mnt",
    ],
    [
      "for a disk with a physical volume",
      (w) =>
        nodeIn(w, "h2").lvm.physicalVolumes.push({
          pvName: "/dev/sdc",
          uuid: "x",
          vgName: "other",
          attr: "a--",
          sizeBytes: 1,
          freeBytes: 1,
        }),
      "/dev/sdc is a physical volume of other",
    ],
    [
      "for a disk under a map",
      (w) => nodeIn(w, "h2").maps.push(DeviceMapperDevice.create({ name: "crypt", dependsOn: ["8:32"] })),
      "the map crypt stands on it",
    ],
    [
      "for a volume group with a missing disk",
      (w) =>
        nodeIn(w, "h2").lvm.volumeGroups.push({
          vgName: "kvmvg",
          uuid: "u",
          attr: "wz-pn-",
          sizeBytes: 1,
          freeBytes: 1,
          pvCount: 2,
          missingPvCount: 1,
        }),
      "h1# gnt-node repair-storage h2 lvm-vg kvmvg",
    ],
    ["when Ganeti's volume group is not known", (w) => (w.inventory.vgName = ""), "which volume group"],
    ["when the node's word is old", (w) => (nodeIn(w, "h2").ageMs = 60_000), "60 s old"],
    [
      "when a map was not understood",
      (w) => (nodeIn(w, "h2").damagedMaps = [Damaged.create({ object: "x", reason: "odd" })]),
      "not understood",
    ],
  ])("%s", (_what, change, why) => {
    const made = plan(change);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
  });

  test("for the node's own system disk", () => {
    const refusals = plan(() => {}, { disk: "sda" }).refusals.join("\n");
    expect(refusals).toContain("sda1 is on it");
    expect(refusals).toContain("/dev/sda1 is mounted on /");
  });
});

test("a disk that is another node's is not found, and whose it is is told", () => {
  expect(() => plan(() => {}, { disk: "sdb" })).toThrow(
    'h2 has no disk "sdb": it has sda, sdc; there is one in h1 and h3',
  );
});
