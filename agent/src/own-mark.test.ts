import { AdoptDisk, PhysicalVolume } from "@vigie/proto";
import { expect, test } from "vitest";
import { SAMPLE_DISK } from "./actions/testing.js";
import { isOwnPv, ownMark, pvPath } from "./own-mark.js";

const params = AdoptDisk.create({ disk: SAMPLE_DISK, vgName: "kvmvg", partition: true });
const big = { ...params, disk: { ...SAMPLE_DISK, sizeBytes: 3e12 } };

test("a mark is as LVM and sfdisk want it, and is of one step of one run", () => {
  const mark = ownMark(params, "r-7", "adopt-disk");
  expect(mark.pvUuid).toMatch(/^[0-9a-f]{6}(?:-[0-9a-f]{4}){5}-[0-9a-f]{6}$/);
  expect(mark).toMatchObject({ table: "dos", tableId: expect.stringMatching(/^0x[0-9a-f]{8}$/) });
  expect(ownMark(params, "r-7", "adopt-disk")).toEqual(mark);
  const others = [ownMark(params, "r-8", "adopt-disk"), ownMark(params, "r-7", "adopt-disk-2")];
  for (const other of others) {
    expect(other.pvUuid).not.toBe(mark.pvUuid);
    expect(other.tableId).not.toBe(mark.tableId);
  }
});

test("a disk that a dos table cannot count gets a GPT, whose id is a random UUID by its form", () => {
  expect(ownMark(big, "r-7", "adopt-disk")).toMatchObject({
    table: "gpt",
    tableId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
  });
});

test("the physical volume is on the disk or on its first partition, by the kernel's name of that", () => {
  const named = (name: string, partition: boolean): string =>
    pvPath({ ...params, partition, disk: { ...SAMPLE_DISK, name } });
  expect(named("sdb", false)).toBe("/dev/sdb");
  expect(named("sdb", true)).toBe("/dev/sdb1");
  expect(named("nvme0n1", true)).toBe("/dev/nvme0n1p1");
  expect(named("cciss!c0d0", true)).toBe("/dev/cciss/c0d0p1");
});

test("a physical volume is ours only with our UUID, where it was to be, and in no group", () => {
  const mark = ownMark(params, "r-7", "adopt-disk");
  const pv = PhysicalVolume.create({ pvName: "/dev/sdb1", uuid: mark.pvUuid });
  expect(isOwnPv(pv, params, mark)).toBe(true);
  expect(isOwnPv({ ...pv, vgName: "kvmvg" }, params, mark)).toBe(false);
  expect(isOwnPv({ ...pv, pvName: "/dev/sdb" }, params, mark)).toBe(false);
  expect(isOwnPv({ ...pv, uuid: SAMPLE_DISK.pvUuid }, params, mark)).toBe(false);
});
