/** Actions on one disk, as the performer does them: all that is written goes through the handle that was opened (I14). */
import {
  ActionOutcome,
  BlockDevice,
  DeviceMapperDevice,
  DrbdGenerations,
  LogicalVolume,
  LvmFacts,
  PhysicalVolume,
  Source,
  SourceReport,
  SourceState,
  VolumeGroup,
  type ActionRequest,
} from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { whole } from "../guards/testing.js";
import type { DeviceHandle } from "../host.js";
import type { Facts } from "../sources/source.js";
import { ownMark } from "../own-mark.js";
import { errno } from "../sources/testing.js";
import { performStage, requestFor, type PerformStage } from "../testing.js";
import { MAP, SAMPLE_DISK as DISK, VG_UUID } from "./testing.js";

const { DONE, ALREADY_SO, REFUSED, FAILED, UNKNOWN } = ActionOutcome;
const { end, report, seen } = whole();
const PV = PhysicalVolume.create({ pvName: "/dev/sdb1", uuid: DISK.pvUuid, vgName: "kvmvg" });

let stage: PerformStage;
let sysfs: Record<string, string>;
let folders: Record<string, readonly string[]>;
let facts: Map<Source, Facts>;
let there: boolean;
let opened: number;
let closed: number;

beforeEach(() => {
  stage = performStage();
  stage.world.own = seen.own;
  stage.world.redundantMs = 60_000;
  there = true;
  opened = 0;
  closed = 0;
  sysfs = {
    size: "1024\n",
    dev: "8:16\n",
    "queue/rotational": "1\n",
    removable: "0\n",
    "device/state": "running\n",
    "device/wwid": "t10.ATA X\n",
    "device/serial": "S1\n",
    "device/model": "X\n",
    "device/ioerr_cnt": "0x3\n",
    "sdb1/dev": "8:17\n",
  };
  folders = { "": ["sdb1", "device"], holders: [], "sdb1/holders": ["dm-0"] };
  stage.world.machine = {
    files: {
      "/proc/self/mountinfo": "25 1 254:9 / / rw - ext4 /dev/sda1 rw\n",
      "/proc/1/mountinfo": "25 1 254:9 / / rw - ext4 /dev/sda1 rw\n",
      "/proc/swaps": "Filename Type\n",
      "/sys/block/dm-0/dev": "254:0\n",
      "/sys/block/dm-0/dm/name": "kvmvg-1--2.disk0_data\n",
      "/sys/block/dm-0/dm/uuid": `LVM-${VG_UUID.replaceAll("-", "")}${"a".repeat(32)}\n`,
      "/sys/block/drbd18/dev": "147:18\n",
    },
    folders: { "/proc": [], "/sys/block": ["sdb", "dm-0"], "/sys/block/dm-0/holders": ["drbd18"] },
    device: handle,
  };
  facts = new Map<Source, Facts>([
    [
      Source.LVM,
      {
        $case: "lvm",
        value: LvmFacts.create({
          physicalVolumes: [PV],
          volumeGroups: [VolumeGroup.create({ vgName: "kvmvg" })],
        }),
      },
    ],
    [Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices: [] } }],
    [
      Source.DRBD_GENERATIONS,
      { $case: "drbdGenerations", value: DrbdGenerations.create({ currentUuid: seen.currentUuid }) },
    ],
  ]);
  stage.world.read = async (source) => {
    const devices = there
      ? [BlockDevice.create({ ...DISK, state: sysfs["device/state"]?.trim() ?? "" })]
      : [];
    const said: Facts | undefined =
      source === Source.BLOCK_DEVICES ? { $case: "blockDevices", value: { devices } } : facts.get(source);
    return said === undefined
      ? SourceReport.create({ source, state: SourceState.FAILED, reason: "not there" })
      : SourceReport.create({ source, state: SourceState.OK, facts: said });
  };
});
afterEach(() => {
  stage.end();
  expect(closed).toBe(opened);
});

/** sdb of this moment: a later one of the same name has another. */
function handle(name: string): DeviceHandle {
  if (!there || name !== "sdb") throw errno("ENOENT");
  opened += 1;
  const mine = sysfs;
  const found = <T>(value: T | undefined): T => {
    if (value === undefined || sysfs !== mine) throw errno(value === undefined ? "ENOENT" : "ENODEV");
    return value;
  };
  return {
    read: async (path) => found(mine[path]),
    readLink: async () => "../../../1:0:0:0",
    list: async (path) => [...found(folders[path])],
    write: async (attribute, text) => {
      stage.happened.push(`write ${attribute}`);
      found("");
      if (attribute === "state") mine["device/state"] = `${text}\n`;
      else there = false;
    },
    close: async () => void (closed += 1),
  };
}

const offline = (change: Partial<ActionRequest> = {}): ActionRequest =>
  requestFor(
    { $case: "setDiskOffline", value: { disk: DISK, minors: [end], peers: [report] } },
    { stepId: "offline", ...change },
  );
const wrote = (): string[] => stage.happened.filter((event) => event.startsWith("write"));

describe("a disk goes offline", () => {
  test("not with the root of the host on it, in a pool that has neither holders nor a mount of its own (I3)", async () => {
    folders = { "": ["sdb1", "sdb9", "device"], holders: [], "sdb1/holders": [], "sdb9/holders": [] };
    sysfs["sdb9/dev"] = "8:25\n";
    facts.set(Source.LVM, { $case: "lvm", value: LvmFacts.create({}) });
    const found: Readonly<Record<string, string>> = {
      "/dev/sdb": '{"signatures": [{"type": "gpt", "offset": "0x200"}, {"type": "PMBR", "offset": "0x1fe"}]}',
      "/dev/sdb1": '{"signatures": [{"type": "zfs_member", "offset": "0x3f000"}]}',
      "/dev/sdb9": '{"signatures": []}',
    };
    stage.world.run = ({ args }) => ({ stdout: found[args.at(-1) ?? ""] ?? "" });
    stage.world.machine = {
      ...stage.world.machine,
      files: {
        ...stage.world.machine.files,
        "/proc/self/mountinfo": "25 1 0:23 / / rw - zfs rpool/ROOT/debian rw\n",
        "/proc/1/mountinfo": "25 1 0:23 / / rw - zfs rpool/ROOT/debian rw\n",
      },
      claim: (path) => {
        if (path !== "/dev/sdb9") throw errno("EBUSY");
      },
    };
    const unused = requestFor({ $case: "setDiskOffline", value: { disk: DISK, minors: [], peers: [] } });
    const result = await stage.perform(unused);
    expect(result.guard.filter(({ holds }) => !holds).map(({ name, value }) => `${name}: ${value}`)).toEqual([
      "the kernel's user of sdb: in use",
      "what is on sdb1: zfs_member at 0x3f000",
      "the kernel's user of sdb1: in use",
    ]);
    expect(wrote()).toEqual([]);
  });

  test("not while LVM cannot be asked and never said what is on it (I11)", async () => {
    facts.delete(Source.LVM);
    const result = await stage.perform(offline());
    expect(result.guard.filter(({ holds }) => !holds)).toMatchObject([
      { name: "physical volume", value: "LVM: not there", invariant: "I11" },
    ]);
  });

  test("not while LVM does not tell all, and does not list it (I11)", async () => {
    const read = stage.world.read;
    stage.world.read = async (source) =>
      source === Source.LVM
        ? SourceReport.create({
            source,
            state: SourceState.OK,
            damaged: [{ object: "", reason: "pvs exited with 5" }],
            facts: { $case: "lvm", value: LvmFacts.create({}) },
          })
        : read(source);
    expect((await stage.perform(offline())).guard.filter(({ holds }) => !holds)).toMatchObject([
      { name: "physical volume", invariant: "I11" },
    ]);
  });

  test("not with a volume that is not active, though LVM only knows that the disk is missing (I3)", async () => {
    const plain = {
      vgName: "kvmvg",
      lvName: "plain",
      segments: [{ type: "linear", devices: ["[unknown](0)"] }],
    };
    const value = LvmFacts.create({
      physicalVolumes: [{ ...PV, pvName: "[unknown]" }],
      logicalVolumes: [plain].map((volume) => LogicalVolume.fromPartial(volume)),
    });
    facts.set(Source.LVM, { $case: "lvm", value });
    expect((await stage.perform(offline())).guard.filter(({ holds }) => !holds)).toMatchObject([
      { name: "what else is on it", value: expect.stringContaining("kvmvg/plain"), invariant: "I3" },
    ]);
  });

  test("and the volumes of the group are not claimed, for that would keep them from becoming active", async () => {
    const claimed: string[] = [];
    stage.world.machine = { ...stage.world.machine, claim: (path) => void claimed.push(path) };
    expect(await stage.perform(offline())).toMatchObject({ outcome: DONE });
    expect(claimed).toEqual([]);
  });

  test.each([
    ["process 1's mounts cannot be read", "/proc/1/mountinfo", errno("EACCES")],
    ["process 1's mounts are none", "/proc/1/mountinfo", ""],
    [
      "its own mounts are without the root",
      "/proc/self/mountinfo",
      "30 25 0:26 / /run rw - tmpfs tmpfs rw\n",
    ],
    ["swap cannot be read", "/proc/swaps", errno("EIO")],
  ])("not where %s: nobody can say that the host does not use it (I11)", async (_what, path, text) => {
    stage.world.machine = {
      ...stage.world.machine,
      files: { ...stage.world.machine.files, [path]: text },
    };
    const result = await stage.perform(offline());
    expect(result.guard.filter(({ holds }) => !holds)).toMatchObject([
      { name: "what the host mounts", invariant: "I11" },
    ]);
    expect(wrote()).toEqual([]);
  });

  test("by one write that is journaled first, and the same disk's state is read again", async () => {
    const result = await stage.perform(offline());
    expect(result).toMatchObject({ outcome: DONE, message: "sdb is offline" });
    expect(result.commands).toMatchObject([
      { argv: ["echo", "offline", ">", "/sys/block/sdb/device/state"], exitCode: 0 },
    ]);
    const order = stage.happened.filter((event) => /^(?:intent|write|result)/.test(event));
    expect(order).toEqual(["intent", "write state", "result"]);
  });

  test("not again", async () => {
    sysfs["device/state"] = "offline\n";
    expect(await stage.perform(offline())).toMatchObject({ outcome: ALREADY_SO });
    expect(wrote()).toEqual([]);
  });

  test("not where another disk has its name, and not where it is gone", async () => {
    sysfs["device/wwid"] = "t10.ATA Y\n";
    const result = await stage.perform(offline());
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("wwid is t10.ATA Y (I12)");
    there = false;
    expect(await stage.perform(offline({ attempt: 2 }))).toMatchObject({
      outcome: REFUSED,
      code: "IDENTITY_MISMATCH",
    });
    expect(wrote()).toEqual([]);
  });

  test("not the one that came under its name after the check: the write fails with ENODEV (I14)", async () => {
    const before = sysfs;
    stage.world.looking = async () => void (sysfs = { ...before }); // the disk was looked at; then its minors are
    const result = await stage.perform(offline());
    expect(result).toMatchObject({ outcome: FAILED, code: "COMMAND_FAILED" });
    expect(result.message).toContain("ENODEV");
    expect(sysfs["device/state"]).toBe("running\n");
  });

  test("not while a minor stands on it that is not planned, or one is not fit (I2)", async () => {
    const none = requestFor(
      { $case: "setDiskOffline", value: { disk: DISK, minors: [], peers: [] } },
      { stepId: "offline" },
    );
    expect((await stage.perform(none)).message).toContain("minors on it is 18; planned: none (I2)");
    stage.world.redundantMs = 9_000;
    const unfit = await stage.perform(offline({ attempt: 2 }));
    expect(unfit.message).toBe("minor 18: own redundancy is for 9.0 s (I10)");
    expect(wrote()).toEqual([]);
  });

  test("and a write that never comes back leaves the disk and its minors alone (I37)", async () => {
    const hangs: DeviceHandle = { ...handle("sdb"), write: () => new Promise<void>(() => undefined) };
    stage.world.machine = { ...stage.world.machine, device: () => hangs };
    stage.world.sleep = () => new Promise((resolve) => setImmediate(resolve));
    expect(await stage.perform(offline())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_HUNG" });
    const detach = requestFor({ $case: "detachMinor", value: { end, peer: report } });
    for (const request of [offline({ attempt: 2 }), detach])
      expect(await stage.perform(request)).toMatchObject({ outcome: REFUSED, code: "COMMAND_HUNG" });
    await hangs.close();
  });
});

describe("a dead disk's maps go", () => {
  const remove = requestFor(
    { $case: "removeVolumeMaps", value: { disk: DISK, maps: [MAP] } },
    { stepId: "maps" },
  );
  const map = DeviceMapperDevice.create({ name: MAP.name, uuid: MAP.uuid, dependsOn: ["8:17"] });
  const maps = (...devices: DeviceMapperDevice[]): void =>
    void facts.set(Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices } });
  beforeEach(() => {
    sysfs["device/state"] = "offline\n";
    maps(map, DeviceMapperDevice.create({ name: "other", uuid: "LVM-x" }));
    stage.world.run = () => (maps(), {});
  });

  test("by name, one by one, and are seen to be gone", async () => {
    expect(await stage.perform(remove)).toMatchObject({ outcome: DONE, message: "1 are gone" });
    expect(stage.ran.map(({ args }) => args.join(" "))).toEqual([`remove ${MAP.name}`]);
  });

  test("and are not removed twice", async () => {
    maps();
    expect(await stage.perform(remove)).toMatchObject({ outcome: ALREADY_SO });
  });

  test("but not one whose name is another's by the time it comes to it", async () => {
    const request = requestFor(
      { $case: "removeVolumeMaps", value: { disk: DISK, maps: [{ ...MAP, name: "first" }, MAP] } },
      { stepId: "maps" },
    );
    const first = DeviceMapperDevice.create({ ...map, name: "first" });
    maps(first, map);
    stage.world.run = () => (maps({ ...map, uuid: `${MAP.uuid.slice(0, -1)}z` }), {});
    await stage.perform(request);
    expect(stage.ran.map(({ args }) => args.join(" "))).toEqual(["remove first"]);
  });
});

describe("a disk is forgotten", () => {
  test("and is not said to be gone while one of its size and serial tells no wwid (I11)", async () => {
    const read = stage.world.read;
    stage.world.read = async (source) => {
      if (source !== Source.BLOCK_DEVICES) return read(source);
      const devices = [BlockDevice.create({ ...DISK, state: "offline", wwid: there ? DISK.wwid : "" })];
      return SourceReport.create({
        source,
        state: SourceState.OK,
        facts: { $case: "blockDevices", value: { devices } },
      });
    };
    expect(await stage.perform(forget)).toMatchObject({
      outcome: UNKNOWN,
      message: expect.stringContaining("sdb, which tells no wwid"),
    });
  });

  const forget = requestFor({ $case: "deleteDisk", value: { disk: DISK } }, { stepId: "delete" });
  beforeEach(() => {
    sysfs["device/state"] = "offline\n";
    folders = { "": ["device"], holders: [] };
  });

  test("by one write, and is seen to be gone by what it said of itself", async () => {
    expect(await stage.perform(forget)).toMatchObject({ outcome: DONE, message: "sdb is gone" });
    expect(wrote()).toEqual(["write delete"]);
  });

  test("that is gone is not written to", async () => {
    there = false;
    expect(await stage.perform(forget)).toMatchObject({ outcome: ALREADY_SO });
  });

  test("not while a volume stands on it", async () => {
    folders = { "": ["sdb1", "device"], holders: [], "sdb1/holders": ["dm-0"] };
    expect((await stage.perform(forget)).message).toContain(
      "what stands on it is kvmvg-1--2.disk0_data, drbd18 (I2)",
    );
    expect(wrote()).toEqual([]);
  });
});

describe("a blank disk is adopted", () => {
  const adopt = (vgName: string): ActionRequest =>
    requestFor({ $case: "adoptDisk", value: { ...params, vgName } }, { stepId: "adopt" });
  const params = { disk: DISK, vgName: "kvmvg", partition: true, replacesWwid: "t10.OLD" };
  const OWN = ownMark(params, "r-1", "adopt");
  const lvm = (change: Partial<LvmFacts>): void =>
    void facts.set(Source.LVM, { $case: "lvm", value: LvmFacts.create(change) });
  const BLANK = { stdout: '{"signatures": []}' };
  beforeEach(() => {
    folders = { "": ["device"], holders: [] };
    lvm({});
  });
  const tools = (): string[] =>
    stage.ran.map(({ file, args }) => [file.split("/").at(-1), ...args].join(" "));

  test("into a new group where there is none of that name", async () => {
    stage.world.run = ({ file }) => {
      if (file.endsWith("vgcreate"))
        lvm({ physicalVolumes: [PV], volumeGroups: [VolumeGroup.create({ vgName: "kvmvg" })] });
      return BLANK;
    };
    expect(await stage.perform(adopt("kvmvg"))).toMatchObject({ outcome: DONE });
    expect(tools()).toEqual([
      "wipefs --no-act --json /dev/sdb", // before each command: it may be another disk by then (I14)
      "sfdisk --wipe never /dev/sdb",
      "wipefs --no-act --json /dev/sdb",
      "udevadm settle --timeout=20",
      "wipefs --no-act --json /dev/sdb",
      `pvcreate --uuid ${OWN.pvUuid} --norestorefile /dev/sdb1`,
      "wipefs --no-act --json /dev/sdb",
      "vgcreate kvmvg /dev/sdb1",
    ]);
  });

  test("into the group that is there", async () => {
    const volumeGroups = [VolumeGroup.create({ vgName: "kvmvg" })];
    lvm({ volumeGroups });
    stage.world.run = ({ file }) => {
      if (file.endsWith("vgextend")) lvm({ volumeGroups, physicalVolumes: [PV] });
      return BLANK;
    };
    expect(await stage.perform(adopt("kvmvg"))).toMatchObject({ outcome: DONE });
    expect(tools().at(-1)).toBe("vgextend kvmvg /dev/sdb1");
  });

  const TABLE = '{"signatures": [{"type": "dos", "offset": "0x1fe"}]}';
  const own = { ...PV, uuid: OWN.pvUuid, vgName: "" };
  const madeAs = (before: readonly PhysicalVolume[]): void => {
    folders = { "": ["sdb1", "device"], holders: [], "sdb1/holders": [] };
    lvm({ physicalVolumes: [...before] });
    stage.world.run = ({ file, args }) => {
      if (args[0] === "--disk-id") return { stdout: `${OWN.tableId}\n` };
      if (file.endsWith("vgcreate"))
        lvm({
          physicalVolumes: [{ ...own, vgName: "kvmvg" }],
          volumeGroups: [VolumeGroup.create({ vgName: "kvmvg" })],
        });
      return { stdout: TABLE };
    };
  };
  const changing = (): string[] => tools().filter((line) => !/^wipefs|--disk-id/.test(line));

  test("where a killed try left its partition, that is not made again", async () => {
    madeAs([]);
    expect(await stage.perform(adopt("kvmvg"))).toMatchObject({ outcome: DONE });
    expect(changing().slice(1)).toEqual([
      `pvcreate --uuid ${OWN.pvUuid} --norestorefile /dev/sdb1`,
      "vgcreate kvmvg /dev/sdb1",
    ]);
  });

  test("where a killed try left its physical volume, only the group is made", async () => {
    madeAs([own]);
    expect(await stage.perform(adopt("kvmvg"))).toMatchObject({ outcome: DONE });
    expect(changing()).toEqual(["vgcreate kvmvg /dev/sdb1"]);
  });

  test("not one on which anything is found", async () => {
    stage.world.run = () => ({ stdout: '{"signatures": [{"type": "LVM2_member", "offset": "0x218"}]}' });
    expect((await stage.perform(adopt("kvmvg"))).message).toBe("signatures is LVM2_member at 0x218 (I12)");
    expect(tools()).toEqual(["wipefs --no-act --json /dev/sdb"]);
  });

  test("and one that is in its group is left so", async () => {
    lvm({ physicalVolumes: [PV], volumeGroups: [VolumeGroup.create({ vgName: "kvmvg" })] });
    expect(await stage.perform(adopt("kvmvg"))).toMatchObject({ outcome: ALREADY_SO });
  });
});

describe("the light of a slot", () => {
  const locate = requestFor({ $case: "locateDisk", value: { disk: DISK, on: true } }, { stepId: "locate" });

  test("is lit where ledctl is there", async () => {
    stage.world.run = () => ({});
    expect(await stage.perform(locate)).toMatchObject({ outcome: DONE });
    expect(stage.ran.at(-1)?.args).toEqual(["locate=/dev/sdb"]);
  });

  test("is refused with a sentence where it is not", async () => {
    stage.world.run = () => ({ end: "not-started", exitCode: -1 });
    expect((await stage.perform(locate)).message).toBe("ledctl is not installed");
  });
});
