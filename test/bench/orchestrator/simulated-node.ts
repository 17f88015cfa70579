/** What one simulated agent reports, second by second: sixteen minors whose counters move, and now and then a state. */
import {
  ConnectionState,
  DiskState,
  DrbdMinor,
  Role,
  Source,
  SourceReport,
  SourceState,
  WriteOrdering,
  type Report,
} from "@vigie/proto";
import { inventory, MINORS_PER_NODE, NODE_NAMES, SSCONF } from "./big-cluster.js";
import { MASTER } from "./real-orchestrator.js";
import { restingSources } from "./resting-sources.js";

const FULL_EVERY_S = 60; // as the agent does
const APART_EVERY_S = 100; // a minor of a node: with a thousand of them, ten go and ten come back each second
const APART_FOR_S = 3; // a reconnect, and nobody's business
const DISKLESS_EVERY_S = 5_000; // a minor of a node: an incident each five seconds
const DISKLESS_FOR_S = 8;

export interface SimulatedNode {
  readonly name: string;
  /** The report of this second, counted from 1. */
  readonly report: (second: number, epoch: number) => Report;
}

export function simulatedNode(index: number): SimulatedNode {
  const name = NODE_NAMES[index] ?? "";
  const minors = Array.from({ length: MINORS_PER_NODE }, (_, minor) => newMinor(minor));
  const value = { version: "8.4.11", api: "api:1/proto:86-101", minors, minorsElsewhere: false };
  const drbd = reading(Source.PROC_DRBD, { $case: "drbd", value });
  const others = [
    ...restingSources(index),
    reading(Source.SSCONF, { $case: "ssconf", value: SSCONF }),
    name === MASTER ? reading(Source.GANETI, { $case: "ganeti", value: inventory() }) : ABSENT,
  ];
  return { name, report };

  function report(second: number, epoch: number): Report {
    const monotonicMs = Math.round(performance.now());
    const full = second === 1 || second % FULL_EVERY_S === index % FULL_EVERY_S;
    live(second);
    const now = { ...drbd, delta: !full, durationUs: 700, monotonicMs };
    const earlier = monotonicMs - 400;
    return {
      sequence: second,
      full,
      sources: full ? [now, ...others.map((other) => ({ ...other, monotonicMs: earlier }))] : [now],
      unchanged: full ? [] : others.map(({ source }) => ({ source, monotonicMs: earlier })),
      monotonicMs,
      wallUnixMs: Date.now(),
      journalHead: "0".repeat(64),
      journalRecords: 0,
      auditSeen: undefined,
      masterNode: MASTER,
      readOnly: false,
      readOnlyReason: "",
      hung: [],
      still: [],
      highestEpoch: epoch,
      stopNumber: 0,
      maintenanceNumber: 0,
    };
  }

  function live(second: number): void {
    for (const minor of minors) {
      minor.networkSentKib += 4;
      minor.diskWrittenKib += 4;
    }
    const [first, other] = minors;
    if (first === undefined || other === undefined) return;
    const apart = (second + index) % APART_EVERY_S < APART_FOR_S;
    first.connection = apart ? ConnectionState.WF_CONNECTION : ConnectionState.CONNECTED;
    const without = (second + index) % DISKLESS_EVERY_S < DISKLESS_FOR_S;
    other.disk = without ? DiskState.DISKLESS : DiskState.UP_TO_DATE;
  }
}

const ABSENT = SourceReport.create({
  source: Source.GANETI,
  state: SourceState.ABSENT,
  reason: `the master is ${MASTER}`,
});

function newMinor(minor: number): DrbdMinor {
  const primary = minor < MINORS_PER_NODE / 2;
  return DrbdMinor.create({
    minor,
    connection: ConnectionState.CONNECTED,
    role: primary ? Role.PRIMARY : Role.SECONDARY,
    peerRole: primary ? Role.SECONDARY : Role.PRIMARY,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
    protocol: "C",
    ioFlags: "r-----",
    networkSentKib: 588_416_000,
    diskWrittenKib: 588_416_000,
    diskReadKib: 91_120,
    activityLogUpdates: 8_121,
    epochs: 1,
    writeOrdering: WriteOrdering.FLUSH,
    outOfSyncKib: 0,
  });
}

function reading(source: Source, facts: NonNullable<SourceReport["facts"]>): SourceReport {
  const state = SourceState.OK;
  return {
    source,
    state,
    reason: "",
    monotonicMs: 0,
    durationUs: 400,
    damaged: [],
    delta: false,
    goneMinors: [],
    facts,
  };
}
