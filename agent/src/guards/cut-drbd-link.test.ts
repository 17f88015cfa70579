import { DiskState, DrbdMinor, LinkCut, PeerReport, Role } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { MigrationSeen } from "./cut-drbd-link.js";
import {
  refusing,
  stall,
  withConfig,
  withOwn,
  withParams,
  withPeer,
  withReport,
  withSeen,
  type Case,
} from "./testing.js";

test("a stalled resync seen by both ends, with every name in its place, may be cut", () => {
  expect(refusing(stall())).toEqual([]);
});

describe("one thing that is wrong refuses, and is the one that is named", () => {
  const ownAddress = "10.0.0.9";
  test.each<[string, Case, string[]]>([
    [
      "no end",
      withParams({ end: undefined }),
      ["which end I13", "peer's report from I16", "peer's boot I7", "peer's minor I13"],
    ],
    [
      "the minor is not configured",
      withSeen({ config: undefined }),
      ["minor 18 in drbdsetup show I13", "cut's time to live I19"],
    ],
    [
      "the minor's configuration is not known: it hangs, or was not read",
      withSeen({ config: "unknown" }),
      ["minor 18 in drbdsetup show I11", "cut's time to live I11"],
    ],
    ["another boot of this node", withSeen({ bootId: "boot-9" }), ["own boot I7"]],
    ["another boot of the peer", withReport({ bootId: "boot-9" }), ["peer's boot I7"]],
    ["another port here", withConfig({ localPort: 11_019 }), ["port I13"]],
    ["another port there", withConfig({ peerPort: 11_019 }), ["port I13"]],
    ["another own address", withConfig({ localAddress: ownAddress }), ["own address I13"]],
    ["another peer address", withConfig({ peerAddress: ownAddress }), ["peer address I13"]],
    ["another volume", withConfig({ backingDevice: "/dev/kvmvg/9.disk0_data" }), ["backing device I13"]],
    ["no volume", withConfig({ backingDevice: "" }), ["backing device I13"]],
    ["own line damaged", withSeen({ own: undefined, ownUnknownBecause: "damaged" }), ["own minor I11"]],
    ["own reading of 2001 ms ago", withSeen({ ownAgeMs: 2_001 }), ["own reading age I14"]],
    ["own resync paused by a person", withOwn({ resyncPausedByUser: true }), ["own resync paused"]],
    ["own resync waits for another", withOwn({ resyncPausedByDependency: true }), ["own resync paused"]],
    ["own resync paused by the peer", withOwn({ resyncPausedByPeer: true }), ["own resync paused"]],
    ["own I/O suspended", withOwn({ ioSuspended: true }), ["own resync paused"]],
    ["own end moved 6.9 s ago", withSeen({ ownStillMs: 6_999 }), ["own still"]],
    ["own end does not resync", withSeen({ ownStillMs: undefined }), ["own still"]],
    ["own Primary reads from the peer", withOwn({ disk: DiskState.INCONSISTENT }), ["own role and disk I1"]],
    [
      "own role not known",
      withOwn({ role: Role.UNKNOWN }),
      ["own role and disk I1", "roles as both ends see them I7"],
    ],
    ["no report of the peer", withParams({ peer: undefined }), ["peer's report I7"]],
    ["a report without the minor", withReport({ drbd: undefined }), ["peer's report I7"]],
    ["a report of unknown age", withSeen({ peerAgeMs: undefined }), ["peer's report I7"]],
    ["a report of 2001 ms ago", withSeen({ peerAgeMs: 2_001 }), ["peer's report age I7"]],
    ["a report of another node", withReport({ node: "h3.example" }), ["peer's report from I16"]],
    ["a report of another minor", withPeer({ minor: 18 }), ["peer's minor I13"]],
    ["peer's resync paused", withPeer({ resyncPausedByUser: true }), ["peer's resync paused"]],
    ["peer's I/O suspended", withPeer({ ioSuspended: true }), ["peer's resync paused"]],
    ["peer moved 6.9 s ago", withReport({ stillMs: 6_999 }), ["peer still I7"]],
    [
      "peer's role not known",
      withPeer({ role: Role.UNKNOWN }),
      ["peer's role and disk I1", "roles as both ends see them I7"],
    ],
    [
      "we think the peer Primary, it does not",
      withOwn({ peerRole: Role.PRIMARY }),
      ["roles as both ends see them I7"],
    ],
    [
      "the peer thinks us Secondary",
      withPeer({ peerRole: Role.SECONDARY }),
      ["roles as both ends see them I7"],
    ],
    ["a life of 17 s", withParams({ ttlS: 17 }), ["cut's time to live I19"]],
    ["a life of 61 s", withParams({ ttlS: 61 }), ["cut's time to live I19"]],
    [
      "a cut of this link stands",
      withSeen({ cuts: [LinkCut.create({ peerAddress: "10.0.0.2", port: 11_018, runId: "r-1" })] }),
      ["cut standing already I9"],
    ],
    [
      "the cuts cannot be read",
      withSeen({ cutsUnknownBecause: "/proc failed" }),
      ["cut standing already I11"],
    ],
  ])("%s", (_what, spoilt, names) => {
    expect(refusing(spoilt)).toEqual(names);
  });
});

test("a cut of another link on this node is no obstacle to this one", () => {
  const other = LinkCut.create({ peerAddress: "10.0.0.2", port: 11_019, runId: "r-1" });
  expect(refusing(withSeen({ cuts: [other] }))).toEqual([]);
});

test("the shortest and the longest life of a cut are allowed", () => {
  expect([18, 60].map((ttlS) => refusing(withParams({ ttlS })))).toEqual([[], []]);
});

test("a still time configured below five seconds is raised to five", () => {
  const { params, seen } = withParams({ minStillMs: 0 });
  expect(refusing({ params, seen: { ...seen, ownStillMs: 4_999 } })).toEqual(["own still"]);
  expect(refusing({ params, seen: { ...seen, ownStillMs: 5_000 } })).toEqual([]);
});

describe("two Primaries", () => {
  const both = (migrateJobId: number, migration: MigrationSeen): string[] => {
    const drbd = DrbdMinor.create({
      ...stall().params.peer?.drbd,
      role: Role.PRIMARY,
      disk: DiskState.UP_TO_DATE,
    });
    const peer = PeerReport.create({ ...stall().params.peer, drbd });
    const { params } = withParams({ peer, migrateJobId });
    return refusing({ params, seen: { ...withOwn({ peerRole: Role.PRIMARY }).seen, migration } });
  };
  const runs = { by: "Ganeti", status: "running", summary: "INSTANCE_MIGRATE(web1.example)" } as const;

  test("refuse without a migration that made them so (I8)", () => {
    expect(both(0, { by: "nobody" })).toEqual(["Primaries I8"]);
    expect(both(4_711, { by: "nobody" })).toEqual(["Primaries I8"]);
  });

  test("are allowed while Ganeti itself says that this instance's migration runs", () => {
    expect(both(4_711, runs)).toEqual([]);
    expect(both(4_711, { ...runs, status: "error" })).toEqual(["its migration I8"]);
    expect(both(4_711, { ...runs, status: "luxi: no answer", summary: "" })).toEqual([
      "its migration I8",
      "its work I5",
    ]);
    expect(both(4_711, { ...runs, summary: "INSTANCE_MIGRATE(web2.example)" })).toEqual(["its work I5"]);
  });

  test("are allowed on a node that cannot ask Ganeti by the word of the orchestrator, which asked", () => {
    expect(both(4_711, { by: "the orchestrator" })).toEqual([]);
  });
});
