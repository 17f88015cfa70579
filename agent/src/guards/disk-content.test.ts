import { DiskIdentity, PhysicalVolume } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DiskPart, DiskStack, StackedDevice } from "../disk-stack.js";
import { FUZZ_RUNS } from "../sources/testing.js";
import { contentFacts, partsToLookAt, TABLES, usersFact, type PartContent } from "./disk-content.js";
import { refusingOf } from "./testing.js";

const VG_UUID = "H49c7m-uZxO-5HuU-5coV-eHvU-EkkK-8Glyjg";
const PV_UUID = "Abcdef-1234-1234-1234-1234-1234-abcdef";
const DISK = DiskIdentity.create({
  name: "sdb",
  pvUuid: PV_UUID,
  pvName: "/dev/sdb1",
  vgName: "kvmvg",
  vgUuid: VG_UUID,
});
const PV = PhysicalVolume.create({ pvName: "/dev/sdb1", uuid: PV_UUID, vgName: "kvmvg" });
const VOLUME: StackedDevice = {
  name: "dm-0",
  dev: "254:0",
  dmName: "kvmvg-a",
  dmUuid: `LVM-${VG_UUID.replaceAll("-", "")}${"x".repeat(32)}`,
  holders: ["drbd18"],
};
const part = (name: string, ...holders: string[]): DiskPart => ({ name, dev: "8:1", holders });
const stackOf = (...parts: DiskPart[]): DiskStack => ({ parts, devices: [VOLUME] });
const names = (stack: DiskStack, pvs: readonly PhysicalVolume[] = [], disk = DISK): string[] =>
  partsToLookAt(stack, disk, pvs).map(({ name }) => name);

describe("what the cluster's own volume group does not account for is looked at", () => {
  test("nothing, where its volumes stand on the only partition: then the disk is nobody else's as a whole", () => {
    expect(names(stackOf(part("sdb"), part("sdb1", "dm-0")))).toEqual([]);
    expect(names(stackOf(part("sdb", "dm-0")))).toEqual([]);
  });

  test("a second partition, whatever is on the first", () => {
    expect(names(stackOf(part("sdb"), part("sdb1", "dm-0"), part("sdb2")), [PV])).toEqual(["sdb2"]);
  });

  test("the disk as a whole, where LVM lists the partition and no volume of it is active", () => {
    expect(names(stackOf(part("sdb"), part("sdb1")), [PV])).toEqual(["sdb"]);
  });

  test.each<[string, PhysicalVolume[], DiskIdentity]>([
    ["of another group", [{ ...PV, vgName: "sysvg" }], DISK],
    ["of another UUID", [{ ...PV, uuid: PV_UUID.replace("A", "B") }], DISK],
    ["in another place", [{ ...PV, pvName: "/dev/sdc1" }], DISK],
    ["of a plan without one", [{ ...PV, uuid: "", vgName: "" }], DiskIdentity.create({ name: "sdb" })],
  ])("a physical volume %s", (_what, pvs, disk) => {
    expect(names(stackOf(part("sdb"), part("sdb1")), pvs, disk)).toEqual(["sdb", "sdb1"]);
  });

  test("a partition on which something else stands too", () => {
    expect(names(stackOf(part("sdb"), part("sdb1", "dm-0", "md0")))).toEqual(["sdb", "sdb1"]);
  });
});

// As wipefs of Debian 12 and 13 calls them: what has neither a holder nor a mount of its own where the host uses it.
const SIGNATURES = [
  "zfs_member",
  "btrfs",
  "bcache",
  "linux_raid_member",
  "isw_raid_member",
  "crypto_LUKS",
  "LVM2_member",
  "swap",
  "ext4",
  "xfs",
  "oracleasm",
  "ceph_bluestore",
  "drbd",
  "VMFS_volume_member",
];

describe("a part is used by the host", () => {
  const stack = stackOf(part("sdb"), part("sdb1", "dm-0"), part("sdb2"));
  const refusing = (change: Partial<PartContent>): string[] =>
    refusingOf(
      contentFacts(stack, [part("sdb2")], [{ name: "sdb2", signatures: [], claim: "free", ...change }]),
    );

  test("not where nothing is known on it and the kernel gives it to us alone", () => {
    expect(refusing({})).toEqual([]);
  });

  test.each([...SIGNATURES, ...TABLES])("where %s is on it", (type) => {
    expect(refusing({ signatures: [`${type} at 0x0`] })).toEqual(["what is on sdb2 I3"]);
  });

  test("where the kernel gave it to somebody, though nothing is written on it", () => {
    expect(refusing({ claim: "in use" })).toEqual(["the kernel's user of sdb2 I3"]);
  });

  test("perhaps, where either cannot be said, or was not looked at (I11)", () => {
    expect(refusing({ signatures: "wipefs exited with 1" })).toEqual(["what is on sdb2 I11"]);
    expect(refusing({ claim: "ENXIO" })).toEqual(["the kernel's user of sdb2 I11"]);
    expect(refusing({ name: "sdb3" })).toEqual(["what is on sdb2 I11"]);
  });

  test("and the table of a disk that has partitions is no use of it", () => {
    const whole = part("sdb");
    const content = { name: "sdb", signatures: ["gpt at 0x200", "PMBR at 0x1fe"], claim: "free" };
    expect(refusingOf(contentFacts(stackOf(whole, part("sdb1")), [whole], [content]))).toEqual([]);
    expect(refusingOf(contentFacts(stackOf(whole), [whole], [content]))).toEqual(["what is on sdb I3"]);
  });

  test("by who writes to it, or by whom nobody can say", () => {
    expect(refusingOf([usersFact({ users: [], unknownBecause: "" })])).toEqual([]);
    expect(refusingOf([usersFact({ users: ["loop loop0"], unknownBecause: "" })])).toEqual([
      "who writes to it I3",
    ]);
    expect(refusingOf([usersFact({ users: [], unknownBecause: "EACCES" })])).toEqual([
      "who writes to it I11",
    ]);
  });

  test("whatever is found: only a part that is empty and free holds", () => {
    const signatures = fc.oneof(
      fc.array(
        fc.constantFrom(...SIGNATURES, ...TABLES).map((type) => `${type} at 0x0`),
        { maxLength: 3 },
      ),
      fc.string(),
    );
    const claim = fc.oneof(fc.constantFrom("free", "in use"), fc.string());
    fc.assert(
      fc.property(signatures, claim, (found, claimed) => {
        const isUnused = Array.isArray(found) && found.length === 0 && claimed === "free";
        expect(refusing({ signatures: found, claim: claimed }).length === 0).toBe(isUnused);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
