/** Actions on one minor, as the performer does them in a small world: what is sent, and what is believed. */
import {
  ActionOutcome,
  ConnectionState,
  DeviceMapperDevice,
  DiskState,
  DrbdGenerations,
  DrbdMinor,
  HolderFacts,
  LogicalVolume,
  LvmFacts,
  PeerReport,
  Role,
  Source,
  SourceReport,
  SourceState,
  VolumeGroup,
  type ActionRequest,
} from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { whole } from "../guards/testing.js";
import type { Facts } from "../sources/source.js";
import { performStage, requestFor, type PerformStage } from "../testing.js";

const { DONE, ALREADY_SO, REFUSED, FAILED, UNKNOWN } = ActionOutcome;
const { end, report, seen } = whole();
const UUID = "CC8CB4269847333F";

let stage: PerformStage;
let facts: Map<Source, Facts>;
beforeEach(() => {
  stage = performStage();
  stage.world.own = seen.own;
  stage.world.redundantMs = 60_000;
  stage.world.machine = {
    files: {
      "/sys/block/drbd18/dev": "147:18\n",
      "/proc/self/mountinfo": "25 1 254:0 / / rw - ext4 /dev/sda1 rw\n",
      "/proc/1/mountinfo": "25 1 254:0 / / rw - ext4 /dev/sda1 rw\n",
      "/proc/swaps": "Filename Type\n",
    },
  };
  facts = new Map<Source, Facts>([
    [
      Source.DRBD_GENERATIONS,
      { $case: "drbdGenerations", value: DrbdGenerations.create({ currentUuid: UUID }) },
    ],
    [Source.HOLDERS, { $case: "holders", value: HolderFacts.create({ minor: 18 }) }],
  ]);
  stage.world.read = async (source) => {
    const said =
      source === Source.PROC_DRBD
        ? ({
            $case: "drbd",
            value: { minors: stage.world.own === undefined ? [] : [stage.world.own] },
          } as Facts)
        : facts.get(source);
    return said === undefined
      ? SourceReport.create({ source, state: SourceState.FAILED, reason: "not there" })
      : SourceReport.create({ source, state: SourceState.OK, facts: said });
  };
});
afterEach(() => stage.end());

const lines = (): string[] => stage.ran.map(({ args }) => args.join(" "));
const own = (change: Partial<DrbdMinor>): void => {
  stage.world.own = DrbdMinor.create({ ...seen.own, ...change });
};

describe("detach", () => {
  const detach = (change: Partial<ActionRequest> = {}): ActionRequest =>
    requestFor({ $case: "detachMinor", value: { end, peer: report } }, { stepId: "detach", ...change });

  test("is sent once, and believed when the minor is seen Diskless", async () => {
    stage.world.run = () => (own({ disk: DiskState.DISKLESS }), {});
    const result = await stage.perform(detach());
    expect(result).toMatchObject({ outcome: DONE, message: "Connected, Diskless/UpToDate" });
    expect(lines()).toEqual(["detach 18"]);
  });

  test("of a minor that is Diskless is not sent", async () => {
    own({ disk: DiskState.DISKLESS });
    expect(await stage.perform(detach())).toMatchObject({ outcome: ALREADY_SO });
    expect(lines()).toEqual([]);
  });

  test("that ended well and detached nothing is told as failed (F5)", async () => {
    stage.world.run = () => ({});
    expect(await stage.perform(detach())).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
  });

  test("of the last copy is not sent (I1)", async () => {
    const peer = PeerReport.create({ ...report, drbd: { ...report.drbd, disk: DiskState.INCONSISTENT } });
    const kind = { $case: "detachMinor", value: { end, peer } } as const;
    const result = await stage.perform(requestFor(kind, { stepId: "detach" }));
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("peer's disk is Inconsistent (I1)");
    expect(lines()).toEqual([]);
  });

  test("that hangs on a frozen disk leaves its minor alone, for every other action too (F2, I37)", async () => {
    stage.world.run = () => ({ end: "hung", exitCode: -1 });
    expect(await stage.perform(detach())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_HUNG" });
    stage.world.run = () => ({});
    const down = requestFor(
      { $case: "downMinor", value: { end, instanceStopped: true } },
      { stepId: "down" },
    );
    for (const request of [detach({ attempt: 2 }), down])
      expect(await stage.perform(request)).toMatchObject({ outcome: REFUSED, code: "COMMAND_HUNG" });
    expect(lines()).toEqual(["detach 18"]);
  });

  test("may come again under its key with a newer report of the peer (I23)", async () => {
    stage.world.run = () => (own({ disk: DiskState.DISKLESS }), {});
    await stage.perform(detach());
    const peer = PeerReport.create({ ...report, ageMs: 900, redundantMs: 1 });
    const again = requestFor({ $case: "detachMinor", value: { end, peer } }, { stepId: "detach" });
    expect(await stage.perform(again)).toMatchObject({ outcome: DONE, replayed: true });
  });
});

describe("down", () => {
  const down = requestFor({ $case: "downMinor", value: { end, instanceStopped: true } }, { stepId: "down" });

  test("of a minor that is not there is not sent", async () => {
    stage.world.own = undefined;
    expect(await stage.perform(down)).toMatchObject({ outcome: ALREADY_SO });
    own({ connection: ConnectionState.UNCONFIGURED });
    expect(await stage.perform({ ...down, attempt: 2 })).toMatchObject({ outcome: ALREADY_SO });
    expect(lines()).toEqual([]);
  });

  test("is not sent where /proc/drbd is not understood: it is not gone (I11)", async () => {
    stage.world.own = undefined;
    const damaged = [{ line: 3, reason: "torn", minor: 18, object: "" }];
    stage.world.read = async (source) =>
      SourceReport.create({
        source,
        state: SourceState.OK,
        damaged,
        ...(source === Source.PROC_DRBD && { facts: { $case: "drbd", value: {} } }),
      });
    expect(await stage.perform(down)).toMatchObject({ outcome: REFUSED });
    expect(lines()).toEqual([]);
  });
});

describe("kpartx -d", () => {
  const unmap = requestFor({ $case: "unmapPartitions", value: { end } }, { stepId: "unmap" });
  const maps = (...devices: Partial<DeviceMapperDevice>[]): void => {
    const value = { devices: devices.map((device) => DeviceMapperDevice.create(device)) };
    facts.set(Source.DEVICE_MAPPER, { $case: "deviceMapper", value });
  };

  test("is sent where a map of this minor is left, and is not about another's", async () => {
    maps({ name: "drbd18p1", kpartxOf: "147:18" }, { name: "drbd19p1", kpartxOf: "147:19", openCount: 1 });
    stage.world.run = () => (maps({ name: "drbd19p1", kpartxOf: "147:19" }), {});
    expect(await stage.perform(unmap)).toMatchObject({ outcome: DONE });
    expect(lines()).toEqual(["-d /dev/drbd18"]);
  });

  test("is not sent where none is left", async () => {
    maps({ name: "drbd19p1", kpartxOf: "147:19" });
    expect(await stage.perform(unmap)).toMatchObject({ outcome: ALREADY_SO });
    expect(lines()).toEqual([]);
  });
});

describe("a snapshot", () => {
  const kind = {
    $case: "snapshotVolume",
    value: { end, snapshotName: "vigie-r-1", sizeKib: 4_096 },
  } as const;
  let attr = "swi-a-s---";
  let origin = "1-2.disk0_data";
  const volumes = (...names: string[]): void => {
    const value = LvmFacts.create({
      logicalVolumes: names.map((lvName) =>
        LogicalVolume.create({
          vgName: "kvmvg",
          lvName,
          attr: lvName.startsWith("vigie") ? attr : "owi-aos---",
          origin: lvName.startsWith("vigie") ? origin : "",
        }),
      ),
      volumeGroups: [VolumeGroup.create({ vgName: "kvmvg", freeBytes: 2 ** 30 })],
    });
    facts.set(Source.LVM, { $case: "lvm", value });
  };

  test("is made, and seen in LVM's list", async () => {
    volumes("1-2.disk0_data");
    stage.world.run = () => (volumes("1-2.disk0_data", "vigie-r-1"), {});
    expect(await stage.perform(requestFor(kind))).toMatchObject({ outcome: DONE });
    expect(await stage.perform(requestFor(kind, { attempt: 2 }))).toMatchObject({ outcome: ALREADY_SO });
    expect(lines()).toHaveLength(1);
  });

  test.each([
    ["invalid", "swi-I-s---", "1-2.disk0_data"],
    ["being merged back", "Swi-a-s---", "1-2.disk0_data"],
    ["of another volume", "swi-a-s---", "1-3.disk0_data"],
  ])(
    "that is there by its name, but is %s, is not the one that is asked for",
    async (_what, lvAttr, lvOrigin) => {
      [attr, origin] = [lvAttr, lvOrigin];
      volumes("1-2.disk0_data", "vigie-r-1");
      expect(await stage.perform(requestFor(kind))).toMatchObject({ outcome: REFUSED });
      expect(lines()).toEqual([]);
      [attr, origin] = ["swi-a-s---", "1-2.disk0_data"];
    },
  );
});

describe("the victim of a split brain", () => {
  const peer = PeerReport.create({
    ...report,
    drbd: { ...report.drbd, connection: ConnectionState.STAND_ALONE },
  });
  const discard = requestFor(
    {
      $case: "discardVictim",
      value: {
        end,
        typedNode: end.node,
        currentUuid: UUID,
        survivorUuid: peer.currentUuid,
        peer,
        snapshotName: "",
      },
    },
    { stepId: "discard" },
  );
  const obey = (args: readonly string[]): void => {
    if (args[0] === "secondary") own({ ...stage.world.own, role: Role.SECONDARY });
    if (args[0] === "disconnect") own({ ...stage.world.own, connection: ConnectionState.STAND_ALONE });
    if (args[0] === "invalidate") own({ ...stage.world.own, disk: DiskState.INCONSISTENT });
  };
  beforeEach(() => {
    stage.world.run = ({ args }) => (obey(args), {});
  });

  test("gives up its role, its link and its data, each where it has it", async () => {
    own({ role: Role.PRIMARY, connection: ConnectionState.WF_CONNECTION });
    expect(await stage.perform(discard)).toMatchObject({
      outcome: DONE,
      message: "StandAlone, Secondary, Inconsistent",
    });
    expect(lines().map((line) => line.split(" ")[0])).toEqual(["secondary", "disconnect", "invalidate"]);
  });

  test("that is StandAlone and Secondary gives up its data only", async () => {
    own({ role: Role.SECONDARY, connection: ConnectionState.STAND_ALONE });
    expect(await stage.perform(discard)).toMatchObject({ outcome: DONE });
    expect(lines()).toEqual(["invalidate 18"]);
  });

  test("that gave it up gives up nothing more", async () => {
    own({ role: Role.SECONDARY, connection: ConnectionState.STAND_ALONE, disk: DiskState.INCONSISTENT });
    expect(await stage.perform(discard)).toMatchObject({ outcome: ALREADY_SO });
  });

  test("that cannot be seen between two commands gets no more of them (I11)", async () => {
    own({ role: Role.PRIMARY, connection: ConnectionState.WF_CONNECTION });
    stage.world.run = () => ((stage.world.own = undefined), {});
    expect(await stage.perform(discard)).toMatchObject({ outcome: FAILED });
    expect(lines()).toEqual(["secondary 18"]);
  });

  test("is left whole where the first command fails", async () => {
    own({ role: Role.PRIMARY, connection: ConnectionState.WF_CONNECTION });
    stage.world.run = () => ({ exitCode: 11, stderr: "(-12) Device is held open by someone" });
    const result = await stage.perform(discard);
    expect(result).toMatchObject({ outcome: FAILED, code: "COMMAND_FAILED" });
    expect(lines()).toEqual(["secondary 18"]);
  });
});
