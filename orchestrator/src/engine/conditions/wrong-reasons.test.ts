/**
 * Every condition, and why it might be seen although what it stands for is not so. The compiler wants a row for each:
 * a new condition cannot be without its answer. A row is a world in which a careless reading would say "seen".
 */
import {
  ActionOutcome,
  ActionResult,
  BlockDevice,
  CommandRun,
  ConnectionState,
  type Condition,
  Damaged,
  DeviceMapperDevice,
  DiskIdentity,
  DiskState,
  GanetiDisk,
  GanetiFacts,
  GanetiInstance,
  GanetiNode,
  Guest,
  LogicalVolume,
  LvmFacts,
  NodeChangeKind,
  Role,
  RunEvent,
  RunEventKind,
  Source,
} from "@vigie/proto";
import { expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, INVENTORY, NOW_MS, ok, onH1, onH2, type Says } from "../../view/testing.js";
import type { ConditionCase } from "./condition.js";
import { createWatch } from "./index.js";
import { contextAt, END, PEER_END } from "./testing.js";

const { WF_CONNECTION, CONNECTED, SYNC_SOURCE, SYNC_TARGET } = ConnectionState;
type What = NonNullable<Condition["what"]>;

interface WrongReason {
  readonly because: string;
  readonly what: What;
  readonly view: ClusterView;
  readonly events?: readonly RunEvent[];
  readonly sinceMs?: number;
}

const BOTH: Record<string, Says> = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };
const [WEB1] = INVENTORY.instances;

/** Ganeti gave web1's minors and port to another instance. */
const REUSED = GanetiFacts.create({
  ...INVENTORY,
  instances: [
    GanetiInstance.create({
      ...WEB1,
      name: "web9",
      uuid: "i9",
      disks: [GanetiDisk.create({ ...WEB1?.disks[0], uuid: "d9", dataLv: "vg/d9_data" })],
    }),
  ],
});
const OURS = { ...END, diskUuid: "d1", instanceUuid: "i1" };
const PEERS = { ...PEER_END, diskUuid: "d1", instanceUuid: "i1" };

function linked(connection: ConnectionState, inventory: GanetiFacts): ClusterView {
  const says = { h1: { minors: [onH1({ connection })] }, h2: { minors: [onH2({ connection })] } };
  return cluster(says, inventory);
}

const PLACED = {
  instance: "web1",
  instanceUuid: "i1",
  adminState: "",
  primaryNode: "h1",
  secondaryNodes: ["h2"],
  diskUuids: ["d1"],
  notRunningOn: [],
};
const DISK = DiskIdentity.create({ node: "h1", name: "sdb", wwid: "naa.1", serial: "S1" });
const NAMELESS = BlockDevice.create({ name: "sdb", state: "running", wwid: "", serial: "" });
const devices = (...list: BlockDevice[]) =>
  ok(Source.BLOCK_DEVICES, { $case: "blockDevices", value: { devices: list } });
const lvm = (attr: string) =>
  ok(Source.LVM, {
    $case: "lvm",
    value: LvmFacts.create({ logicalVolumes: [LogicalVolume.create({ vgName: "vg", lvName: "a", attr })] }),
  });
const guests = (...names: string[]) =>
  ok(Source.GUESTS, {
    $case: "guests",
    value: { guests: names.map((instance) => Guest.create({ instance })) },
  });
const job = (of: Partial<Parameters<typeof GanetiFacts.create>[0]>): GanetiFacts =>
  GanetiFacts.create({ ...INVENTORY, ...of });
const ofStep = (kind: RunEventKind, of: Partial<RunEvent> = {}): RunEvent =>
  RunEvent.create({ kind, stepId: "s", attempt: 1, ...of });
const nothing = cluster({ h1: {} });

const WRONG: { readonly [C in ConditionCase]: WrongReason } = {
  cutStands: {
    because: "the kernel's list of cuts was read before the cut",
    what: { $case: "cutStands", value: { end: END } },
    view: nothing,
    sinceMs: NOW_MS + 1,
  },
  cutGone: {
    because: "the list of cuts could not be read: no cut is in it",
    what: { $case: "cutGone", value: { end: END } },
    view: nothing,
  },
  linkDown: {
    because: "both minors wait for a connection, and are another instance's by now",
    what: { $case: "linkDown", value: { end: OURS, peerEnd: PEERS } },
    view: linked(WF_CONNECTION, REUSED),
  },
  resyncMoves: {
    because: "both minors are whole, and are another instance's by now",
    what: { $case: "resyncMoves", value: { end: OURS, peerEnd: PEERS } },
    view: linked(CONNECTED, REUSED),
  },
  resyncStands: {
    because: "another instance's resync has stalled under the same numbers",
    what: { $case: "resyncStands", value: { end: OURS, peerEnd: PEERS, forMs: 5_000 } },
    view: cluster(
      {
        h1: { minors: [onH1({ connection: SYNC_SOURCE })], still: { 0: 9_000 } },
        h2: { minors: [onH2({ connection: SYNC_TARGET })], still: { 10: 9_000 } },
      },
      REUSED,
    ),
  },
  mayConnect: {
    because: "both ends are apart and UpToDate, and nobody has read whose writes they have",
    what: { $case: "mayConnect", value: { end: OURS, givenUpAt: "" } },
    view: linked(WF_CONNECTION, INVENTORY),
  },
  stepRan: {
    because: "the step was about to be sent, and its agent never began it",
    what: { $case: "stepRan", value: { stepId: "s" } },
    view: nothing,
    events: [
      ofStep(RunEventKind.STEP_INTENT),
      ofStep(RunEventKind.STEP_RESULT, {
        result: ActionResult.create({ outcome: ActionOutcome.REFUSED, code: "NOT_BEGUN" }),
      }),
    ],
  },
  jobSucceeded: {
    because: "Ganeti's queue lists no such job any more",
    what: { $case: "jobSucceeded", value: { stepId: "", jobId: 7 } },
    view: nothing,
  },
  jobQueued: {
    because: "the step gave no job id",
    what: { $case: "jobQueued", value: { stepId: "s" } },
    view: nothing,
  },
  jobStill: {
    because: "the job was not read: nothing new is in its log",
    what: { $case: "jobStill", value: { jobId: 7, forMs: 0, anyPhase: false } },
    view: nothing,
  },
  jobOver: {
    because: "the job was not read: it is not in the list of those that run",
    what: { $case: "jobOver", value: { jobId: 7 } },
    view: nothing,
  },
  queueFree: {
    because: "Ganeti was read before it was asked",
    what: { $case: "queueFree", value: { instances: ["web1"], nodes: [] } },
    view: nothing,
    sinceMs: NOW_MS + 1,
  },
  watcherPaused: {
    because: "the pause ends in the middle of the step",
    what: { $case: "watcherPaused", value: { paused: true } },
    view: cluster({ h1: {} }, job({ watcherPausedUntilUnixS: NOW_MS / 1000 + 5 })),
  },
  redundant: {
    because: "one end is whole, and the other end does not say so",
    what: { $case: "redundant", value: { instance: "web1", forMs: 0 } },
    view: cluster({ h1: { minors: [onH1()] }, h2: { minors: [onH2({ peerDisk: DiskState.OUTDATED })] } }),
  },
  instanceOn: {
    because: "it is seen on its node, and the other node does not say whether it runs there too",
    what: { $case: "instanceOn", value: { instance: "web1", node: "h1", running: true } },
    view: cluster({ h1: { minors: [onH1()], sources: [guests("web1")] }, h2: { offline: true } }),
  },
  nodeEmpty: {
    because: "Ganeti was read before it was asked",
    what: { $case: "nodeEmpty", value: { node: "h3", ofPrimaries: false } },
    view: nothing,
    sinceMs: NOW_MS + 1,
  },
  nodeFlagged: {
    because: "Ganeti does not know the node at all",
    what: { $case: "nodeFlagged", value: { node: "h9", change: NodeChangeKind.ONLINE } },
    view: nothing,
  },
  nodeReports: {
    because: "it reported for the first time a moment ago",
    what: { $case: "nodeReports", value: { node: "h2" } },
    view: cluster(BOTH),
  },
  minorDiskless: {
    because: "the minor is Diskless, and is another instance's by now",
    what: { $case: "minorDiskless", value: { end: OURS } },
    view: cluster(
      {
        h1: { minors: [onH1({ disk: DiskState.DISKLESS })] },
        h2: { minors: [onH2({ peerDisk: DiskState.DISKLESS })] },
      },
      REUSED,
    ),
  },
  minorGone: {
    because: "/proc/drbd could not be read: the minor is not in it",
    what: { $case: "minorGone", value: { end: END } },
    view: cluster({ h1: { failed: "it hangs" } }),
  },
  minorNotHeld: {
    because: "its holders were never asked for",
    what: { $case: "minorNotHeld", value: { end: END } },
    view: cluster(BOTH),
  },
  partitionsUnmapped: {
    because: "device-mapper could not be read: no map is in it",
    what: { $case: "partitionsUnmapped", value: { end: END } },
    view: cluster(BOTH),
  },
  diskInState: {
    because: "the disk's identity could not be read, so that no device has its world-wide name",
    what: { $case: "diskInState", value: { disk: DISK, state: "" } },
    view: cluster({ h1: { sources: [devices(NAMELESS)] } }),
  },
  mapsGone: {
    because: "a line of device-mapper's was not understood",
    what: { $case: "mapsGone", value: { node: "h1", maps: [{ name: "vg-a", uuid: "LVM-1" }] } },
    view: cluster({
      h1: {
        sources: [
          ok(Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices: [] } }, [
            Damaged.create({ object: "vg-a", reason: "not understood" }),
          ]),
        ],
      },
    }),
  },
  volumeGroupOn: {
    because: "the group is there, and lies on another disk",
    what: { $case: "volumeGroupOn", value: { node: "h1", vgName: "vg", disk: DISK } },
    view: cluster({
      h1: {
        sources: [
          devices(BlockDevice.create({ name: "sdb", wwid: "naa.2" })),
          ok(Source.LVM, {
            $case: "lvm",
            value: LvmFacts.fromPartial({ physicalVolumes: [{ pvName: "/dev/sdb", vgName: "vg" }] }),
          }),
        ],
      },
    }),
  },
  volumeThere: {
    because: "LVM lists the volume, and a disk of it is missing",
    what: { $case: "volumeThere", value: { node: "h1", volume: "vg/a" } },
    view: cluster({ h1: { sources: [lvm("-wi-----p-")] } }),
  },
  victimReady: {
    because: "the minor is Inconsistent, and is another instance's by now",
    what: { $case: "victimReady", value: { end: OURS } },
    view: cluster({ h1: { minors: [onH1({ disk: DiskState.INCONSISTENT })] } }, REUSED),
  },
  instancePlaced: {
    because: "an instance of the same name was created again",
    what: { $case: "instancePlaced", value: PLACED },
    view: cluster(BOTH, job({ instances: [GanetiInstance.create({ ...WEB1, uuid: "i7" })] })),
  },
  noCopyOn: {
    because: "it is no secondary any more, and a disk is still there",
    what: { $case: "noCopyOn", value: { instance: "web1", node: "h2" } },
    view: cluster(BOTH, job({ instances: [GanetiInstance.create({ ...WEB1, secondaryNodes: ["h3"] })] })),
  },
  nodeSilent: {
    because: "its agent is silent, and a peer is still connected with it",
    what: { $case: "nodeSilent", value: { node: "h2", sinceUnixMs: 0 } },
    view: cluster({ h1: { minors: [onH1()] }, h2: { minors: [onH2()], offline: true, ageMs: 60_000 } }),
  },
  nodeQuiet: {
    because: "it has no guest, and is Primary of a minor all the same",
    what: { $case: "nodeQuiet", value: { node: "h2" } },
    view: cluster({ h1: {}, h2: { minors: [onH2({ role: Role.PRIMARY })], sources: [guests()] } }),
  },
  copyBroken: {
    because: "the minor is Diskless, and is another instance's by now",
    what: { $case: "copyBroken", value: { end: OURS } },
    view: cluster({ ...BOTH, h1: { minors: [onH1({ disk: DiskState.DISKLESS })] } }, REUSED),
  },
  copyUpToDate: {
    because: "the minor is UpToDate, and is another instance's by now",
    what: { $case: "copyUpToDate", value: { end: OURS } },
    view: cluster(BOTH, REUSED),
  },
  commandsSucceeded: {
    because: "the tool exited with an error after it had done a part",
    what: { $case: "commandsSucceeded", value: { stepId: "s" } },
    view: nothing,
    events: [
      ofStep(RunEventKind.STEP_RESULT, {
        result: ActionResult.create({ commands: [CommandRun.create({ argv: ["hbal"], exitCode: 1 })] }),
      }),
    ],
  },
  allOf: {
    because: "one of two is not seen",
    what: {
      $case: "allOf",
      value: {
        conditions: [
          { what: { $case: "stepRan", value: { stepId: "s" } } },
          { what: { $case: "minorGone", value: { end: END } } },
        ],
      },
    },
    view: cluster(BOTH),
    events: [ofStep(RunEventKind.STEP_INTENT)],
  },
  anyOf: {
    because: "there is none to be seen",
    what: { $case: "anyOf", value: { conditions: [] } },
    view: nothing,
  },
  personSays: {
    because: "a person spoke at another step",
    what: { $case: "personSays", value: { question: "is it off?" } },
    view: nothing,
    events: [ofStep(RunEventKind.PERSON_SAID, { text: "yes" })],
  },
};

test.each(Object.entries(WRONG))("%s is not seen for a wrong reason", (_name, wrong) => {
  const { what, view, events = [], sinceMs = 0 } = wrong;
  expect(createWatch({ what }, contextAt(sinceMs, { events }))(view).seen, wrong.because).toBe(false);
});

test("a node whose flags are asked for must be there", () => {
  const nodes = [GanetiNode.create({ name: "h2" })];
  const what: What = { $case: "nodeFlagged", value: { node: "h2", change: NodeChangeKind.ONLINE } };
  expect(createWatch({ what }, contextAt(0))(cluster({ h1: {} }, job({ nodes }))).seen).toBe(true);
});

test("a snapshot that has become invalid is no snapshot any more", () => {
  const what: What = { $case: "volumeThere", value: { node: "h1", volume: "vg/a" } };
  const seen = (attr: string) =>
    createWatch({ what }, contextAt(0))(cluster({ h1: { sources: [lvm(attr)] } }));
  expect(seen("swi-a-s---")).toMatchObject({ seen: true });
  expect(seen("swi-I-s---")).toMatchObject({ seen: false, never: "vg/a on h1 is an invalid snapshot" });
});

test("volumes of device-mapper that are still listed by another name are not gone", () => {
  const map = DeviceMapperDevice.create({ name: "renamed", uuid: "LVM-1" });
  const what: What = { $case: "mapsGone", value: { node: "h1", maps: [{ name: "vg-a", uuid: "LVM-1" }] } };
  const view = cluster({
    h1: { sources: [ok(Source.DEVICE_MAPPER, { $case: "deviceMapper", value: { devices: [map] } })] },
  });
  expect(createWatch({ what }, contextAt(0))(view).seen).toBe(false);
});
