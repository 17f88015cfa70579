import {
  ConnectionState,
  Damaged,
  DiskState,
  Incident,
  ResyncProgress,
  Role,
  Source,
  Subject,
  type Plan,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { withNode } from "../view/cluster-view.js";
import { planFaults } from "./plan-faults.js";
import { rebuildRedundancy } from "./rebuild-redundancy.js";
import {
  addSecondDisk,
  bigView,
  freeOn,
  losesItsDisk,
  GIB,
  minorIn,
  nodeIn,
  planIn,
  requestOf,
  small,
  stepIds,
  viewOf,
  worldOf,
  type World,
} from "./testing.js";

const { WF_CONNECTION, STAND_ALONE, SYNC_SOURCE, SYNC_TARGET, CONNECTED } = ConnectionState;

function plan(change: (world: World) => void, parameters: Record<string, string> = {}): Plan {
  return planIn(small(change), rebuildRedundancy, parameters);
}

/** web1's copy on h2 is Diskless. */
function secondaryDiskless(world: World): void {
  minorIn(world, "h2", 0).disk = DiskState.DISKLESS;
  minorIn(world, "h1", 0).peerDisk = DiskState.DISKLESS;
}

/** web2's copy on h2, its primary node, is Diskless. */
function primaryDiskless(world: World): void {
  minorIn(world, "h2", 1).disk = DiskState.DISKLESS;
  minorIn(world, "h3", 0).peerDisk = DiskState.DISKLESS;
}

function apart(world: World): void {
  minorIn(world, "h1", 0).connection = WF_CONNECTION;
  minorIn(world, "h2", 0).connection = WF_CONNECTION;
}

function commands(made: Plan): string[] {
  return made.steps.flatMap((step) => (step.action === undefined ? [] : step.manualCommands));
}

test("of an instance with several disks only the broken one is copied: in the command, the note, the forecast and the room", () => {
  const made = plan(
    (w) => {
      addSecondDisk(w, "web1");
      secondaryDiskless(w);
      freeOn(w, "h2", 11); // room for disk/0, and not for disk/1
    },
    { target: "web1" },
  );
  expect(made.refusals).toEqual([]);
  expect(commands(made)).toEqual(["h1# gnt-instance replace-disks -s --disks=0 web1"]);
  expect(made.steps.map(({ copiesKib }) => copiesKib)).toEqual([10_240 * 1024]);
  expect(made.notes.join("\n")).toContain("10.0 GiB are to be copied");
});

test("disks that are broken on different sides are copied by a job for each side, one after the other", () => {
  const made = plan(
    (w) => {
      addSecondDisk(w, "web1", 20_480);
      secondaryDiskless(w);
      minorIn(w, "h1", 7).disk = DiskState.DISKLESS;
      minorIn(w, "h2", 8).peerDisk = DiskState.DISKLESS;
    },
    { target: "web1" },
  );
  expect(commands(made)).toEqual([
    "h1# gnt-instance replace-disks -p --disks=1 web1",
    "h1# gnt-instance replace-disks -s --disks=0 web1",
  ]);
  expect(stepIds(made)).toEqual(["rebuild-1!", "rebuild-1-2!"]);
});

test("a new secondary takes every disk along, and the plan counts them all", () => {
  const made = plan(
    (w) => {
      addSecondDisk(w, "web1", 20_480);
      apart(w);
      const [, h2] = w.inventory.nodes;
      if (h2 !== undefined) h2.offline = true;
    },
    { target: "web1" },
  );
  expect(commands(made)).toEqual(["h1# gnt-instance replace-disks -I hail web1"]);
  expect(made.steps[0]?.copiesKib).toBe(30_720 * 1024);
});

test("a disk that is rebuilt after another was only connected assumes nothing of that other one's new copy", () => {
  const { steps } = plan(
    (w) => {
      addSecondDisk(w, "web1", 20_480);
      apart(w);
      minorIn(w, "h2", 8).disk = DiskState.DISKLESS;
      minorIn(w, "h1", 7).peerDisk = DiskState.DISKLESS;
    },
    { target: "web1" },
  );
  const assumed = steps.map(({ id, premises }) => [
    id,
    premises.flatMap(({ what }) =>
      what?.$case === "copyUpToDate" ? [`${what.value.end?.node} ${what.value.end?.minor}`] : [],
    ),
  ]);
  expect(assumed).toEqual([
    ["activate-1", ["h1 0", "h2 0", "h1 7"]],
    ["rebuild-1", ["h1 7"]],
  ]);
});

test.each<[string, (w: World) => void]>([
  ["Inconsistent", (w) => (minorIn(w, "h1", 0).disk = DiskState.INCONSISTENT)],
  ["Diskless", (w) => (minorIn(w, "h1", 0).disk = DiskState.DISKLESS)],
  ["StandAlone", (w) => (minorIn(w, "h1", 0).connection = ConnectionState.STAND_ALONE)],
  ["not active", (w) => (nodeIn(w, "h1").minors = [])],
])("with its secondary offline, and its primary copy %s, nothing is made anew (I1, I8)", (_what, change) => {
  const made = plan(
    (w) => {
      const [, h2] = w.inventory.nodes;
      if (h2 !== undefined) h2.offline = true;
      minorIn(w, "h1", 0).connection = ConnectionState.WF_CONNECTION;
      change(w);
    },
    { target: "web1" },
  );
  expect(made.steps).toEqual([]);
  expect(made.refusals.join()).toContain("h2 is offline, and of h1's copy: it is ");
});

test("a volume whose line LVM's reading did not understand is not taken for gone, and nothing is made anew over it (I11)", () => {
  const world = small((w) => {
    const [web1] = w.inventory.instances;
    if (web1 !== undefined) Object.assign(web1, { adminState: "down", status: "ADMIN_down" });
    for (const name of ["h1", "h2"])
      nodeIn(w, name).minors = nodeIn(w, name).minors.filter((minor) => minor !== minorIn(w, name, 0));
    const { lvm } = nodeIn(w, "h1");
    lvm.logicalVolumes = lvm.logicalVolumes.filter(({ lvName }) => lvName !== "u0.disk0_data");
  });
  const refusals = (object: string): string => {
    const view = viewOf(world);
    const h1 = view.nodes.get("h1");
    const lvm = h1?.sources.get(Source.LVM);
    if (h1 === undefined || lvm === undefined) throw new Error("h1 has no LVM");
    const damaged = object === "" ? [] : [Damaged.create({ object, reason: "an odd lv_attr" })];
    const sources = new Map(h1.sources).set(Source.LVM, { ...lvm, report: { ...lvm.report, damaged } });
    const odd = withNode(view, { ...h1, sources }, "h1");
    return rebuildRedundancy.plan(requestOf(odd, { target: "web1" })).refusals.join();
  };
  expect(refusals("u0.disk0_data")).toContain("the line of kvmvg/u0.disk0_data was not understood (I11)");
  expect(refusals("")).toBe(""); // it is gone, by LVM's word
});

test("a rebuild assumes the guest as it was planned, and the copy that it is made from (I15)", () => {
  const [step] = plan(secondaryDiskless, { target: "web1" }).steps;
  expect(step?.premises.map(({ what }) => what)).toMatchObject([
    {
      $case: "instancePlaced",
      value: { instance: "web1", adminState: "up", primaryNode: "h1", notRunningOn: ["h2"] },
    },
    { $case: "copyUpToDate", value: { end: { node: "h1", minor: 0 } } },
    { $case: "copyBroken", value: { end: { node: "h2", minor: 0 } } }, // nobody has mended it meanwhile
  ]);
});

test("each side's missing copies are recreated with their disks named; one instance after the other, each to its end", () => {
  const made = plan((w) => {
    secondaryDiskless(w);
    primaryDiskless(w);
  });
  expect(made.refusals).toEqual([]);
  expect(stepIds(made)).toEqual(["rebuild-1!", "rebuild-2!"]);
  expect(commands(made)).toEqual([
    "h1# gnt-instance replace-disks -s --disks=0 web1",
    "h1# gnt-instance replace-disks -p --disks=0 web2",
  ]);
  expect(made.steps.map(({ deadlineMs }) => deadlineMs)).toEqual([0, 0]);
  expect(planFaults(made)).toEqual([]);
});

test("several at once are put into the queue together, and waited for together", () => {
  const made = plan(
    (w) => {
      secondaryDiskless(w);
      primaryDiskless(w);
    },
    { at_once: "2" },
  );
  expect(stepIds(made)).toEqual(["rebuild-1!", "rebuild-2!", "await-1", "await-2"]);
  expect(made.steps[0]?.condition?.what?.$case).toBe("jobQueued");
  expect(planFaults(made)).toEqual([]);
});

test.each<[string, (world: World) => void, string[]]>([
  ["a link that is down is activated", apart, ["h1# gnt-instance activate-disks web1"]],
  [
    "a minor that is gone, with its volumes there, is activated",
    (w) => {
      apart(w);
      nodeIn(w, "h2").minors = nodeIn(w, "h2").minors.filter(({ minor }) => minor !== 0);
    },
    ["h1# gnt-instance activate-disks web1"],
  ],
  [
    "a secondary whose minor and volumes are gone is made on another node",
    (w) => {
      apart(w);
      const node = nodeIn(w, "h2");
      node.minors = node.minors.filter(({ minor }) => minor !== 0);
      node.lvm.logicalVolumes = node.lvm.logicalVolumes.filter(({ lvName }) => !lvName.startsWith("u0."));
    },
    ["h1# gnt-instance replace-disks -I hail web1"],
  ],
  [
    "a secondary on a node that is offline is made on another node",
    (w) => {
      apart(w);
      const [, h2] = w.inventory.nodes;
      if (h2 !== undefined) h2.offline = true;
    },
    ["h1# gnt-instance replace-disks -I hail web1"],
  ],
  [
    "a secondary that is Inconsistent, and that nothing resyncs, is made anew",
    (w) => {
      minorIn(w, "h2", 0).disk = DiskState.INCONSISTENT;
      minorIn(w, "h1", 0).peerDisk = DiskState.INCONSISTENT;
    },
    ["h1# gnt-instance replace-disks -s --disks=0 web1"],
  ],
])("%s", (_what, change, expected) => {
  const made = plan(change, { target: "web1" });
  expect(made.refusals).toEqual([]);
  expect(commands(made)).toEqual(expected);
  expect(planFaults(made)).toEqual([]);
});

describe("of a stopped instance the broken side is named:", () => {
  test.each([
    ["primary", "h1", "-p"],
    ["secondary", "h2", "-s"],
  ])("the %s's volumes are gone", (_side, node, option) => {
    const world = worldOf(
      ["h1", "h2", "h3"],
      [{ name: "db", primary: "h1", secondary: "h2", stopped: true }],
    );
    nodeIn(world, node).lvm.logicalVolumes = [];
    const made = planIn(world, rebuildRedundancy, { target: "db" });
    expect(made.refusals).toEqual([]);
    expect(commands(made)).toEqual([`h1# gnt-instance replace-disks ${option} --disks=0 db`]);
    expect(made.steps[0]?.condition?.what?.$case).toBe("jobSucceeded"); // it has no minors to look at afterwards
  });

  test("with volumes on both nodes there is nothing to see, and that is told", () => {
    const world = worldOf(["h1", "h2"], [{ name: "db", primary: "h1", secondary: "h2", stopped: true }]);
    const made = planIn(world, rebuildRedundancy, {});
    expect(made.refusals).toEqual(["the cluster: every disk that is active is redundant"]);
    expect(made.notes.join()).toContain("1 stopped instances");
  });

  test("with a volume that lacks a part there is one copy, and it is not called idle", () => {
    const world = worldOf(["h1", "h2"], [{ name: "db", primary: "h1", secondary: "h2", stopped: true }]);
    for (const volume of nodeIn(world, "h2").lvm.logicalVolumes) volume.attr = "-wi-----p-";
    const made = planIn(world, rebuildRedundancy, { target: "db" });
    expect(made.refusals.join()).not.toContain("every disk that is active is redundant");
    expect(made.notes.join()).not.toContain("1 stopped instances");
    expect(made.steps.length).toBeGreaterThan(0);
  });

  test("with volumes on neither node there is nothing to copy from", () => {
    const world = worldOf(["h1", "h2"], [{ name: "db", primary: "h1", secondary: "h2", stopped: true }]);
    for (const node of ["h1", "h2"]) nodeIn(world, node).lvm.logicalVolumes = [];
    expect(planIn(world, rebuildRedundancy, { target: "db" }).refusals.join()).toContain("no copy is left");
  });
});

test("a resync that moves is only waited for, without a limit", () => {
  const made = plan((w) => {
    minorIn(w, "h1", 0).connection = SYNC_SOURCE;
    minorIn(w, "h2", 0).connection = SYNC_TARGET;
  });
  expect(stepIds(made)).toEqual(["await-1"]);
  expect(made.steps[0]?.deadlineMs).toBe(0);
});

test("a guest that runs on a copy that is Inconsistent goes on writing to it: to connect it again is a person's", () => {
  const made = plan(
    (w) => {
      Object.assign(minorIn(w, "h1", 0), { connection: STAND_ALONE, disk: DiskState.INCONSISTENT });
      Object.assign(minorIn(w, "h2", 0), { connection: WF_CONNECTION, peerDisk: DiskState.INCONSISTENT });
    },
    { target: "web1" },
  );
  expect(made.refusals.join()).toContain("StandAlone: a person decides (I8)");
  expect(made.steps).toEqual([]);
});

test("a stopped instance is not copied from its second copy where nobody saw that both were the same (I1)", () => {
  const world = worldOf(["h1", "h2"], [{ name: "db", primary: "h1", secondary: "h2", stopped: true }]);
  nodeIn(world, "h1").lvm.logicalVolumes = [];
  const view = viewOf(world);
  const unseen = new Map([...view.nodes].map(([name, node]) => [name, { ...node, lastListed: new Map() }]));
  const request = requestOf({ ...view, nodes: unseen }, { target: "db" });
  expect(rebuildRedundancy.plan(request).refusals.join()).toContain(
    "it is not known that both copies were the same",
  );
  expect(rebuildRedundancy.plan(requestOf(view, { target: "db" })).refusals).toEqual([]);
});

test("an end that is StandAlone beside a copy that is Inconsistent is only connected again: nothing there can be lost", () => {
  const made = plan(
    (w) => {
      Object.assign(minorIn(w, "h1", 0), { connection: STAND_ALONE, peerDisk: DiskState.INCONSISTENT });
      Object.assign(minorIn(w, "h2", 0), { connection: WF_CONNECTION, disk: DiskState.INCONSISTENT });
    },
    { target: "web1" },
  );
  expect(made.refusals).toEqual([]);
  expect(commands(made)).toEqual(["h1# gnt-instance activate-disks web1"]);
  const assumed = made.steps[0]?.premises.flatMap(({ what }) =>
    what?.$case === "mayConnect" ? [what.value.givenUpAt] : [],
  );
  expect(assumed).toEqual(["h2"]);
});

describe("it is refused, of instances that are named,", () => {
  const noRoom = (w: World) => {
    secondaryDiskless(w);
    const [vg] = nodeIn(w, "h2").lvm.volumeGroups;
    if (vg !== undefined) vg.freeBytes = GIB;
  };
  test.each<[string, (world: World) => void, string, string[]]>([
    [
      "for a StandAlone end: 3.1 would take the good side for the faulty one",
      (w) => (minorIn(w, "h1", 0).connection = STAND_ALONE),
      "h1 is StandAlone",
      ["vigie do resolve-split-brain web1"],
    ],
    [
      "for a StandAlone end beside an Inconsistent one where both are Primary",
      (w) => {
        minorIn(w, "h1", 0).connection = STAND_ALONE;
        Object.assign(minorIn(w, "h2", 0), { disk: DiskState.INCONSISTENT, role: Role.PRIMARY });
      },
      "h1 is StandAlone",
      ["vigie do resolve-split-brain web1"],
    ],
    [
      "for a resync that a person paused",
      (w) => {
        Object.assign(minorIn(w, "h1", 0), { connection: ConnectionState.PAUSED_SYNC_S });
        Object.assign(minorIn(w, "h2", 0), {
          connection: ConnectionState.PAUSED_SYNC_T,
          disk: DiskState.INCONSISTENT,
          resyncPausedByUser: true,
        });
      },
      "somebody paused its resync on h2",
      ["h2# drbdsetup resume-sync 0"],
    ],
    [
      "for what an online verify found: no job of Ganeti's copies it while the ends are connected",
      (w) => (minorIn(w, "h1", 0).outOfSyncKib = 12),
      "12 KiB are out of sync",
      [
        "h2# drbdsetup disconnect ipv4:10.0.0.2:11000 ipv4:10.0.0.1:11000",
        "h1# gnt-instance activate-disks web1",
      ],
    ],
    [
      "for a resync that stands still",
      (w) => {
        minorIn(w, "h1", 0).connection = SYNC_SOURCE;
        nodeIn(w, "h1").still = { 0: 9_000 };
      },
      "stands still",
      ["vigie do reset-stalled-sync web1 0"],
    ],
    [
      "when no copy is UpToDate",
      (w) => {
        minorIn(w, "h1", 0).disk = DiskState.DISKLESS;
        minorIn(w, "h2", 0).disk = DiskState.INCONSISTENT;
      },
      "no copy is UpToDate: Diskless and Inconsistent (I1)",
      [],
    ],
    [
      "when both ends are Primary and apart: DRBD would choose a side by itself",
      (w) => {
        apart(w);
        minorIn(w, "h2", 0).role = Role.PRIMARY;
      },
      "both ends are Primary and apart",
      ["vigie do resolve-split-brain web1"],
    ],
    ["when an end is silent", (w) => (nodeIn(w, "h2").silent = true), "h2 has not reported", []],
    [
      "when the node has no volume group",
      (w) => {
        secondaryDiskless(w);
        nodeIn(w, "h2").lvm.volumeGroups = [];
      },
      "h2 has no volume group kvmvg",
      ["vigie do adopt-disk h2 DISK"],
    ],
    [
      "when there is no room",
      noRoom,
      "kvmvg on h2 has 1.0 GiB free, and 10.1 GiB are to be made there",
      ["vigie do adopt-disk h2 DISK"],
    ],
    [
      "when the primary node is offline",
      (w) => {
        apart(w);
        const [h1] = w.inventory.nodes;
        if (h1 !== undefined) h1.offline = true;
      },
      "its primary node h1 is offline",
      ["vigie do disable-dead-node h1"],
    ],
    [
      "when there is no third node",
      (w) => {
        apart(w);
        const [, h2, h3] = w.inventory.nodes;
        if (h2 !== undefined) h2.offline = true;
        if (h3 !== undefined) h3.drained = true;
      },
      "no other node can take its copies: h3 is drained",
      [],
    ],
    [
      "when the primary's minor and volumes are gone",
      (w) => {
        const node = nodeIn(w, "h1");
        node.minors = [];
        node.lvm.logicalVolumes = [];
        minorIn(w, "h2", 0).connection = WF_CONNECTION;
      },
      "it is Ganeti's primary node",
      [],
    ],
    [
      "when the only copy that is left is not UpToDate",
      (w) => {
        nodeIn(w, "h2").minors = [];
        Object.assign(minorIn(w, "h1", 0), { connection: WF_CONNECTION, disk: DiskState.OUTDATED });
      },
      "h1's copy is not UpToDate",
      [],
    ],
    ["when there is nothing to do", () => {}, "every disk that is active is redundant", []],
  ])("%s", (_what, change, why, wayOut) => {
    const made = plan(change, { target: "web1" });
    expect(made.refusals.join("\n")).toContain(why);
    expect(made.steps).toEqual([]);
    expect(made.wayOut).toEqual(wayOut);
    expect(planFaults(made)).toEqual([]);
  });
});

test("of a whole cluster, what cannot be mended is left out, and told", () => {
  const made = plan((w) => {
    primaryDiskless(w);
    minorIn(w, "h1", 0).connection = STAND_ALONE;
  });
  expect(commands(made)).toEqual(["h1# gnt-instance replace-disks -p --disks=0 web2"]);
  expect(made.notes.join("\n")).toContain("left out: web1: disk/0: h1 is StandAlone");
});

test("a node means every instance with a copy there", () => {
  const change = (w: World) => {
    secondaryDiskless(w);
    primaryDiskless(w);
  };
  expect(commands(plan(change, { target: "h1" }))).toEqual([
    "h1# gnt-instance replace-disks -s --disks=0 web1",
  ]);
});

test("how long it will take is told, by the rate that is measured", () => {
  const notes = (change: (w: World) => void) =>
    plan((w) => {
      secondaryDiskless(w);
      change(w);
    }).notes.join("\n");
  expect(notes(() => {})).toContain("10.0 GiB are to be copied: 12 min if it goes at 14 MiB/s");
  const measured = (w: World) => {
    minorIn(w, "h2", 1).connection = CONNECTED;
    minorIn(w, "h2", 1).resync = ResyncProgress.create({ averageSpeedKibPerS: 102_400 });
  };
  expect(notes(measured)).toContain("2 min at the 100 MiB/s that are measured now");
});

test("an incident names the instance, or the volume that is missing", () => {
  const about = (subject: Partial<Subject>) =>
    rebuildRedundancy.forIncident?.(Incident.create({ subject: Subject.create(subject) }), viewOf(small()));
  expect(about({ instance: "web1" })).toEqual({ target: "web1" });
  expect(about({ node: "h3", device: "kvmvg/u1.disk0_meta" })).toEqual({ target: "web2" });
  expect(about({ node: "h3", device: "kvmvg/swap" })).toBeUndefined();
});

test.each<[Record<string, string>, string]>([
  [{ target: "web7" }, "did you mean web"],
  [{ at_once: "0" }, "give a number from 1 to 8"],
])("%j is answered with what to give instead", (parameters, why) => {
  expect(() => plan(() => {}, parameters)).toThrow(why);
});

test("a plan for a cluster of a hundred nodes and two thousand instances is made", () => {
  const view = bigView(100, 2_000, (world) => {
    losesItsDisk(world, "h50");
  });
  const made = rebuildRedundancy.plan(requestOf(view, {}));
  expect(made.refusals).toEqual([]);
  expect(made.steps).toHaveLength(40);
  expect(planFaults(made)).toEqual([]);
});
