/** Minors without their disk, minors that are gone, disks in a state, volumes that are no more. */
import {
  BlockDevice,
  BlockDeviceFacts,
  ConnectionState,
  Damaged,
  DeviceMapperDevice,
  DeviceMapperFacts,
  DiskIdentity,
  DiskState,
  LvmFacts,
  PhysicalVolume,
  Source,
  type Condition,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, ok, onH1, onH2, type Says } from "../../view/testing.js";
import { createWatch } from "./index.js";
import { contextAt, END, short } from "./testing.js";

type What = NonNullable<Condition["what"]>;

function look(what: What, view: ClusterView): string {
  return short(createWatch({ what }, contextAt(0))(view));
}

describe("a minor", () => {
  const diskless: What = { $case: "minorDiskless", value: { end: END } };
  const own = { disk: DiskState.DISKLESS };
  const peer = { peerDisk: DiskState.DISKLESS };
  const ends = (h1: Partial<ReturnType<typeof onH1>>, h2: Partial<ReturnType<typeof onH2>>): ClusterView =>
    cluster({ h1: { minors: [onH1(h1)] }, h2: { minors: [onH2(h2)] } });

  test("is Diskless when both ends say so, and the peer has the data", () => {
    expect(look(diskless, ends(own, peer))).toBe("seen");
    expect(look(diskless, ends(own, {}))).toBe("not yet");
    expect(look(diskless, ends({}, peer))).toBe("not yet");
    expect(look(diskless, ends(own, { ...peer, disk: DiskState.INCONSISTENT }))).toBe("not yet");
  });

  test("is gone when it is not listed or Unconfigured, and not when its line is damaged (I11)", () => {
    const gone: What = { $case: "minorGone", value: { end: END } };
    expect(look(gone, cluster({ h1: {} }))).toBe("seen");
    expect(look(gone, ends({ connection: ConnectionState.UNCONFIGURED }, {}))).toBe("seen");
    expect(look(gone, ends({}, {}))).toBe("not yet");
    const damaged = [Damaged.create({ minor: 0, reason: "torn" })];
    expect(look(gone, cluster({ h1: { damaged } }))).toBe("not yet");
    expect(look(gone, cluster({ h1: { failed: "EIO" } }))).toBe("not yet");
  });

  test("has no partition mapped when device-mapper lists none of it", () => {
    const unmapped: What = { $case: "partitionsUnmapped", value: { end: END } };
    const maps = (...of: string[]): Says => ({
      sources: [
        ok(Source.DEVICE_MAPPER, {
          $case: "deviceMapper",
          value: DeviceMapperFacts.create({
            devices: of.map((kpartxOf) => DeviceMapperDevice.create({ kpartxOf })),
          }),
        }),
      ],
    });
    expect(look(unmapped, cluster({ h1: maps() }))).toBe("seen");
    expect(look(unmapped, cluster({ h1: maps("147:1") }))).toBe("seen");
    expect(look(unmapped, cluster({ h1: maps("147:0") }))).toBe("not yet");
    expect(look(unmapped, cluster({ h1: {} }))).toBe("not yet");
  });
});

describe("a disk", () => {
  const disk = DiskIdentity.create({ node: "h1", name: "sdb", wwid: "naa.1" });
  const devices = (...list: Partial<BlockDevice>[]): Says => ({
    sources: [
      ok(Source.BLOCK_DEVICES, {
        $case: "blockDevices",
        value: BlockDeviceFacts.create({ devices: list.map((one) => BlockDevice.create(one)) }),
      }),
    ],
  });
  const state = (wanted: string, says: Says): string =>
    look({ $case: "diskInState", value: { disk, state: wanted } }, cluster({ h1: says }));

  test("is known by its world-wide name, whatever it is called now (I12)", () => {
    expect(state("offline", devices({ name: "sdc", wwid: "naa.1", state: "offline" }))).toBe("seen");
    expect(state("offline", devices({ name: "sdb", wwid: "naa.2", state: "offline" }))).toBe("not yet");
  });

  test("is gone when no disk has its name, and not when nothing was read", () => {
    expect(state("", devices({ name: "sdb", wwid: "naa.2" }))).toBe("seen");
    expect(state("", devices({ name: "sdc", wwid: "naa.1" }))).toBe("not yet");
    expect(state("", {})).toBe("not yet");
  });

  test("carries the volume group when one of its partitions is a volume of it", () => {
    const lvm = (pvName: string) =>
      ok(Source.LVM, {
        $case: "lvm",
        value: LvmFacts.create({ physicalVolumes: [PhysicalVolume.create({ pvName, vgName: "kvmvg" })] }),
      });
    const on: What = { $case: "volumeGroupOn", value: { node: "h1", vgName: "kvmvg", disk } };
    const with_ = (pvName: string): ClusterView => {
      const { sources = [] } = devices({ name: "sdb", wwid: "naa.1", partitions: ["sdb1"] });
      return cluster({ h1: { sources: [...sources, lvm(pvName)] } });
    };
    expect(look(on, with_("/dev/sdb1"))).toBe("seen");
    expect(look(on, with_("/dev/sda1"))).toBe("not yet");
  });
});

test("several conditions hold when all do, or one, and are hopeless as soon as one is, or all are", () => {
  const gone: What = { $case: "minorGone", value: { end: END } };
  const here: What = { $case: "minorDiskless", value: { end: END } };
  const hopeless: What = { $case: "redundant", value: { instance: "web9", forMs: 0 } };
  const of = (kind: "allOf" | "anyOf", ...parts: What[]): string =>
    look({ $case: kind, value: { conditions: parts.map((what) => ({ what })) } }, cluster({ h1: {} }));
  expect(of("allOf", gone, gone)).toBe("seen");
  expect(of("allOf", gone, here)).toBe("not yet");
  expect(of("allOf", here, hopeless)).toContain("no mirrored disk");
  expect(of("anyOf", here, gone)).toBe("seen");
  expect(of("anyOf", here, hopeless)).toBe("not yet");
  expect(of("anyOf", hopeless, hopeless)).toContain("no mirrored disk");
});
