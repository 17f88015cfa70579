/** The rules that propose a runbook: failing disks, hung migrations, held devices, volumes, dead nodes, slow resyncs. */
import {
  BlockDevice,
  BlockDeviceFacts,
  ConnectionState,
  Damaged,
  DeviceMapperDevice,
  DeviceMapperFacts,
  DiskState,
  GanetiFacts,
  GanetiJob,
  KernelLogFacts,
  KernelLogKind,
  KernelLogLine,
  LogicalVolume,
  LvmFacts,
  ResyncProgress,
  Role,
  Severity,
  SmartFacts,
  SmartReport,
  Source,
  SourceReport,
  SourceState,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { INVENTORY, ok, onH1, onH2, stalled, type Says } from "../../view/testing.js";
import { foundBy, isKnown, type Answer } from "../rule.js";
import { aboutDisk, aboutNode, short } from "../testing.js";
import { failingDisk } from "./failing-disk.js";
import { heldDevice } from "./held-device.js";
import { hungMigration } from "./hung-migration.js";
import { leftoverKpartx } from "./leftover-kpartx.js";
import { nodeDead } from "./node-dead.js";
import { resyncSlow } from "./resync-slow.js";
import { missingVolume, orphanVolume } from "./volumes.js";

const { WF_CONNECTION, SYNC_SOURCE, SYNC_TARGET } = ConnectionState;

describe("a disk is failing", () => {
  const sdb = {
    name: "sdb",
    state: "running",
    model: "ST4000",
    partitions: ["sdb1"],
    scsiAddress: "1:0:0:0",
  };
  const blocks = (change: Partial<BlockDevice> = {}): SourceReport =>
    ok(Source.BLOCK_DEVICES, {
      $case: "blockDevices",
      value: BlockDeviceFacts.create({ devices: [BlockDevice.create({ ...sdb, ...change })] }),
    });
  const log = (...devices: string[]): SourceReport =>
    ok(Source.KERNEL_LOG, {
      $case: "kernelLog",
      value: KernelLogFacts.create({
        lines: devices.map((device) =>
          KernelLogLine.create({ kind: KernelLogKind.IO_ERROR, device, text: "I/O error, dev sdb" }),
        ),
      }),
    });
  const smart = (change: Partial<SmartReport>): SourceReport =>
    ok(Source.SMART, {
      $case: "smart",
      value: SmartFacts.create({ disks: [SmartReport.create({ device: "sdb", ...change })] }),
    });
  const smartIs = (state: SourceState): SourceReport => SourceReport.create({ source: Source.SMART, state });
  const noSmart = smartIs(SourceState.ABSENT);
  const judge = (...sources: SourceReport[]): Answer => aboutNode(failingDisk, { h1: { sources } }, "h1");

  test("with one error in the kernel's log it is told, with three it is critical", () => {
    const severity = (answer: Answer): unknown => foundBy(answer)[0]?.severity;
    expect(severity(judge(blocks(), log("sdb")))).toBe(Severity.WARNING);
    expect(severity(judge(blocks(), log("sdb", "sdb1", "1:0:0:0")))).toBe(Severity.CRITICAL);
  });

  test.each<[string, Partial<SmartReport>]>([
    ["that it fails", { passed: false }],
    ["that sectors cannot be read", { passed: true, pendingSectors: 8 }],
    ["of uncorrectable errors", { uncorrectable: 1 }],
  ])("when SMART tells %s", (_what, change) => {
    expect(short(judge(blocks(), log(), smart(change)))).toHaveLength(1);
  });

  test("by the errors that it had under another name, though no line of them is left", () => {
    const history = (wwid: string, count: number): SourceReport =>
      ok(Source.KERNEL_LOG, {
        $case: "kernelLog",
        value: KernelLogFacts.create({ diskErrors: [{ wwid, name: "sda", count }] }),
      });
    const disk = blocks({ wwid: "naa.5" });
    expect(short(judge(disk, history("naa.5", 4)))).toEqual([expect.stringContaining("4 I/O errors")]);
    expect(short(judge(disk, history("naa.6", 4), noSmart))).toBe("clear");
  });

  test("not by another disk's errors, and not when it is offline already", () => {
    expect(short(judge(blocks(), log("sda", ""), smart({ passed: true })))).toBe("clear");
    expect(short(judge(blocks({ state: "offline" }), log("sdb"), noSmart))).toBe("clear");
  });

  test("is not known while the log or the disks cannot be read, or were read long ago", () => {
    expect(short(judge(blocks()))).toBe("unknown");
    const old = { h1: { sources: [blocks(), log("sdb"), noSmart], ageMs: 60_000 } };
    expect(short(aboutNode(failingDisk, old, "h1"))).toBe("unknown");
  });

  test("and stays so while SMART cannot be asked, or was not understood of this disk (I11)", () => {
    expect(isKnown(judge(blocks(), log()), "sdb")).toBe(false);
    expect(isKnown(judge(blocks(), log(), smartIs(SourceState.FAILED)), "sdb")).toBe(false);
    const odd = { ...smart({ device: "sda" }), damaged: [Damaged.create({ object: "sdb", reason: "torn" })] };
    expect(isKnown(judge(blocks(), log(), odd), "sdb")).toBe(false);
    expect(isKnown(judge(blocks(), log(), odd), "sda")).toBe(true);
    expect(short(judge(blocks(), log("sdb"), smartIs(SourceState.FAILED)))).toHaveLength(1);
  });
});

describe("a migration hangs", () => {
  const job = (change: Partial<GanetiJob> = {}): GanetiFacts =>
    GanetiFacts.create({
      ...INVENTORY,
      jobs: [GanetiJob.create({ id: 9, status: "running", summary: "INSTANCE_MIGRATE(web1)", ...change })],
    });

  test("when its job runs and the mirror does not move", () => {
    expect(short(aboutDisk(hungMigration, stalled(8_000), "d1", job()))).toEqual([
      expect.stringContaining("job 9, waits for a resync that does not move"),
    ]);
  });

  test.each<[string, Partial<GanetiJob>]>([
    ["another instance's job", { summary: "INSTANCE_MIGRATE(web2)" }],
    ["a job that does not run yet", { status: "waiting" }],
    ["another kind of job", { summary: "INSTANCE_REBOOT(web1)" }],
  ])("not by %s", (_what, change) => {
    expect(short(aboutDisk(hungMigration, stalled(8_000), "d1", job(change)))).toBe("clear");
  });

  test("not while the mirror moves", () => {
    expect(short(aboutDisk(hungMigration, stalled(2_000), "d1", job()))).toBe("clear");
  });
});

describe("a device is held", () => {
  const down = (adminState: string): GanetiFacts =>
    GanetiFacts.create({ ...INVENTORY, instances: INVENTORY.instances.map((i) => ({ ...i, adminState })) });
  const held: Record<string, Says> = {
    h1: { minors: [onH1({ connection: WF_CONNECTION, peerRole: Role.UNKNOWN })] },
    h2: {},
  };

  test("when the instance is stopped, one end is still Primary and the other is gone", () => {
    expect(short(aboutDisk(heldDevice, held, "d1", down("down")))).toEqual([
      expect.stringContaining("minor 0 on h1 is still held open"),
    ]);
  });

  test("not of a running instance, and not when both ends were activated on purpose", () => {
    expect(short(aboutDisk(heldDevice, held, "d1", down("up")))).toBe("clear");
    const both = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };
    expect(short(aboutDisk(heldDevice, both, "d1", down("down")))).toBe("clear");
  });
});

test("partition maps that nobody has open are left over, and a mounted one is not", () => {
  const maps = (...openCounts: number[]): Record<string, Says> => ({
    h1: {
      minors: [onH1()],
      sources: [
        ok(Source.DEVICE_MAPPER, {
          $case: "deviceMapper",
          value: DeviceMapperFacts.create({
            devices: openCounts.map((openCount, i) =>
              DeviceMapperDevice.create({ name: `drbd0p${i + 1}`, kpartxOf: "147:0", openCount }),
            ),
          }),
        }),
      ],
    },
  });
  expect(short(aboutNode(leftoverKpartx, maps(0, 0), "h1"))).toEqual([
    expect.stringContaining("drbd0p1, drbd0p2"),
  ]);
  expect(short(aboutNode(leftoverKpartx, maps(0, 1), "h1"))).toBe("clear");
  expect(short(aboutNode(leftoverKpartx, maps(), "h1"))).toBe("clear");
});

describe("volumes", () => {
  const uuid = "0123abcd-0000-4000-8000-000000000000";
  const lvm = (...names: string[]): Says => ({
    sources: [
      ok(Source.LVM, {
        $case: "lvm",
        value: LvmFacts.create({
          logicalVolumes: names.map((lvName) => LogicalVolume.create({ vgName: "vg", lvName })),
        }),
      }),
    ],
  });
  const inventory = GanetiFacts.create({ ...INVENTORY, vgName: "vg" });
  const judge = (rule: typeof missingVolume, node: string, ...names: string[]): string | string[] =>
    short(aboutNode(rule, { h1: {}, [node]: lvm(...names) }, node, {}, inventory));

  test("that Ganeti names must be on both of a disk's nodes", () => {
    expect(judge(missingVolume, "h2", "d1_data")).toBe("clear");
    expect(judge(missingVolume, "h2", "other")).toEqual([
      "h2: vg/d1_data of Ganeti's configuration is missing",
    ]);
    expect(judge(missingVolume, "h3")).toBe("clear");
  });

  test("that lack a part are as good as missing, although LVM lists them", () => {
    const lv = { vgName: "vg", lvName: "d1_data" };
    const segments = [{ type: "linear", sizeBytes: 1, devices: ["[unknown](0)"] }];
    for (const partial of [{ attr: "-wi-----p-" }, { segments }]) {
      const value = LvmFacts.create({ logicalVolumes: [LogicalVolume.create({ ...lv, ...partial })] });
      const says = { h1: {}, h2: { sources: [ok(Source.LVM, { $case: "lvm" as const, value })] } };
      expect(short(aboutNode(missingVolume, says, "h2", {}, inventory))).toEqual([
        "h2: vg/d1_data of Ganeti's configuration lacks a part, or all: a physical volume is gone",
      ]);
    }
  });

  test("that look like Ganeti's and are not named are orphans, and others are somebody else's", () => {
    expect(judge(orphanVolume, "h2", "d1_data", `${uuid}.disk0_data`)).toEqual([
      `h2: vg/${uuid}.disk0_data is not named by Ganeti`,
    ]);
    expect(judge(orphanVolume, "h2", "d1_data", "root", "swap")).toBe("clear");
  });

  test("that an export or replace-disks left behind are orphans, but not while such a job is at work", () => {
    const left = [`${uuid}.disk0_data.snap`, `${uuid}.disk1_meta_replaced-1700000000`];
    expect(judge(orphanVolume, "h2", ...left)).toEqual([
      `h2: vg/${left.join(", vg/")} is not named by Ganeti`,
    ]);
    for (const summary of ["BACKUP_EXPORT(web9)", "INSTANCE_REPLACE_DISKS(web9)"]) {
      const busy = { ...inventory, jobs: [GanetiJob.create({ id: 7, status: "running", summary })] };
      const says = { h1: {}, h2: lvm(...left) };
      expect(short(aboutNode(orphanVolume, says, "h2", {}, busy))).toBe("clear");
    }
  });

  test("are nobody's only where all of Ganeti's configuration was understood (I11)", () => {
    const damagedGaneti = [Damaged.create({ object: "web9", reason: "its disks are not understood" })];
    const says = { h1: { damagedGaneti }, h2: lvm(`${uuid}.disk0_data`) };
    expect(short(aboutNode(orphanVolume, says, "h2", {}, inventory))).toBe("unknown");
  });

  test("are not known by a reading of long ago", () => {
    const says = { h1: {}, h2: { ...lvm("other"), ageMs: 90_000 } };
    for (const rule of [missingVolume, orphanVolume])
      expect(short(aboutNode(rule, says, "h2", {}, inventory))).toBe("unknown");
  });

  test("are not known where LVM cannot be read", () => {
    expect(short(aboutNode(missingVolume, { h1: {}, h2: {} }, "h2", {}, inventory))).toBe("unknown");
  });
});

describe("a node is dead", () => {
  const apart = onH1({ connection: WF_CONNECTION, peerDisk: DiskState.D_UNKNOWN });
  const judge = (h1: Says): string | string[] =>
    short(aboutNode(nodeDead, { h1, h2: { minors: [onH2()], ageMs: 30_000 } }, "h2"));

  test("when it is silent and its peers' links are down", () => {
    expect(judge({ minors: [apart] })).toEqual([expect.stringContaining("1 DRBD links to it are down")]);
  });

  test("not when a peer is still connected: only its agent is gone", () => {
    expect(judge({ minors: [onH1()] })).toBe("clear");
  });

  test("is not known when the peers are silent too (I41)", () => {
    expect(judge({ minors: [apart], ageMs: 30_000 })).toBe("unknown");
  });

  test("not while it reports", () => {
    expect(short(aboutNode(nodeDead, { h1: { minors: [apart] }, h2: {} }, "h2"))).toBe("clear");
  });
});

describe("a resync is slow", () => {
  const judge = (leftKib: number, averageSpeedKibPerS: number, stillMs = 0): string | string[] => {
    const resync = ResyncProgress.create({ leftKib, totalKib: leftKib, averageSpeedKibPerS });
    return short(
      aboutDisk(resyncSlow, {
        h1: { minors: [onH1({ connection: SYNC_SOURCE, resync })], still: { 0: stillMs } },
        h2: { minors: [onH2({ connection: SYNC_TARGET, resync })], still: { 10: stillMs } },
      }),
    );
  };
  const TIB_IN_KIB = 1_073_741_824;

  test("when it will take longer than a day at the rate so far, and it says how long", () => {
    expect(judge(TIB_IN_KIB, 10_240)).toEqual([expect.stringContaining("another 29 h at 10.0 MiB/s")]);
    expect(judge(TIB_IN_KIB, 15_360)).toBe("clear");
  });

  test("when its rest does not shrink at all", () => {
    expect(judge(4_096, 0)).toEqual([expect.stringContaining("the resync will not end at 0.0 MiB/s")]);
    expect(judge(4_096, -120)).toHaveLength(1);
    expect(judge(0, 0)).toBe("clear");
  });

  test("not when it stands still: that is a stall", () => {
    expect(judge(TIB_IN_KIB, 10_240, 8_000)).toBe("clear");
  });
});
