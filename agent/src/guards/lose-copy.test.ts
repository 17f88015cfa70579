import {
  ConnectionState,
  DiskState,
  LinkCut,
  PeerReport,
  ResyncProgress,
  Role,
  type DrbdConfig,
  type DrbdEnd,
  type DrbdMinor,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { allHold } from "./fact.js";
import { judgeDetach, judgeGoesOffline, type SeenForLoss } from "./lose-copy.js";
import { mayGoOffline, mayLoseDisk } from "./may-lose-disk.js";
import { lost, refusingOf, whole, type LossCase } from "./testing.js";

type Change = {
  readonly end?: Partial<DrbdEnd>;
  readonly own?: Partial<DrbdMinor>;
  readonly peer?: Partial<DrbdMinor>;
  readonly report?: Partial<PeerReport>;
  readonly config?: Partial<DrbdConfig>;
  readonly seen?: Partial<SeenForLoss>;
};

function spoilt(change: Change, base: LossCase = whole()): LossCase {
  const { end, report, seen } = base;
  return {
    end: { ...end, ...change.end },
    report: PeerReport.create({
      ...report,
      ...change.report,
      ...(!(change.report !== undefined && "drbd" in change.report) && {
        drbd: { ...(report.drbd as DrbdMinor), ...change.peer },
      }),
    }),
    seen: {
      ...seen,
      own: { ...(seen.own as DrbdMinor), ...change.own },
      config: { ...(seen.config as DrbdConfig), ...change.config },
      ...change.seen,
    },
  };
}

const detach = ({ end, report, seen }: LossCase): string[] => refusingOf(judgeDetach(end, report, seen));
const offline = ({ end, report, seen }: LossCase): string[] =>
  refusingOf(judgeGoesOffline(end, report, seen));

test("a mirror that both ends have seen whole for ten seconds may lose one copy", () => {
  expect([detach(whole()), offline(whole())]).toEqual([[], []]);
});

test("a minor that gave its disk up has nothing to lose when that goes offline, and nothing to detach", () => {
  expect(offline(lost())).toEqual([]);
  expect(detach(lost())).toContain("own disk I1");
});

describe("one thing that is wrong refuses, and is the one that is named", () => {
  const uuid = "98D206154372FB10";
  test.each<[string, Change, string[]]>([
    ["another boot of this node", { seen: { bootId: "boot-9" } }, ["own boot I7"]],
    ["the minor is not configured", { seen: { config: undefined } }, ["minor 18 in drbdsetup show I13"]],
    ["another port", { config: { localPort: 11_019 } }, ["port I13"]],
    ["another own address", { config: { localAddress: "10.0.0.9" } }, ["own address I13"]],
    ["another peer address", { config: { peerAddress: "10.0.0.9" } }, ["peer address I13"]],
    ["another volume", { config: { backingDevice: "/dev/kvmvg/9.disk0_data" } }, ["backing device I13"]],
    ["own line damaged", { seen: { own: undefined, ownUnknownBecause: "damaged" } }, ["own minor I11"]],
    ["own reading of 2001 ms ago", { seen: { ownAgeMs: 2_001 } }, ["own reading age I14"]],
    ["own end StandAlone", { own: { connection: ConnectionState.STAND_ALONE } }, ["own cs I8"]],
    ["own end waits for the peer", { own: { connection: ConnectionState.WF_CONNECTION } }, ["own cs I1"]],
    ["own end verifies", { own: { connection: ConnectionState.VERIFY_S } }, ["own cs I1"]],
    ["own disk only Consistent", { own: { disk: DiskState.CONSISTENT } }, ["own disk I1"]],
    ["own disk fails just now", { own: { disk: DiskState.FAILED } }, ["own disk I1"]],
    [
      "peer's disk unknown to us",
      { own: { peerDisk: DiskState.D_UNKNOWN } },
      ["own view of the peer's disk I1"],
    ],
    ["own I/O suspended", { own: { ioSuspended: true } }, ["own I/O and resync I1"]],
    ["a resync is printed", { own: { resync: ResyncProgress.create({}) } }, ["own I/O and resync I1"]],
    ["4 KiB out of sync here", { own: { outOfSyncKib: 4 } }, ["own out of sync I1"]],
    ["out of sync not printed here", { own: { outOfSyncKib: undefined } }, ["own out of sync I1"]],
    ["whole for 9.9 s here", { seen: { ownRedundantMs: 9_999 } }, ["own redundancy I10"]],
    ["a report without the minor", { report: { drbd: undefined } }, ["peer's report I7"]],
    ["a report of unknown age", { seen: { peerAgeMs: undefined } }, ["peer's report I7"]],
    ["a report of 2001 ms ago", { seen: { peerAgeMs: 2_001 } }, ["peer's report age I7"]],
    ["a report of another node", { report: { node: "h3.example" } }, ["peer's report from I16"]],
    ["another boot of the peer", { report: { bootId: "boot-9" } }, ["peer's boot I7"]],
    ["a report of another minor", { peer: { minor: 18 } }, ["peer's minor I13"]],
    ["peer StandAlone", { peer: { connection: ConnectionState.STAND_ALONE } }, ["peer's cs I8"]],
    ["peer resyncs", { peer: { connection: ConnectionState.SYNC_TARGET } }, ["peer's cs I1"]],
    ["peer Inconsistent", { peer: { disk: DiskState.INCONSISTENT } }, ["peer's disk I1"]],
    ["peer Diskless", { peer: { disk: DiskState.DISKLESS } }, ["peer's disk I1"]],
    [
      "peer sees another disk here",
      { peer: { peerDisk: DiskState.OUTDATED } },
      ["peer's view of this disk I7"],
    ],
    ["peer's I/O suspended", { peer: { ioSuspended: true } }, ["peer's I/O and resync I1"]],
    ["4 KiB out of sync there", { peer: { outOfSyncKib: 4 } }, ["peer's out of sync I1"]],
    ["whole for 9.9 s there", { report: { redundantMs: 9_999 } }, ["peer's redundancy I10"]],
    ["one I/O error on the peer's disk", { report: { diskErrors: 1 } }, ["I/O errors of the peer's disk I1"]],
    ["the peer has another generation", { report: { currentUuid: uuid } }, ["current generations I8"]],
    [
      "we think the peer Primary, it does not",
      { own: { peerRole: Role.PRIMARY } },
      ["roles as both ends see them I7"],
    ],
    ["own role not known", { own: { role: Role.UNKNOWN } }, ["roles as both ends see them I7"]],
    ["both Primary", { own: { peerRole: Role.PRIMARY }, peer: { role: Role.PRIMARY } }, ["Primaries I8"]],
    [
      "a cut of this link stands",
      { seen: { cuts: [LinkCut.create({ peerAddress: "10.0.0.2", port: 11_018, runId: "r-1" })] } },
      ["cut of this link I21"],
    ],
    ["the cuts cannot be read", { seen: { cutsUnknownBecause: "/proc failed" } }, ["cut of this link I11"]],
  ])("%s", (_what, change, names) => {
    expect(detach(spoilt(change))).toEqual(names);
    expect(offline(spoilt(change))).toEqual(names);
  });

  test("no end, or no report", () => {
    const { report, seen, end } = whole();
    expect(refusingOf(judgeDetach(undefined, report, seen))).toContain("which end I13");
    expect(refusingOf(judgeDetach(end, undefined, seen))).toEqual(["peer's report I7"]);
  });
});

test("the generations of both ends must be known, and the role's bit is no difference", () => {
  expect(detach(spoilt({ report: { currentUuid: "" } }))).toEqual(["peer's generation I11"]);
  expect(offline(spoilt({ report: { currentUuid: "" } }))).toEqual(["peer's generation I11"]);
  expect(detach(spoilt({ seen: { currentUuid: "" } }))).toEqual(["own generation I11"]);
  expect(detach(spoilt({ report: { currentUuid: "CC8CB4269847333E" } }))).toEqual([]);
});

test("a minor that is Diskless refuses for its peer's errors, its link and its boot all the same", () => {
  expect(offline(spoilt({ report: { diskErrors: 2 } }, lost()))).toEqual([
    "I/O errors of the peer's disk I1",
  ]);
  expect(offline(spoilt({ own: { connection: ConnectionState.WF_CONNECTION } }, lost()))).toEqual([
    "own cs I1",
  ]);
  expect(offline(spoilt({ seen: { bootId: "boot-9" } }, lost()))).toEqual(["own boot I7"]);
  expect(offline(spoilt({ peer: { disk: DiskState.INCONSISTENT } }, lost()))).toEqual(["peer's disk I1"]);
});

test("the whole guard and the core that was asked of every pair of states agree", () => {
  const states = {
    role: [Role.PRIMARY, Role.SECONDARY, Role.UNKNOWN],
    connection: [ConnectionState.CONNECTED, ConnectionState.WF_CONNECTION, ConnectionState.SYNC_SOURCE],
    disk: [DiskState.UP_TO_DATE, DiskState.DISKLESS, DiskState.INCONSISTENT, DiskState.FAILED],
    peerDisk: [DiskState.UP_TO_DATE, DiskState.DISKLESS, DiskState.INCONSISTENT, DiskState.D_UNKNOWN],
  };
  const ends = states.role.flatMap((role) =>
    states.connection.flatMap((connection) =>
      states.disk.flatMap((disk) =>
        states.peerDisk.map((peerDisk) => ({ role, connection, disk, peerDisk })),
      ),
    ),
  );
  const wrong: string[] = [];
  for (const own of ends)
    for (const peer of ends) {
      const it = spoilt({
        own: { ...own, peerRole: peer.role },
        peer: { ...peer, peerRole: own.role },
      });
      const { end, report, seen } = it;
      const core = [mayLoseDisk(own, peer), mayGoOffline(own, peer)];
      const guard = [judgeDetach(end, report, seen), judgeGoesOffline(end, report, seen)].map(allHold);
      if (core.join() !== guard.join()) wrong.push(JSON.stringify([own, peer, core, guard]));
    }
  expect(wrong).toEqual([]);
  expect(ends.length ** 2).toBe(20_736);
});
