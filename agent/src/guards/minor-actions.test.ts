/** What is done to one minor that is not whole any more: taken down, unmapped, snapshotted, or its data given up. */
import {
  ConnectionState,
  DeviceMapperDevice,
  DiskState,
  DiscardVictim,
  DrbdConfig,
  DrbdMinor,
  Holder,
  HolderKind,
  LinkCut,
  LogicalVolume,
  LvmFacts,
  PeerReport,
  Role,
  SnapshotVolume,
  VolumeGroup,
  type DownMinor,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { judgeDiscard, type SeenForDiscard } from "./discard-victim.js";
import { judgeDown, type SeenForDown } from "./down-minor.js";
import type { HoldersSeen } from "./held-open.js";
import { judgeSnapshot, type SeenForSnapshot } from "./snapshot-volume.js";
import { refusingOf, whole } from "./testing.js";
import { judgeUnmap, type SeenForUnmap } from "./unmap-partitions.js";

const { end, seen: base, report } = whole();
const config = DrbdConfig.create({ ...(base.config as DrbdConfig), resource: "resource18" });
const NOBODY: HoldersSeen = { holders: [], damaged: [], unknownBecause: "" };
const BY_QEMU: HoldersSeen = {
  ...NOBODY,
  holders: [Holder.create({ kind: HolderKind.PROCESS, name: "qemu-system-x86", pid: 4_711 })],
};
const CUT = LinkCut.create({ peerAddress: "10.0.0.2", port: 11_018, runId: "r-1" });

describe("a minor is taken down", () => {
  const seen: SeenForDown = {
    bootId: "boot-1",
    config,
    own: DrbdMinor.create({ ...base.own, role: Role.PRIMARY }),
    ownUnknownBecause: "",
    ownAgeMs: 20,
    held: NOBODY,
    cuts: [],
    cutsUnknownBecause: "",
  };
  const refusing = (change: Partial<SeenForDown>, params: Partial<DownMinor> = {}): string[] =>
    refusingOf(judgeDown({ end, instanceStopped: true, ...params }, { ...seen, ...change }));

  test("where the instance is stopped and nobody holds it, also as Primary, Diskless or StandAlone", () => {
    const alone = { ...config, localAddress: "", peerAddress: "", localPort: 0, peerPort: 0 };
    expect(refusing({})).toEqual([]);
    expect(refusing({ config: { ...config, backingDevice: "" } })).toEqual([]);
    expect(refusing({ config: alone })).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["the instance is not stopped", refusing({}, { instanceStopped: false }), ["the instance"]],
    ["no end", refusing({}, { end: undefined }), ["which end I13", "resource I13"]],
    ["another boot", refusing({ bootId: "boot-9" }), ["own boot I7"]],
    [
      "the minor is not configured",
      refusing({ config: undefined }),
      ["minor 18 in drbdsetup show I13", "resource I13"],
    ],
    [
      "a resource of another name (F5)",
      refusing({ config: { ...config, resource: "resource8" } }),
      ["resource I13"],
    ],
    ["a resource without a name", refusing({ config: { ...config, resource: "" } }), ["resource I13"]],
    ["another port", refusing({ config: { ...config, peerPort: 11_019 } }), ["port I13"]],
    [
      "another volume",
      refusing({ config: { ...config, backingDevice: "/dev/kvmvg/9.disk0_data" } }),
      ["backing device I13"],
    ],
    ["own line damaged", refusing({ own: undefined, ownUnknownBecause: "damaged" }), ["own minor I11"]],
    ["own reading of 2001 ms ago", refusing({ ownAgeMs: 2_001 }), ["own reading age I14"]],
    [
      "a role that is not known",
      refusing({ own: DrbdMinor.create({ role: Role.UNKNOWN }) }),
      ["own role I11"],
    ],
    [
      "DRBD 9 counts it open",
      refusing({ own: DrbdMinor.create({ role: Role.PRIMARY, openCount: 1 }) }),
      ["open by DRBD's count"],
    ],
    ["a process has it open", refusing({ held: BY_QEMU }), ["who holds it"]],
    [
      "nobody can say who holds it",
      refusing({ held: { ...NOBODY, unknownBecause: "it hangs" } }),
      ["who holds it I11"],
    ],
    [
      "a process could not be looked at",
      refusing({
        held: { ...NOBODY, damaged: [{ line: 0, reason: "EACCES", minor: undefined, object: "/proc/9/fd" }] },
      }),
      ["what could not be looked at I11"],
    ],
    ["a cut of this link stands", refusing({ cuts: [CUT] }), ["cut of this link I21"]],
    ["the cuts are not known", refusing({ cutsUnknownBecause: "/proc failed" }), ["cut of this link I11"]],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});

describe("kpartx's maps go", () => {
  const map = DeviceMapperDevice.create({ name: "drbd18p1", major: 254, minor: 7, kpartxOf: "147:18" });
  const seen: SeenForUnmap = {
    bootId: "boot-1",
    config,
    maps: [map],
    use: { mounts: [{ dev: "8:1", mountPoint: "/", source: "/dev/sda1" }], swaps: [], unknownBecause: "" },
  };
  const refusing = (change: Partial<SeenForUnmap>): string[] =>
    refusingOf(judgeUnmap(end, { ...seen, ...change }));
  const mount = (dev: string, source: string): Partial<SeenForUnmap> => ({
    use: { ...seen.use, mounts: [{ dev, mountPoint: "/mnt", source }] },
  });

  test("while none of them is mounted or open", () => {
    expect(refusing({})).toEqual([]);
  });

  test.each<[string, Partial<SeenForUnmap>, string[]]>([
    ["one is mounted, by its number", mount("254:7", "/dev/root"), ["mounted"]],
    ["one is mounted, by its name", mount("0:40", "/dev/mapper/drbd18p1"), ["mounted"]],
    ["one is open", { maps: [{ ...map, openCount: 1 }] }, ["open"]],
    ["how often one is open is not known", { maps: [{ ...map, openCount: -1 }] }, ["open"]],
    ["the maps are not known", { maps: "dmsetup hangs" }, ["partition maps I11"]],
    [
      "the mounts are not known",
      { use: { ...seen.use, unknownBecause: "EIO" } },
      ["what the host mounts I11"],
    ],
    ["it is another boot", { bootId: "boot-9" }, ["own boot I7"]],
    ["it is not configured", { config: undefined }, ["minor 18 in drbdsetup show I13"]],
  ])("not where %s", (_what, change, names) => {
    expect(refusing(change)).toEqual(names);
  });
});

describe("a snapshot is made", () => {
  const lvm = LvmFacts.create({
    logicalVolumes: [LogicalVolume.create({ vgName: "kvmvg", lvName: "1-2.disk0_data" })],
    volumeGroups: [VolumeGroup.create({ vgName: "kvmvg", freeBytes: 2 ** 30 })],
  });
  const params = SnapshotVolume.create({ end, snapshotName: "vigie-r-7", sizeKib: 2 ** 20 });
  const refusing = (change: Partial<SeenForSnapshot>, other: Partial<SnapshotVolume> = {}): string[] =>
    refusingOf(judgeSnapshot({ ...params, ...other }, { bootId: "boot-1", config, lvm, ...change }));

  test("where there is room for it, to the last KiB", () => {
    expect(refusing({})).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["there is 1 KiB too little", refusing({}, { sizeKib: 2 ** 20 + 1 }), ["free in its group"]],
    [
      "a volume has its name",
      refusing({}, { snapshotName: "1-2.disk0_data" }),
      ["volume of the snapshot's name"],
    ],
    ["LVM does not list the volume", refusing({ lvm: { ...lvm, logicalVolumes: [] } }), ["its volume I13"]],
    ["LVM cannot be asked", refusing({ lvm: "LVM: it hangs" }), ["volumes I11"]],
    [
      "the minor has another volume",
      refusing({ config: { ...config, backingDevice: "" } }),
      ["backing device I13"],
    ],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});

describe("the victim of a split brain gives its data up", () => {
  const SNAPSHOT = {
    vgName: "kvmvg",
    lvName: "vigie-r-7",
    attr: "swi-a-s---",
    origin: "1-2.disk0_data",
  };
  const params = DiscardVictim.create({
    end,
    typedNode: "h1.example",
    currentUuid: "A876B5BE329C3969",
    survivorUuid: report.currentUuid,
    peer: {
      ...report,
      drbd: { ...report.drbd, connection: ConnectionState.STAND_ALONE, disk: DiskState.UP_TO_DATE },
    },
    snapshotName: "vigie-r-7",
  });
  const own = DrbdMinor.create({
    ...base.own,
    connection: ConnectionState.STAND_ALONE,
    role: Role.SECONDARY,
    peerDisk: DiskState.D_UNKNOWN,
  });
  const seen: SeenForDiscard = {
    bootId: "boot-1",
    config: { ...config, localAddress: "", peerAddress: "", localPort: 0, peerPort: 0 },
    own,
    ownUnknownBecause: "",
    ownAgeMs: 20,
    currentUuid: "A876B5BE329C3969",
    held: NOBODY,
    peerAgeMs: 500,
    snapshot: SNAPSHOT,
    cuts: [],
    cutsUnknownBecause: "",
  };
  const refusing = (change: Partial<SeenForDiscard>, other: Partial<DiscardVictim> = {}): string[] =>
    refusingOf(judgeDiscard({ ...params, ...other }, { ...seen, ...change }));
  const peer = (change: Partial<DrbdMinor>, more: Partial<PeerReport> = {}): Partial<DiscardVictim> => ({
    peer: PeerReport.create({
      ...params.peer,
      drbd: DrbdMinor.create({ ...params.peer?.drbd, ...change }),
      ...more,
    }),
  });

  test("where a person typed its node, it is as they saw it, and the survivor has all", () => {
    expect(refusing({})).toEqual([]);
    expect(refusing({ snapshot: "none was named" }, { snapshotName: "" })).toEqual([]);
    expect(
      refusing({ own: { ...own, role: Role.PRIMARY, connection: ConnectionState.WF_CONNECTION } }),
    ).toEqual([]);
  });

  test.each<[string, string[], string[]]>([
    ["another node was typed", refusing({}, { typedNode: "h2.example" }), ["node that was typed I13"]],
    ["no node was typed", refusing({}, { typedNode: "" }), ["node that was typed I13"]],
    [
      "its generation is another one by now",
      refusing({ currentUuid: "A876B5BE329C3961" }),
      ["own generation I13"],
    ],
    ["its generation is not known", refusing({ currentUuid: "" }), ["own generation I13"]],
    [
      "the survivor has another generation than the one that was chosen",
      refusing({}, { survivorUuid: "A876B5BE329C3961" }),
      ["peer's generation I13"],
    ],
    ["no survivor was chosen", refusing({}, { survivorUuid: "" }), ["peer's generation I13"]],
    [
      "the survivor's generation is not known",
      refusing({}, { peer: { ...params.peer!, currentUuid: "" } }),
      ["peer's generation I11"],
    ],
    [
      "neither generation is known",
      refusing({ currentUuid: "" }, { currentUuid: "" }),
      ["own generation I13"],
    ],
    ["it is connected", refusing({ own: { ...own, connection: ConnectionState.CONNECTED } }), ["own cs I8"]],
    ["its line is damaged", refusing({ own: undefined, ownUnknownBecause: "damaged" }), ["own minor I11"]],
    ["its reading is old", refusing({ ownAgeMs: 2_001 }), ["own reading age I14"]],
    ["the guest runs on it", refusing({ held: BY_QEMU }), ["who holds it"]],
    ["there is no report of the survivor", refusing({}, { peer: undefined }), ["peer's report I7"]],
    ["the survivor's report is old", refusing({ peerAgeMs: 2_001 }), ["peer's report age I7"]],
    [
      "the survivor's report is another's",
      refusing({}, peer({}, { node: "h3.example" })),
      ["peer's report from I16"],
    ],
    [
      "the survivor is Inconsistent",
      refusing({}, peer({ disk: DiskState.INCONSISTENT })),
      ["peer's disk I1"],
    ],
    [
      "the survivor is only Consistent",
      refusing({}, peer({ disk: DiskState.CONSISTENT })),
      ["peer's disk I1"],
    ],
    [
      "the survivor is connected",
      refusing({}, peer({ connection: ConnectionState.CONNECTED })),
      ["peer's cs I7"],
    ],
    ["the survivor's I/O is suspended", refusing({}, peer({ ioSuspended: true })), ["peer's I/O I1"]],
    [
      "the survivor's disk has an error",
      refusing({}, peer({}, { diskErrors: 1 })),
      ["I/O errors of the peer's disk I1"],
    ],
    [
      "it is not known whether the survivor's disk has errors",
      refusing({}, peer({}, { diskErrorsUnknown: "the kernel's log of h2 cannot be read" })),
      ["I/O errors of the peer's disk I11"],
    ],
    ["the snapshot is not there", refusing({ snapshot: "LVM does not list it" }), ["snapshot I11"]],
    ["LVM cannot be asked of the snapshot", refusing({ snapshot: "LVM: it hangs" }), ["snapshot I11"]],
    [
      "the snapshot is of another volume",
      refusing({ snapshot: { ...SNAPSHOT, origin: "1-3.disk0_data" } }),
      ["snapshot I1"],
    ],
    [
      "the snapshot's store is full",
      refusing({ snapshot: { ...SNAPSHOT, attr: "swi-I-s---" } }),
      ["snapshot I1"],
    ],
    [
      "the snapshot is being merged back",
      refusing({ snapshot: { ...SNAPSHOT, attr: "Swi-a-s---" } }),
      ["snapshot I1"],
    ],
    ["the end has no disk", refusing({ config: { ...config, backingDevice: "" } }), ["backing device I13"]],
    ["a cut of this link stands", refusing({ cuts: [CUT] }), ["cut of this link I21"]],
  ])("not where %s", (_what, refused, names) => {
    expect(refused).toEqual(names);
  });
});
