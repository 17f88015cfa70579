import {
  ConnectionState,
  Damaged,
  DeviceMapperDevice,
  DiskState,
  GanetiDisk,
  GanetiInstance,
  Incident,
  LogicalVolume,
  Role,
  Subject,
  type Plan,
} from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planFaults } from "./plan-faults.js";
import { retireDisk } from "./retire-disk.js";
import { stepById } from "./runbook.js";
import {
  bigView,
  lvmUuid,
  minorIn,
  nodeIn,
  planIn,
  requestOf,
  small,
  SMALL,
  stepIds,
  VG_UUID,
  viewOf,
  worldOf,
  type World,
} from "./testing.js";
import { joined, type ClusterView } from "../view/cluster-view.js";

/** h2's sdb holds web1's secondary copy, minor 0, and web2's primary copy, minor 1. */
function plan(change: (world: World) => void = () => {}, parameters: Record<string, string> = {}): Plan {
  return planIn(small(change), retireDisk, { node: "h2", disk: "sdb", ...parameters });
}

function diskOf(world: World, node = "h2") {
  const disk = nodeIn(world, node).devices.find(({ name }) => name === "sdb");
  if (disk === undefined) throw new Error("no sdb");
  return disk;
}

test("the disk that is to come is told as one can type it, though the old one's name has blanks in it", () => {
  const blanks = plan((w) => Object.assign(diskOf(w), { wwid: "t10.ATA     ST4000NM0033" }));
  expect(blanks.notes.at(-1)).toContain("adopt-disk h2 NEW 'replaces=t10.ATA     ST4000NM0033'");
});

test("guests go first, then the disk is set offline, let go of, emptied and forgotten", () => {
  const made = plan();
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual([
    "set-unallocatable ← set-allocatable",
    "(set-allocatable)",
    "pause-watcher ← continue-watcher",
    "migrate-1",
    "set-disk-offline!",
    "detach-1!",
    "detach-2!",
    "remove-volume-maps!",
    "delete-disk!",
    "continue-watcher",
  ]);
  expect(planFaults(made)).toEqual([]);
  expect(made.locks).toEqual([
    "cluster: a disk set offline",
    "disk d-web1",
    "disk d-web2",
    "instance web1",
    "instance web2",
    "node h2",
    "pair h1 h2",
    "pair h2 h3",
  ]);
});

test("the disk is named by everything that must agree (I12)", () => {
  const kind = stepById(plan(), "set-disk-offline")?.action?.kind;
  expect(kind?.$case === "setDiskOffline" ? kind.value.disk : undefined).toEqual({
    node: "h2",
    bootId: "boot-h2",
    name: "sdb",
    dev: "8:16",
    wwid: "naa.50000000005001",
    serial: "SB1",
    model: "ST4000",
    sizeBytes: 4000 * 2 ** 30,
    scsiAddress: "1:0:0:0",
    pvUuid: lvmUuid("pvh2"),
    pvName: "/dev/sdb1",
    vgName: "kvmvg",
    vgUuid: VG_UUID,
  });
});

test("every minor on it is in the step that takes it away from all of them (I2)", () => {
  const kind = stepById(plan(), "set-disk-offline")?.action?.kind;
  const minors = kind?.$case === "setDiskOffline" ? kind.value.minors : [];
  expect(minors.map((end) => [end.instance, end.node, end.minor, end.peerNode, end.peerMinor])).toEqual([
    ["web1", "h2", 0, "h1", 0],
    ["web2", "h2", 1, "h3", 0],
  ]);
});

test("the commands of the wiki are shown, one name at a time", () => {
  expect(
    plan()
      .steps.slice(4, 9)
      .flatMap((step) => step.manualCommands),
  ).toEqual([
    "h2# echo offline > /sys/block/sdb/device/state",
    "h2# drbdsetup detach 0",
    "h2# drbdsetup detach 1",
    "h2# dmsetup remove kvmvg-u0.disk0_data",
    "h2# dmsetup remove kvmvg-u0.disk0_meta",
    "h2# dmsetup remove kvmvg-u1.disk0_data",
    "h2# dmsetup remove kvmvg-u1.disk0_meta",
    "h2# echo 1 > /sys/block/sdb/device/delete",
  ]);
});

test("only the guest whose primary node it is, and that runs, is migrated", () => {
  expect(stepById(plan(), "migrate-1")?.manualCommands).toEqual(["h1# gnt-instance migrate -f web2"]);
  expect(
    stepById(
      plan(() => {}, { migrate: "no" }),
      "migrate-1",
    ),
  ).toBeUndefined();
});

test("a guest whose copy here is Diskless already stays, is told about, and is not detached again", () => {
  const made = plan((w) => {
    minorIn(w, "h2", 1).disk = DiskState.DISKLESS;
    minorIn(w, "h3", 0).peerDisk = DiskState.DISKLESS;
  });
  expect(made.refusals).toEqual([]);
  expect(stepIds(made).filter((id) => /migrate|detach/.test(id))).toEqual(["detach-1!"]);
  expect(made.notes.join("\n")).toContain(
    "web2 disk/0: Diskless here already, its guest runs by the network; h3",
  );
});

test("a minor that is Diskless already is named in it, for its volumes still lie there", () => {
  const kind = stepById(
    plan((w) => {
      minorIn(w, "h2", 1).disk = DiskState.DISKLESS;
      minorIn(w, "h3", 0).peerDisk = DiskState.DISKLESS;
    }),
    "set-disk-offline",
  )?.action?.kind;
  expect(kind?.$case === "setDiskOffline" ? kind.value.minors.map(({ minor }) => minor) : []).toEqual([0, 1]);
});

test("each instance must have been redundant for as long as the guard wants before its copy is taken (I10)", () => {
  const required = stepById(plan(), "set-disk-offline")?.requires?.what;
  const conditions = required?.$case === "allOf" ? required.value.conditions.map(({ what }) => what) : [];
  expect(conditions.slice(2)).toEqual([
    { $case: "redundant", value: { instance: "web1", forMs: 11_000 } },
    { $case: "redundant", value: { instance: "web2", forMs: 11_000 } },
  ]);
});

test("of a disk that does not answer any more, device-mapper still tells what was on it", () => {
  const made = plan((w) => {
    diskOf(w).state = "offline";
    const node = nodeIn(w, "h2");
    node.lvm.logicalVolumes = [];
    node.lvm.physicalVolumes = [];
    node.lvm.volumeGroups = [];
  });
  expect(made.refusals).toEqual([]);
  const kind = stepById(made, "set-disk-offline")?.action?.kind;
  expect(kind?.$case === "setDiskOffline" ? kind.value.disk : undefined).toMatchObject({
    pvName: "",
    vgName: "kvmvg",
    vgUuid: VG_UUID,
  });
  expect(stepIds(made)).toEqual([
    "pause-watcher ← continue-watcher",
    "set-disk-offline!",
    "detach-1!",
    "detach-2!",
    "remove-volume-maps!",
    "delete-disk!",
    "continue-watcher",
  ]);
});

test("what must be known before the approval is in the notes", () => {
  const notes = plan().notes.join("\n");
  expect(notes).toContain("the disk: sdb, ST4000, serial SB1, naa.50000000005001, at 1:0:0:0, 3.9 TiB");
  expect(notes).toContain("web2 disk/0: its guest is migrated to h3");
  expect(notes).toContain("web1 disk/0: the secondary's copy goes; h1");
  expect(notes).toContain("vigie do rebuild-redundancy h2");
  expect(notes).toContain("pull it out of h2");
});

const { CONNECTED, STAND_ALONE, WF_CONNECTION, SYNC_TARGET } = ConnectionState;

function mapOnDisk(name: string, uuid = "LVM-x"): DeviceMapperDevice {
  return DeviceMapperDevice.create({
    name,
    uuid,
    major: 253,
    minor: 9,
    dependsOn: ["8:17"],
    targets: ["linear"],
  });
}

describe("it is refused, with nothing planned,", () => {
  test.each<[string, (world: World) => void, string, string[]]>([
    [
      "when a peer is not Connected",
      (w) => (minorIn(w, "h1", 0).connection = WF_CONNECTION),
      "web1 disk/0: h1 is WFConnection",
      ["vigie do rebuild-redundancy web1"],
    ],
    [
      "when an end is StandAlone",
      (w) => (minorIn(w, "h2", 0).connection = STAND_ALONE),
      "h2 is StandAlone",
      ["vigie do resolve-split-brain web1"],
    ],
    [
      "when a peer's copy is Inconsistent",
      (w) => {
        minorIn(w, "h3", 0).disk = DiskState.INCONSISTENT;
        minorIn(w, "h2", 1).peerDisk = DiskState.INCONSISTENT;
      },
      "web2 disk/0: h3's copy is Inconsistent",
      ["vigie do rebuild-redundancy web2"],
    ],
    [
      "when the two ends do not agree about the peer's copy (I7)",
      (w) => (minorIn(w, "h2", 1).peerDisk = DiskState.OUTDATED),
      "h3's copy is UpToDate",
      [],
    ],
    [
      "while it resyncs, however well it moves",
      (w) => {
        minorIn(w, "h2", 0).connection = SYNC_TARGET;
        minorIn(w, "h2", 0).disk = DiskState.INCONSISTENT;
        minorIn(w, "h1", 0).connection = ConnectionState.SYNC_SOURCE;
        minorIn(w, "h1", 0).peerDisk = DiskState.INCONSISTENT;
      },
      "h2's copy is Inconsistent",
      [],
    ],
    ["when something is out of sync", (w) => (minorIn(w, "h1", 0).outOfSyncKib = 4), "not in sync", []],
    ["when a peer is silent", (w) => (nodeIn(w, "h3").silent = true), "h3 has not reported", []],
    ["when a peer's word is old", (w) => (nodeIn(w, "h1").ageMs = 60_000), "60 s old", []],
    [
      "when a peer's line is damaged (I11)",
      (w) => {
        nodeIn(w, "h3").minors = [];
        nodeIn(w, "h3").damaged = [Damaged.create({ minor: 0, reason: "torn" })];
      },
      "torn",
      [],
    ],
    [
      "for a copy of a stopped instance, of which nobody knows which side is whole",
      (w) => {
        nodeIn(w, "h1").minors = [];
        nodeIn(w, "h2").minors = nodeIn(w, "h2").minors.filter(({ minor }) => minor !== 0);
      },
      "web1 disk/0: not active on h2 and h1",
      ["vigie do relocate-secondaries h2"],
    ],
    [
      "for a plain volume (I3)",
      (w) => {
        w.inventory.instances.push(
          GanetiInstance.create({
            name: "web9",
            primaryNode: "h2",
            diskTemplate: "plain",
            disks: [GanetiDisk.create({ type: "plain", dataLv: "kvmvg/p9" })],
          }),
        );
        nodeIn(w, "h2").maps.push(mapOnDisk("kvmvg-p9"));
      },
      "web9 has its only copy here",
      [],
    ],
    [
      "for a volume that nobody knows (I3)",
      (w) => nodeIn(w, "h2").maps.push(mapOnDisk("kvmvg-swap")),
      "kvmvg/swap is no copy",
      [],
    ],
    [
      "for a mount on it (I3)",
      (w) =>
        nodeIn(w, "h2").mounts.push({
          device: "/dev/sdb1",
          mountPoint: "/srv",
          type: "ext4",
          readOnly: false,
        }),
      "/dev/sdb1 is mounted on /srv",
      [],
    ],
    [
      "for a volume on it that is mounted (I3)",
      (w) => {
        const node = nodeIn(w, "h2");
        node.mounts.push({
          device: "/dev/mapper/kvmvg-u0.disk0_data",
          mountPoint: "/",
          type: "ext4",
          readOnly: false,
        });
      },
      "is mounted on / (I3)",
      [],
    ],
    [
      "for a partition that is not LVM's (I3)",
      (w) => diskOf(w).partitions.push("sdb2"),
      "sdb2 is not LVM's",
      [],
    ],
    [
      "for an array that stands on it: it goes on without the disk, once a person says so",
      (w) => diskOf(w).holders.push("md0"),
      "md0 stands on sdb",
      ["h2# mdadm /dev/md0 --fail PART --remove PART   (its part on sdb)"],
    ],
    [
      "for a volume with a part on another disk (I4)",
      (w) => nodeIn(w, "h2").maps[0]?.dependsOn.push("8:33"),
      "lies on 8:33 too (I4)",
      [],
    ],
    [
      "for a volume with a part on another disk, by LVM's word (I4)",
      (w) =>
        nodeIn(w, "h2").lvm.logicalVolumes[0]?.segments.push({
          type: "linear",
          sizeBytes: 1,
          devices: ["/dev/sdc1(0)"],
        }),
      "has a part elsewhere: /dev/sdc1(0) (I4)",
      [],
    ],
    [
      "for a volume that LVM has there and device-mapper does not",
      (w) =>
        nodeIn(w, "h2").lvm.logicalVolumes.push(
          LogicalVolume.create({
            vgName: "kvmvg",
            lvName: "old",
            segments: [{ type: "linear", sizeBytes: 1, devices: ["/dev/sdb1(9)"] }],
          }),
        ),
      "kvmvg/old is no copy",
      [],
    ],
    [
      "for a map on a volume of it",
      (w) => {
        const first = nodeIn(w, "h2").maps[0];
        nodeIn(w, "h2").maps.push(
          DeviceMapperDevice.create({
            name: "snap",
            dependsOn: [`${first?.major}:${first?.minor}`],
            minor: 77,
          }),
        );
      },
      "snap stands on kvmvg-u0.disk0_data",
      [],
    ],
    [
      "for a minor on it that Ganeti does not name",
      (w) => {
        const [config] = nodeIn(w, "h2").config;
        if (config !== undefined) config.minor = 40;
      },
      "minor 40 stands on it",
      [],
    ],
    ["for a disk without a world-wide name (I12)", (w) => (diskOf(w).wwid = ""), "no world-wide name", []],
    [
      "for two disks with one name (I12)",
      (w) => {
        const [sda] = nodeIn(w, "h2").devices;
        if (sda !== undefined) sda.wwid = diskOf(w).wwid;
      },
      "sda has the same world-wide name",
      [],
    ],
    [
      "for a disk that is not SCSI's: what is on its node can leave",
      (w) => (diskOf(w).state = ""),
      "no SCSI disk",
      ["h1# gnt-node migrate -f h2", "vigie do relocate-secondaries h2"],
    ],
    [
      "for a disk that the kernel takes away just now",
      (w) => (diskOf(w).state = "cancel"),
      "sdb is cancel",
      [],
    ],
    [
      "while another disk of the cluster is offline (I9)",
      (w) => (diskOf(w, "h3").state = "offline"),
      "h3 sdb is offline: one disk at a time",
      ["vigie do retire-disk h3 sdb"],
    ],
    ["when device-mapper was not understood (I11)", damagedMaps, "not understood (I11): kvmvg-x odd", []],
  ])("%s", (_what, change, why, wayOut) => {
    const made = plan(change);
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.wayOut).toEqual(wayOut);
    expect(made.steps).toEqual([]);
  });
});

function damagedMaps(world: World): void {
  nodeIn(world, "h2").damagedMaps = [Damaged.create({ object: "kvmvg-x", reason: "odd" })];
}

test.each<[Record<string, string>, string]>([
  [{ disk: "sdz" }, 'h2 has no disk "sdz": it has sda, sdb'],
  [{ disk: "sdb1" }, "give the whole disk, sdb"],
  [{ node: "h9" }, "there is no node"],
  [{ migrate: "maybe" }, "say yes or no"],
])("%j is answered with what to give instead", (parameters, why) => {
  expect(() => plan(() => {}, parameters)).toThrow(why);
});

test("the last disk of a node that gnt-node remove took out of the cluster hinders no other, and hindered it before", () => {
  const world = worldOf(["h1", "h2", "h3", "h4"], SMALL);
  diskOf(world, "h4").state = "offline";
  const before = viewOf(world);
  const parameters = { node: "h2", disk: "sdb" };
  const refusals = (view: ClusterView): readonly string[] =>
    retireDisk.plan(requestOf(view, parameters)).refusals;
  expect(refusals(before).join()).toContain("h4 sdb is offline: one disk at a time");

  const { ssconf, inventory, nodes } = before;
  const h4 = nodes.get("h4");
  if (ssconf === undefined || inventory === undefined || h4 === undefined) throw new Error("no cluster");
  const stays = (name: string): boolean => name !== "h4";
  const left: ClusterView = {
    ...before,
    ssconf: { ...ssconf, nodeList: ssconf.nodeList.filter(stays) },
    inventory: { ...inventory, nodes: inventory.nodes.filter(({ name }) => stays(name)) },
    nodes: new Map(nodes).set("h4", { ...h4, connected: false }),
  };
  expect(refusals(joined(left))).toEqual([]);
});

test("an incident of a disk gives its node and name", () => {
  const subject = Subject.create({ node: "h2", device: "sdb" });
  expect(retireDisk.forIncident?.(Incident.create({ subject }), viewOf(small()))).toEqual({
    node: "h2",
    disk: "sdb",
  });
});

test("no plan ever takes a copy whose peer is not Connected and UpToDate by both ends' word (I1, I2)", () => {
  const odd = fc.record(
    {
      connection: fc.constantFrom(CONNECTED, STAND_ALONE, WF_CONNECTION, SYNC_TARGET),
      disk: fc.constantFrom(...Object.values(DiskState)),
      peerDisk: fc.constantFrom(...Object.values(DiskState)),
      role: fc.constantFrom(Role.PRIMARY, Role.SECONDARY),
      outOfSyncKib: fc.constantFrom(0, 8),
    },
    { requiredKeys: [] },
  );
  const states = fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: odd });
  const ages = fc.constantFrom(0, 0, 0, 9_000);
  let planned = 0;
  fc.assert(
    fc.property(
      fc.array(states, { minLength: 4, maxLength: 4 }),
      fc.array(ages, { minLength: 3, maxLength: 3 }),
      (ends, age) => {
        const world = small();
        const minors = [
          minorIn(world, "h1", 0),
          minorIn(world, "h2", 0),
          minorIn(world, "h2", 1),
          minorIn(world, "h3", 0),
        ];
        for (const [i, minor] of minors.entries()) Object.assign(minor, ends[i]);
        for (const [i, name] of ["h1", "h2", "h3"].entries()) nodeIn(world, name).ageMs = age[i] ?? 0;
        const made = planIn(world, retireDisk, { node: "h2", disk: "sdb" });
        for (const { node, peerNode, minor, peerMinor } of endsThatLose(made)) {
          planned += 1;
          const [own, peer] = [minorIn(world, node, minor), minorIn(world, peerNode, peerMinor)];
          expect([own.connection, peer.connection, peer.disk, own.peerDisk]).toEqual([
            CONNECTED,
            CONNECTED,
            DiskState.UP_TO_DATE,
            DiskState.UP_TO_DATE,
          ]);
          expect([nodeIn(world, node).ageMs, nodeIn(world, peerNode).ageMs]).toEqual([0, 0]);
        }
      },
    ),
    { numRuns: 2_000 },
  );
  expect(planned).toBeGreaterThan(0);
});

function endsThatLose(made: Plan) {
  return made.steps.flatMap(({ action }) => {
    const kind = action?.kind;
    if (kind?.$case === "setDiskOffline") return kind.value.minors;
    return kind?.$case === "detachMinor" && kind.value.end !== undefined ? [kind.value.end] : [];
  });
}

test("a plan is made in a cluster of a hundred nodes and two thousand instances", () => {
  const made = retireDisk.plan(requestOf(bigView(), { node: "h50", disk: "sdb" }));
  expect(made.refusals).toEqual([]);
  expect(made.steps.filter(({ id }) => id.startsWith("detach")).length).toBe(40);
});

test("the same view gives the same plan", () => {
  expect(plan()).toEqual(plan());
});
