/** What is done to a disk that is dead, or new: its volumes' maps go, it goes, or it becomes a physical volume. */
import {
  AdoptDisk,
  BlockDevice,
  DeviceMapperDevice,
  LvmFacts,
  PhysicalVolume,
  VolumeGroup,
  type DeleteDisk,
  type RemoveVolumeMaps,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { MAP, SAMPLE_DISK as DISK } from "../actions/testing.js";
import type { DiskStack, StackedDevice } from "../disk-stack.js";
import { ownMark } from "../own-mark.js";
import { judgeAdoption, type SeenForAdoption } from "./adopt-disk.js";
import { judgeDelete, type SeenForDelete } from "./delete-disk.js";
import type { DiskSeen } from "./disk-identity.js";
import { judgeReadd } from "./readd-node.js";
import { judgeRemoval, type SeenForRemoval } from "./remove-maps.js";
import { refusingOf } from "./testing.js";

const seenAs = (state: string): DiskSeen & { readonly device: BlockDevice } => ({
  bootId: "boot-1",
  device: BlockDevice.create({ ...DISK, state }),
  unknownBecause: "",
  twins: [],
  ageMs: 20,
});
const EMPTY = { parts: [{ name: "sdb", dev: "8:16", holders: [] }], devices: [] };
const NOBODY = { users: [], unknownBecause: "" };
const NO_USE = { mounts: [], swaps: [], unknownBecause: "" };
const VOLUME: StackedDevice = { name: "dm-0", dev: "254:0", dmName: MAP.name, dmUuid: MAP.uuid, holders: [] };

describe("a map goes", () => {
  const map = DeviceMapperDevice.create({
    name: MAP.name,
    uuid: MAP.uuid,
    openCount: 0,
    dependsOn: ["8:17"],
  });
  const stack = { parts: [...EMPTY.parts, { name: "sdb1", dev: "8:17", holders: [] }], devices: [VOLUME] };
  const seen: SeenForRemoval = { ...seenAs("offline"), stack, maps: [map] };
  const refusing = (change: Partial<SeenForRemoval>, other: Partial<RemoveVolumeMaps> = {}): string[] =>
    refusingOf(judgeRemoval({ disk: DISK, maps: [MAP], ...other }, { ...seen, ...change }));
  const withMap = (change: Partial<DeviceMapperDevice>): Partial<SeenForRemoval> => ({
    maps: [{ ...map, ...change }],
  });
  const named = (what: string): string => `${MAP.name}: ${what}`;

  test("by its name and UUID, closed, wholly on a disk that is offline; one that is gone is passed over", () => {
    expect(refusing({})).toEqual([]);
    expect(refusing({ maps: [] })).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["the disk still runs", refusing(seenAs("running")), ["state"]],
    ["the disk is another", refusing({ device: { ...seen.device!, wwid: "t10.Y" } }), ["wwid I12"]],
    [
      "the name is another's by now",
      refusing(withMap({ uuid: `${MAP.uuid.slice(0, -1)}z` })),
      [named("UUID I4")],
    ],
    ["it is open", refusing(withMap({ openCount: 1 })), [named("open I4")]],
    ["how often it is open is not known", refusing(withMap({ openCount: -1 })), [named("open I4")]],
    [
      "a piece of it lies elsewhere (I4)",
      refusing(withMap({ dependsOn: ["8:17", "8:33"] })),
      [named("lies on I4")],
    ],
    ["where it lies is not known", refusing(withMap({ dependsOn: [] })), [named("lies on I4")]],
    [
      "it is of another group",
      refusing(
        { maps: [{ ...map, uuid: `LVM-${"z".repeat(64)}` }] },
        { maps: [{ ...MAP, uuid: `LVM-${"z".repeat(64)}` }] },
      ),
      [named("its group I12")],
    ],
    ["none is named", refusing({}, { maps: [] }), ["maps to remove"]],
    ["no disk is named", refusing({}, { disk: undefined }), ["which disk I12", named("its group I12")]],
    ["the maps are not known", refusing({ maps: "dmsetup hangs" }), ["maps I11"]],
    ["what stands on the disk is not known", refusing({ stack: "EIO" }), ["what stands on it I11"]],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});

describe("a disk is forgotten", () => {
  const seen: SeenForDelete = { ...seenAs("offline"), stack: EMPTY, use: NO_USE, users: NOBODY };
  const refusing = (change: Partial<SeenForDelete>, other: Partial<DeleteDisk> = {}): string[] =>
    refusingOf(judgeDelete({ disk: DISK, ...other }, { ...seen, ...change }));

  test("that is offline and bears nothing", () => {
    expect(refusing({})).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["it still runs", refusing(seenAs("running")), ["state"]],
    [
      "a volume is left on it",
      refusing({ stack: { ...EMPTY, devices: [VOLUME] } }),
      ["what stands on it I2"],
    ],
    ["what stands on it is not known", refusing({ stack: "EIO" }), ["what stands on it I11"]],
    [
      "something is mounted from it",
      refusing({ use: { ...NO_USE, mounts: [{ dev: "8:16", mountPoint: "/srv", source: "/dev/sdb" }] } }),
      ["mounted from it I3"],
    ],
    ["swap is on it", refusing({ use: { ...NO_USE, swaps: ["/dev/sdb"] } }), ["swap on it I3"]],
    [
      "a loop is of it",
      refusing({ users: { users: ["loop loop0"], unknownBecause: "" } }),
      ["who writes to it I3"],
    ],
    [
      "who writes to it is not known",
      refusing({ users: { users: [], unknownBecause: "EACCES" } }),
      ["who writes to it I11"],
    ],
    [
      "another disk has its name by now",
      refusing({ device: BlockDevice.create({ ...DISK, state: "offline", serial: "S2" }) }),
      ["serial I12"],
    ],
    ["two have its wwid", refusing({ twins: ["sdd"] }), ["others of this wwid I12"]],
    ["it is another boot", refusing({ bootId: "boot-2" }), ["own boot I7"]],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});

describe("a disk is adopted", () => {
  const lvm = { facts: LvmFacts.create({}), damaged: [] };
  const FREE = ["sdb", "sdb1", "sdb2"].map((name) => ({ name, claim: "free" }));
  const blank = { stack: EMPTY, use: NO_USE, claims: FREE, users: NOBODY, signatures: [], tableId: "", lvm };
  const seen: SeenForAdoption = { ...seenAs("running"), ...blank };
  const params = AdoptDisk.create({ disk: DISK, vgName: "kvmvg", partition: true, replacesWwid: "t10.OLD" });
  const OWN = ownMark(params, "r-7", "adopt-disk");
  const refusing = (change: Partial<SeenForAdoption>, other: Partial<AdoptDisk> = {}): string[] =>
    refusingOf(judgeAdoption({ ...params, ...other }, { ...seen, ...change }, OWN));
  const withLvm = (change: Partial<LvmFacts>): Partial<SeenForAdoption> => ({
    lvm: { ...lvm, facts: { ...lvm.facts, ...change } },
  });
  const group = VolumeGroup.create({ vgName: "kvmvg" });

  test("that is blank, into a new group or into one that is whole", () => {
    expect(refusing({})).toEqual([]);
    expect(refusing(withLvm({ volumeGroups: [group] }))).toEqual([]);
    expect(refusing({}, { replacesWwid: "" })).toEqual([]);
  });

  const own = PhysicalVolume.create({ pvName: "/dev/sdb1", uuid: OWN.pvUuid });
  const parts = (...more: readonly string[]): DiskStack => ({
    ...EMPTY,
    parts: [...EMPTY.parts, ...more.map((name, at) => ({ name, dev: `8:${17 + at}`, holders: [] }))],
  });
  const begun: Partial<SeenForAdoption> = {
    stack: parts("sdb1"),
    signatures: ["dos at 0x1fe"],
    tableId: OWN.tableId,
  };
  const withPv = (change: Partial<PhysicalVolume>): Partial<SeenForAdoption> => ({
    ...begun,
    ...withLvm({ physicalVolumes: [{ ...own, ...change }] }),
  });

  test("on which a killed try of the same step left its partition, or its physical volume too", () => {
    expect(refusing(begun)).toEqual([]);
    expect(refusing(withPv({}))).toEqual([]);
    expect(refusing({ ...begun, signatures: ["gpt at 0x200", "gpt at 0x5ff", "PMBR at 0x1fe"] })).toEqual([]);
    const whole = withLvm({ physicalVolumes: [{ ...own, pvName: "/dev/sdb" }] });
    expect(refusing({ ...whole, signatures: ["LVM2_member at 0x218"] }, { partition: false })).toEqual([]);
  });

  const TABLE = ["partitions I12", "signatures I12"];
  test.each<[string, string[], string[]]>([
    ["another step's table", refusing({ ...begun, tableId: "0x00000001" }), TABLE],
    ["a table whose id is not known", refusing({ ...begun, tableId: "" }), TABLE],
    ["our table, where none was planned", refusing(begun, { partition: false }), TABLE],
    [
      "our table, and a second partition",
      refusing({ ...begun, stack: parts("sdb1", "sdb2") }),
      ["partitions I12"],
    ],
    [
      "our table, and a file system",
      refusing({ ...begun, signatures: ["ext4 at 0x438"] }),
      ["signatures I12"],
    ],
    [
      "our table, and another's volume",
      refusing(withPv({ uuid: DISK.pvUuid })),
      ["physical volume on it I12"],
    ],
    [
      "our volume, which is in a group",
      refusing(withPv({ vgName: "guests" })),
      ["physical volume on it I12"],
    ],
    ["our volume in another place", refusing(withPv({ pvName: "/dev/sdb" })), ["physical volume on it I12"]],
    [
      "another step's volume on the whole disk",
      refusing(
        {
          ...withLvm({ physicalVolumes: [{ ...own, pvName: "/dev/sdb", uuid: DISK.pvUuid }] }),
          signatures: ["LVM2_member at 0x218"],
        },
        { partition: false },
      ),
      ["signatures I12", "physical volume on it I12"],
    ],
  ])("not one with %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });

  test.each<[string, string[], string[]]>([
    [
      "it is the one that it replaces",
      refusing({}, { replacesWwid: DISK.wwid }),
      ["wwid of the disk that it replaces I12"],
    ],
    [
      "it has a partition",
      refusing({ stack: { ...EMPTY, parts: [...EMPTY.parts, { name: "sdb1", dev: "8:17", holders: [] }] } }),
      ["partitions I12"],
    ],
    [
      "something stands on it",
      refusing({ stack: { ...EMPTY, devices: [VOLUME] } }),
      ["what stands on it I12"],
    ],
    [
      "the kernel gave it to somebody: a pool, a database",
      refusing({ claims: [{ name: "sdb", claim: "in use" }] }),
      ["the kernel's user of sdb I3"],
    ],
    [
      "it cannot be opened",
      refusing({ claims: [{ name: "sdb", claim: "ENXIO" }] }),
      ["the kernel's user of sdb I11"],
    ],
    ["it was not asked for", refusing({ claims: [] }), ["the kernel's user of sdb I11"]],
    [
      "a database writes to it",
      refusing({ users: { users: ["process postgres (812)"], unknownBecause: "" } }),
      ["who writes to it I3"],
    ],
    ["it has a signature", refusing({ signatures: ["ext4 at 0x438"] }), ["signatures I12"]],
    ["nobody can say what is on it", refusing({ signatures: "wipefs exited with 1" }), ["signatures I11"]],
    ["what stands on it is not known", refusing({ stack: "EIO" }), ["what stands on it I11"]],
    [
      "it is mounted",
      refusing({ use: { ...NO_USE, mounts: [{ dev: "8:16", mountPoint: "/srv", source: "x" }] } }),
      ["mounted from it I3"],
    ],
    [
      "it is a physical volume",
      refusing(withLvm({ physicalVolumes: [PhysicalVolume.create({ pvName: "/dev/sdb" })] })),
      ["physical volume on it I12"],
    ],
    [
      "the group misses a volume",
      refusing(withLvm({ volumeGroups: [{ ...group, missingPvCount: 1 }] })),
      ["volume group kvmvg"],
    ],
    [
      "there are two groups of that name",
      refusing({ lvm: { ...lvm, damaged: ["kvmvg there are two of that name"] } }),
      ["what LVM tells twice, or not whole I11"],
    ],
    ["LVM cannot be asked", refusing({ lvm: "LVM: it hangs" }), ["volume groups I11"]],
    ["it is offline", refusing(seenAs("offline")), ["state"]],
    [
      "it tells no wwid",
      refusing(
        { device: BlockDevice.create({ ...DISK, state: "running", wwid: "" }) },
        { disk: { ...DISK, wwid: "" } },
      ),
      ["wwid I12"],
    ],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});

test("a node is readded that Ganeti has, and never the master", () => {
  expect(refusingOf(judgeReadd("h3.example", "h1.example", { role: "O" }))).toEqual([]);
  expect(refusingOf(judgeReadd("h1.example", "h1.example", { role: "M" }))).toEqual(["the master"]);
  expect(refusingOf(judgeReadd("h3.example", "h1.example", undefined))).toEqual(["h3.example"]);
  expect(refusingOf(judgeReadd("h3.example", "h1.example", "Ganeti: silent"))).toEqual([
    "Ganeti's nodes I11",
  ]);
});
