/** What the guard's tests share: a stall that may be cut, and ways to spoil one thing of it. */
import {
  ConnectionState,
  CutDrbdLink,
  DiskState,
  DrbdConfig,
  DrbdEnd,
  DrbdMinor,
  PeerReport,
  Role,
  type GuardFact,
} from "@vigie/proto";
import { judgeCut, type SeenForCut } from "./cut-drbd-link.js";
import type { SeenForLoss } from "./lose-copy.js";

export interface Case {
  readonly params: CutDrbdLink;
  readonly seen: SeenForCut;
}

/** h1 is Primary and SyncSource, h2 Secondary and SyncTarget, both still for 8 s: the wiki's stall. */
export function stall(): Case {
  const end = DrbdEnd.create({
    instance: "web1.example",
    node: "h1.example",
    minor: 18,
    peerNode: "h2.example",
    peerMinor: 27,
    localAddress: "10.0.0.1",
    peerAddress: "10.0.0.2",
    port: 11_018,
    dataLv: "kvmvg/1-2.disk0_data",
    bootId: "boot-1",
    peerBootId: "boot-2",
  });
  const own = DrbdMinor.create({
    minor: 18,
    connection: ConnectionState.SYNC_SOURCE,
    role: Role.PRIMARY,
    peerRole: Role.SECONDARY,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.INCONSISTENT,
    outOfSyncKib: 37_944,
  });
  const drbd = DrbdMinor.create({
    minor: 27,
    connection: ConnectionState.SYNC_TARGET,
    role: Role.SECONDARY,
    peerRole: Role.PRIMARY,
    disk: DiskState.INCONSISTENT,
    peerDisk: DiskState.UP_TO_DATE,
    outOfSyncKib: 37_944,
  });
  const peer = PeerReport.create({ node: "h2.example", bootId: "boot-2", drbd, stillMs: 8_000 });
  const config = DrbdConfig.create({
    minor: 18,
    backingDevice: "/dev/kvmvg/1-2.disk0_data",
    localAddress: "10.0.0.1",
    localPort: 11_018,
    peerAddress: "10.0.0.2",
    peerPort: 11_018,
    pingIntervalS: 10,
    pingTimeoutDs: 5,
    timeoutDs: 60,
  });
  return {
    params: CutDrbdLink.create({ end, ttlS: 30, minStillMs: 7_000, peer }),
    seen: {
      bootId: "boot-1",
      own,
      ownUnknownBecause: "",
      ownAgeMs: 20,
      ownStillMs: 8_000,
      config,
      cuts: [],
      cutsUnknownBecause: "",
      peerAgeMs: 500,
      fence: undefined,
      migration: { by: "nobody" },
    },
  };
}

export const withParams = (change: Partial<CutDrbdLink>): Case => {
  const { params, seen } = stall();
  return { params: { ...params, ...change }, seen };
};
export const withSeen = (change: Partial<SeenForCut>): Case => {
  const { params, seen } = stall();
  return { params, seen: { ...seen, ...change } };
};
export const withOwn = (change: Partial<DrbdMinor>): Case =>
  withSeen({ own: { ...DrbdMinor.create(stall().seen.own), ...change } });
export const withConfig = (change: Partial<DrbdConfig>): Case =>
  withSeen({ config: { ...(stall().seen.config as DrbdConfig), ...change } });
export const withReport = (change: Partial<PeerReport>): Case =>
  withParams({ peer: { ...PeerReport.create(stall().params.peer), ...change } });
export const withPeer = (change: Partial<DrbdMinor>): Case =>
  withReport({ drbd: { ...DrbdMinor.create(stall().params.peer?.drbd), ...change } });

export function refusing({ params, seen }: Case): string[] {
  return refusingOf(judgeCut(params, seen));
}

export function allowed(it: Case): boolean {
  return refusing(it).length === 0;
}

export interface LossCase {
  readonly end: DrbdEnd;
  readonly report: PeerReport;
  readonly seen: SeenForLoss;
}

/** The same mirror, whole at both ends: h1 is Primary, h2 Secondary, and both have seen it so for a minute. */
export function whole(): LossCase {
  const { params, seen } = stall();
  const mirror = {
    connection: ConnectionState.CONNECTED,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
    outOfSyncKib: 0,
  };
  const drbd = DrbdMinor.create({ ...params.peer?.drbd, ...mirror });
  const currentUuid = "CC8CB4269847333F";
  return {
    end: DrbdEnd.create(params.end),
    report: PeerReport.create({ ...params.peer, drbd, redundantMs: 60_000, currentUuid, ageMs: 500 }),
    seen: {
      bootId: seen.bootId,
      config: seen.config,
      own: DrbdMinor.create({ ...seen.own, ...mirror }),
      ownUnknownBecause: "",
      ownAgeMs: 20,
      ownRedundantMs: 60_000,
      currentUuid,
      cuts: [],
      cutsUnknownBecause: "",
      peerAgeMs: 500,
    },
  };
}

/** h1 gave its disk up, and goes on by h2's. */
export function lost(): LossCase {
  const { end, report, seen } = whole();
  const drbd = DrbdMinor.create({ ...report.drbd, peerDisk: DiskState.DISKLESS });
  return {
    end,
    report: PeerReport.create({ ...report, drbd, redundantMs: 0 }),
    seen: {
      ...seen,
      own: DrbdMinor.create({ ...seen.own, disk: DiskState.DISKLESS }),
      config: DrbdConfig.create({ ...(seen.config as DrbdConfig), backingDevice: "" }),
      ownRedundantMs: 0,
      currentUuid: "",
    },
  };
}

/** Name and invariant of every fact that refuses. */
export function refusingOf(facts: readonly GuardFact[]): string[] {
  return facts
    .filter(({ holds }) => !holds)
    .map(({ name, invariant }) => (invariant === "" ? name : `${name} ${invariant}`));
}
