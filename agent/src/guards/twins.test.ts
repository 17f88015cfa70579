import { BlockDevice, Damaged } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FUZZ_RUNS } from "../sources/testing.js";
import { twinsAmong } from "./twins.js";

const SDB = BlockDevice.create({
  name: "sdb",
  wwid: "naa.5",
  serial: "S1",
  model: "X",
  sizeBytes: 4_096,
  state: "running",
  scsiAddress: "1:0:0:0",
});
const sdc = (change: Partial<BlockDevice>): BlockDevice =>
  BlockDevice.create({ ...SDB, name: "sdc", wwid: "naa.6", serial: "S2", scsiAddress: "2:0:0:0", ...change });
const twins = (other: Partial<BlockDevice>): string[] => twinsAmong(SDB, [SDB, sdc(other)], []);

describe("another device is the same disk", () => {
  test("where it has the same wwid", () => {
    expect(twins({ wwid: "naa.5" })).toEqual(["sdc"]);
    expect(twins({})).toEqual([]);
  });

  test("perhaps, where it tells no wwid and is as large, and its serial is not another one", () => {
    const silent = { wwid: "", serial: "" };
    expect(twins(silent)).toEqual(["sdc, which tells no wwid"]);
    expect(twins({ ...silent, serial: "S1" })).toEqual(["sdc, which tells no wwid"]);
    expect(twins({ ...silent, serial: "S2" })).toEqual([]);
    expect(twins({ ...silent, sizeBytes: 8_192 })).toEqual([]);
  });

  test("not where it is no hardware: a map, a minor or a loop as large as the disk", () => {
    expect(twinsAmong(SDB, [SDB, BlockDevice.create({ name: "dm-0", sizeBytes: 4_096 })], [])).toEqual([]);
  });

  test("perhaps, where it could not be read at all", () => {
    const damaged = [Damaged.create({ object: "sdc", reason: "EIO" })];
    expect(twinsAmong(SDB, [SDB], damaged)).toEqual(["sdc, which cannot be read: EIO"]);
    expect(twinsAmong(SDB, [SDB, sdc({})], damaged)).toEqual([]); // its wwid was
  });
});

test("a second path is never passed over, whatever of it cannot be read", () => {
  const parts = fc.subarray(["wwid", "serial", "model", "state"] as const);
  fc.assert(
    fc.property(parts, fc.boolean(), (unread, whole) => {
      const path = { ...SDB, name: "sdc", scsiAddress: "2:0:0:0" };
      for (const part of unread) path[part] = "";
      const damaged = [Damaged.create({ object: "sdc", reason: "EIO" })];
      expect(twinsAmong(SDB, whole ? [SDB] : [SDB, path], damaged)).toHaveLength(1);
    }),
    { numRuns: FUZZ_RUNS },
  );
});
