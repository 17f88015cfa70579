import {
  BlockDevice,
  DiskIdentity,
  DiskState,
  DrbdEnd,
  DrbdMinor,
  LogicalVolume,
  PeerReport,
  PhysicalVolume,
  SetDiskOffline,
  type DrbdConfig,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { StackedDevice } from "../disk-stack.js";
import { judgeDiskOffline, type SeenForOffline } from "./disk-offline.js";
import { lost, refusingOf, whole, type LossCase } from "./testing.js";

interface Case {
  readonly params: SetDiskOffline;
  readonly seen: SeenForOffline;
}

const VG_UUID = "H49c7m-uZxO-5HuU-5coV-eHvU-EkkK-8Glyjg";
const PV_UUID = "Abcdef-1234-1234-1234-1234-1234-abcdef";

/** The same mirror under other numbers. */
function renumbered({ end, report, seen }: LossCase, minor: number): LossCase {
  const port = 11_000 + minor;
  const dataLv = `kvmvg/1-${minor}.disk0_data`;
  const config = seen.config as DrbdConfig;
  return {
    end: DrbdEnd.create({ ...end, minor, port, dataLv }),
    report,
    seen: {
      ...seen,
      own: DrbdMinor.create({ ...seen.own, minor }),
      config: {
        ...config,
        minor,
        localPort: port,
        peerPort: port,
        backingDevice: config.backingDevice === "" ? "" : `/dev/${dataLv}`,
      },
    },
  };
}

function mapOf(index: number, minor: number, kind: "data" | "meta", holders: string[]): StackedDevice {
  const suffix = String(index).padStart(32, "x");
  return {
    name: `dm-${index}`,
    dev: `254:${index}`,
    dmName: `kvmvg-1--${minor}.disk0_${kind}`,
    dmUuid: `LVM-${VG_UUID.replaceAll("-", "")}${suffix}`,
    holders,
  };
}

const drbd = (minor: number): StackedDevice => ({
  name: `drbd${minor}`,
  dev: `147:${minor}`,
  dmName: "",
  dmUuid: "",
  holders: [],
});

function volumeOf(minor: number, kind: "data" | "meta"): LogicalVolume {
  return LogicalVolume.create({
    vgName: "kvmvg",
    lvName: `1-${minor}.disk0_${kind}`,
    segments: [{ type: "linear", devices: ["/dev/sdb1(0)"] }],
  });
}

/** sdb1 is the PV of kvmvg; minor 18 is whole, and 19 gave its disk up already. */
function failing(minors: readonly LossCase[] = [renumbered(whole(), 18), renumbered(lost(), 19)]): Case {
  const disk = DiskIdentity.create({
    node: "h1.example",
    bootId: "boot-1",
    name: "sdb",
    dev: "8:16",
    wwid: "t10.ATA X",
    serial: "S1",
    model: "X",
    sizeBytes: 4_096,
    scsiAddress: "1:0:0:0",
    pvUuid: PV_UUID,
    pvName: "/dev/sdb1",
    vgName: "kvmvg",
    vgUuid: VG_UUID,
  });
  const device = BlockDevice.create({ ...disk, state: "running", ioErrors: 3 });
  const stack = {
    parts: [
      { name: "sdb", dev: "8:16", holders: [] },
      { name: "sdb1", dev: "8:17", holders: ["dm-0", "dm-1", "dm-2", "dm-3"] },
    ],
    devices: [
      mapOf(0, 18, "data", ["drbd18"]),
      mapOf(1, 18, "meta", ["drbd18"]),
      mapOf(2, 19, "data", []),
      mapOf(3, 19, "meta", []),
      drbd(18),
    ],
  };
  return {
    params: SetDiskOffline.create({
      disk,
      minors: minors.map(({ end }) => end),
      peers: minors.map(({ report }) => report),
    }),
    seen: {
      bootId: "boot-1",
      device,
      unknownBecause: "",
      twins: [],
      ageMs: 20,
      volumes: {
        stack,
        volumes: [18, 19].flatMap((minor) => [volumeOf(minor, "data"), volumeOf(minor, "meta")]),
      },
      volumesUnknownBecause: "",
      pvs: [PhysicalVolume.create({ pvName: "/dev/sdb1", uuid: PV_UUID, vgName: "kvmvg" })],
      lvm: { word: "listed", because: "" },
      contents: [],
      users: { users: [], unknownBecause: "" },
      hostUse: {
        mounts: [{ dev: "8:1", mountPoint: "/", source: "/dev/sda1" }],
        swaps: [],
        unknownBecause: "",
      },
      minors: minors.map(({ seen }) => seen),
    },
  };
}

const refusing = ({ params, seen }: Case): string[] => refusingOf(judgeDiskOffline(params, seen));

function withDevices(change: (devices: readonly StackedDevice[]) => StackedDevice[]): Case {
  const { params, seen } = failing();
  const volumes = seen.volumes as NonNullable<SeenForOffline["volumes"]>;
  const stack = { ...volumes.stack, devices: change(volumes.stack.devices) };
  return { params, seen: { ...seen, volumes: { ...volumes, stack } } };
}

function withDisk(change: Partial<DiskIdentity>): Case {
  const { params, seen } = failing();
  return { params: { ...params, disk: { ...DiskIdentity.create(params.disk), ...change } }, seen };
}

const withSeen = (change: Partial<SeenForOffline>): Case => {
  const { params, seen } = failing();
  return { params, seen: { ...seen, ...change } };
};

test("a failing disk whose volumes are whole elsewhere, or given up already, may go offline", () => {
  expect(refusing(failing())).toEqual([]);
});

describe("the disk must be the one that was planned in everything (I12)", () => {
  test.each<[string, Case, string[]]>([
    ["another boot", withDisk({ bootId: "boot-0" }), ["own boot I7"]],
    ["another device number", withDisk({ dev: "8:32" }), ["device number I12"]],
    ["another wwid", withDisk({ wwid: "t10.ATA Y" }), ["wwid I12"]],
    ["another serial", withDisk({ serial: "S2" }), ["serial I12"]],
    ["another model", withDisk({ model: "Y" }), ["model I12"]],
    ["another size", withDisk({ sizeBytes: 8_192 }), ["size I12"]],
    ["another place", withDisk({ scsiAddress: "2:0:0:0" }), ["SCSI address I12"]],
    ["another PV", withDisk({ pvUuid: PV_UUID.replace("A", "B") }), ["physical volume I12"]],
    ["a PV of another name", withDisk({ pvName: "/dev/sdc1" }), ["physical volume I12"]],
    ["a PV of another group", withDisk({ vgName: "othervg" }), ["physical volume I12"]],
    ["two of this wwid", withSeen({ twins: ["sdc"] }), ["others of this wwid I12"]],
    [
      "it is not running",
      withSeen({ device: BlockDevice.create({ ...failing().seen.device, state: "blocked" }) }),
      ["state"],
    ],
    ["it is gone", withSeen({ device: undefined, unknownBecause: "it is gone" }), ["sdb I11", "state"]],
  ])("%s", (_what, it, names) => {
    expect(refusing(it)).toEqual(names);
  });

  test("a disk without a wwid is a person's matter", () => {
    const { params, seen } = withDisk({ wwid: "" });
    const device = BlockDevice.create({ ...seen.device, wwid: "" });
    expect(refusing({ params, seen: { ...seen, device } })).toEqual(["wwid I12"]);
  });
});

describe("a disk that LVM cannot read any more", () => {
  const silent = (ioErrors: number): Case => {
    const { params, seen } = failing();
    const volumes = { ...(seen.volumes as NonNullable<typeof seen.volumes>), volumes: undefined };
    const device = BlockDevice.create({ ...seen.device, ioErrors });
    return { params, seen: { ...seen, volumes, pvs: [], lvm: { word: "not listed", because: "" }, device } };
  };

  test("is known by the kernel's maps, whose UUIDs name the group", () => {
    expect(refusing(silent(3))).toEqual([]);
  });

  test("must have failed by the kernel's count, or it is LVM that fails", () => {
    expect(refusing(silent(0))).toEqual(["physical volume I12"]);
  });
});

describe("LVM that cannot be asked is not LVM that does not list the disk (I11)", () => {
  const uuidOf = (index: number): string => String(index).padStart(32, "x");
  const said = [18, 19]
    .flatMap((minor) => [volumeOf(minor, "data"), volumeOf(minor, "meta")])
    .map((volume, index) => ({ ...volume, uuid: uuidOf(index) }));
  const unasked = (word: "listed before" | "unknown", last: readonly LogicalVolume[]): Case => {
    const { params, seen } = failing();
    const stack = seen.volumes?.stack ?? { parts: [], devices: [] };
    const volumes = { stack, volumes: word === "unknown" ? undefined : last };
    return { params, seen: { ...seen, volumes, lvm: { word, because: "lvs hangs" } } };
  };

  test("what it said last is believed where the kernel's stack knows the same volumes", () => {
    expect(refusing(unasked("listed before", said))).toEqual([]);
  });

  test("a volume that it has not seen yet refuses", () => {
    expect(refusing(unasked("listed before", said.slice(1)))).toEqual(["volumes by LVM's last word I11"]);
  });

  test("a plain volume of its last word, which is not active, refuses", () => {
    const plain = LogicalVolume.create({ vgName: "kvmvg", lvName: "plain", uuid: uuidOf(9) });
    expect(refusing(unasked("listed before", [...said, plain]))).toEqual(["what else is on it I3"]);
  });

  test("without a last word nothing is done, whatever errors the disk has", () => {
    expect(refusing(unasked("unknown", []))).toEqual(["physical volume I11"]);
  });
});

describe("every minor on it, and nothing else, is in the plan (I2, I3)", () => {
  test("one more in the kernel", () => {
    const it = withDevices((devices) => [...devices, mapOf(4, 20, "data", ["drbd20"]), drbd(20)]);
    expect(refusing(it)).toEqual(["minors on it I2"]);
  });

  test("one less in the kernel: its data is on another disk now", () => {
    const it = withDevices((devices) => devices.filter(({ name }) => name !== "drbd18"));
    expect(refusing(it)).toContain("minors on it I2");
  });

  test("one that has only its metadata there counts too", () => {
    const it = withDevices((devices) => [...devices, mapOf(4, 20, "meta", ["drbd20"]), drbd(20)]);
    expect(refusing(it)).toEqual(["minors on it I2"]);
  });

  test.each<[string, StackedDevice]>([
    ["a plain volume", { ...mapOf(9, 99, "data", []), dmName: "kvmvg-plain" }],
    ["a snapshot that nobody removed", { ...mapOf(9, 18, "data", []), dmName: "kvmvg-1--18.snap" }],
    ["a volume of another group", { ...mapOf(9, 18, "data", []), dmUuid: `LVM-${"z".repeat(64)}` }],
    [
      "a path of a multipath disk",
      { ...mapOf(9, 18, "data", []), dmUuid: "mpath-3600508b4", dmName: "mpatha" },
    ],
    ["a RAID", { name: "md0", dev: "9:0", dmName: "", dmUuid: "", holders: [] }],
  ])("%s on it refuses", (_what, stray) => {
    expect(refusing(withDevices((devices) => [...devices, stray]))).toEqual(["what else is on it I3"]);
  });

  test("a volume that is not active is known by LVM, and refuses", () => {
    const { params, seen } = failing();
    const volumes = seen.volumes as NonNullable<typeof seen.volumes>;
    const more = { ...volumes, volumes: [...(volumes.volumes ?? []), volumeOf(21, "data")] };
    expect(refusing({ params, seen: { ...seen, volumes: more } })).toEqual(["what else is on it I3"]);
  });

  test("a volume of a minor that is whole, and does not hold it, refuses: which disk it uses is not known", () => {
    const it = withDevices((devices) =>
      devices.map((device) => (device.name === "dm-0" ? { ...device, holders: [] } : device)),
    );
    expect(refusing(it)).toEqual(["what else is on it I3"]);
  });

  test("the same minor twice in the plan", () => {
    const twice = renumbered(whole(), 18);
    const { params, seen } = failing([twice, twice, renumbered(lost(), 19)]);
    expect(refusing({ params, seen })).toEqual(["minors on it I2"]);
  });

  test("what stands on it cannot be read", () => {
    const it = withSeen({ volumes: undefined, volumesUnknownBecause: "sysfs failed" });
    expect(refusing(it)).toContain("what stands on it I11");
  });
});

describe("the host itself uses nothing on it (I3)", () => {
  test.each<[string, Partial<SeenForOffline["hostUse"]>, string]>([
    [
      "/ is on a partition",
      { mounts: [{ dev: "8:17", mountPoint: "/", source: "/dev/root" }] },
      "mounted from it I3",
    ],
    [
      "our journal is on a volume",
      { mounts: [{ dev: "254:0", mountPoint: "/var/lib/vigie", source: "/dev/mapper/x" }] },
      "mounted from it I3",
    ],
    [
      "btrfs, which has a number of its own",
      { mounts: [{ dev: "0:40", mountPoint: "/var/lib/ganeti", source: "/dev/sdb1" }] },
      "mounted from it I3",
    ],
    [
      "a volume by its name",
      { mounts: [{ dev: "0:40", mountPoint: "/boot", source: "/dev/mapper/kvmvg-1--19.disk0_meta" }] },
      "mounted from it I3",
    ],
    ["swap on a partition", { swaps: ["/dev/sdb1"] }, "swap on it I3"],
    ["swap on a volume", { swaps: ["/dev/dm-2"] }, "swap on it I3"],
    ["nobody can say", { unknownBecause: "EACCES" }, "what the host mounts I11"],
  ])("%s", (_what, change, name) => {
    const { hostUse } = failing().seen;
    expect(refusing(withSeen({ hostUse: { ...hostUse, ...change } }))).toEqual([name]);
  });

  test("what is mounted from a mirrored minor is its peer's too, and is no use of this disk", () => {
    const mounts = [{ dev: "147:18", mountPoint: "/mnt", source: "/dev/drbd18" }];
    expect(refusing(withSeen({ hostUse: { mounts, swaps: [], unknownBecause: "" } }))).toEqual([]);
  });
});

test("of thirty minors one that is not fit refuses all, and is the one that is named (I2)", () => {
  const minors = Array.from({ length: 30 }, (_, index) => renumbered(whole(), index));
  const { params, seen } = failing(minors);
  const devices = minors.flatMap(({ end }, index) => [
    mapOf(index, end.minor, "data", [`drbd${end.minor}`]),
    drbd(end.minor),
  ]);
  const volumes = minors.map(({ end }) => volumeOf(end.minor, "data"));
  const all: Case = {
    params,
    seen: { ...seen, volumes: { stack: { parts: seen.volumes?.stack.parts ?? [], devices }, volumes } },
  };
  expect(refusing(all)).toEqual([]);
  const bad = PeerReport.create({ ...params.peers[7] });
  bad.drbd = DrbdMinor.create({ ...bad.drbd, disk: DiskState.INCONSISTENT });
  const peers = params.peers.with(7, bad);
  expect(refusing({ ...all, params: { ...params, peers } })).toEqual(["minor 7: peer's disk I1"]);
  expect(refusing({ ...all, params: { ...params, peers: params.peers.slice(1) } })).toContain(
    "minor 29: peer's report I7",
  );
});
