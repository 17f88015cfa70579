/**
 * One story for the tests of the command line: the resync of web1.example/0 stalled at 62 %, and Vigie is healing it.
 * Only tests import it.
 */
import {
  ActionOutcome,
  Condition,
  ConnectionState,
  type DeepPartial,
  DiskState,
  DrbdEnd,
  type DrbdMinor,
  GetIncidentResponse,
  GetStatusResponse,
  Health,
  Incident,
  IncidentKind,
  IncidentState,
  ListNodesResponse,
  ListResourcesResponse,
  Plan,
  ResourceStatus,
  Role,
  Run,
  RunEventKind,
  RunState,
  Severity,
  Source,
  SourceState,
  StepKind,
  WatchResponse,
} from "@vigie/proto";

export const START = 1_795_313_101_000; // 2026-11-22 02:05:01 UTC
export const NOW = START + 14_000;
const HASH = "9f2c4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5";

const SOURCE_MINOR: DeepPartial<DrbdMinor> = {
  minor: 18,
  connection: ConnectionState.SYNC_SOURCE,
  role: Role.PRIMARY,
  peerRole: Role.SECONDARY,
  disk: DiskState.UP_TO_DATE,
  peerDisk: DiskState.INCONSISTENT,
  pending: 3,
  outOfSyncKib: 396_288,
  resync: {
    donePercent: 62.2,
    leftKib: 396_288,
    totalKib: 1_048_576,
    speedKibPerS: 0,
    kernelSaysStalled: false,
  },
};
const TARGET_MINOR: DeepPartial<DrbdMinor> = {
  ...SOURCE_MINOR,
  minor: 27,
  connection: ConnectionState.SYNC_TARGET,
  role: Role.SECONDARY,
  peerRole: Role.PRIMARY,
  disk: DiskState.INCONSISTENT,
  peerDisk: DiskState.UP_TO_DATE,
  pending: 0,
};
const CONNECTED: DeepPartial<DrbdMinor> = {
  connection: ConnectionState.CONNECTED,
  role: Role.PRIMARY,
  peerRole: Role.SECONDARY,
  disk: DiskState.UP_TO_DATE,
  peerDisk: DiskState.UP_TO_DATE,
  outOfSyncKib: 0,
};

export const STALLED = ResourceStatus.fromPartial({
  instance: "web1.example",
  diskIndex: 0,
  port: 12_589,
  health: Health.STALLED,
  sizeMib: 1024,
  ends: [
    { node: "h1.example", minor: 18, fresh: true, ageMs: 400, drbd: SOURCE_MINOR, stillMs: 12_300 },
    { node: "h2.example", minor: 27, fresh: true, ageMs: 900, drbd: TARGET_MINOR, stillMs: 12_900 },
  ],
});
const HEALTHY = ResourceStatus.fromPartial({
  instance: "mail.example",
  diskIndex: 0,
  port: 11_004,
  health: Health.OK,
  sizeMib: 20_480,
  ends: [
    { node: "h2.example", minor: 3, fresh: true, ageMs: 400, drbd: CONNECTED },
    { node: "h3.example", minor: 1, fresh: true, ageMs: 400, drbd: CONNECTED },
  ],
});
const UNKNOWN = ResourceStatus.fromPartial({
  instance: "a-customer-with-a-long-name.hosting.example",
  diskIndex: 1,
  port: 11_020,
  health: Health.UNKNOWN,
  sizeMib: 512_000,
  ends: [
    { node: "h2.example", minor: 4, fresh: true, ageMs: 400, drbd: CONNECTED },
    { node: "h4.example", minor: 9, fresh: false, ageMs: 90_000, unknownReason: "no report for 1 min 30 s" },
  ],
});
export const RESOURCES = ListResourcesResponse.fromPartial({ resources: [HEALTHY, UNKNOWN, STALLED] });

const END = DrbdEnd.fromPartial({
  instance: "web1.example",
  diskIndex: 0,
  node: "h1.example",
  minor: 18,
  peerNode: "h2.example",
  peerMinor: 27,
  localAddress: "10.0.0.1",
  peerAddress: "10.0.0.2",
  port: 12_589,
  dataLv: "kvmvg/5f1e.disk0_data",
});
const PEER_END = DrbdEnd.fromPartial({
  ...END,
  node: "h2.example",
  minor: 27,
  peerNode: "h1.example",
  peerMinor: 18,
  localAddress: "10.0.0.2",
  peerAddress: "10.0.0.1",
});

export const PLAN = Plan.fromPartial({
  hash: HASH,
  runbook: "reset-stalled-sync",
  runbookVersion: 1,
  incidentId: "i-01kax9",
  end: END,
  peerEnd: PEER_END,
  configSerial: 42,
  plannedUnixMs: START + 10_000,
  steps: [
    {
      id: "cut-link",
      kind: StepKind.ACT,
      title: "refuse the DRBD connection, both directions",
      node: "h1.example",
      condition: Condition.CUT_STANDS,
      deadlineMs: 5_000,
      action: { $case: "cutDrbdLink", value: { end: END, ttlS: 30, minStillMs: 5_000, peer: undefined } },
      manualCommands: ["h1.example# ipset add vigie-cuts 10.0.0.2,tcp:12589 timeout 30"],
      undoStepId: "restore-link",
    },
    {
      id: "await-link-down",
      kind: StepKind.WAIT,
      title: "both ends notice",
      node: "h1.example",
      condition: Condition.LINK_DOWN,
      deadlineMs: 25_000,
    },
    {
      id: "restore-link",
      kind: StepKind.ACT,
      title: "allow the DRBD connection again",
      node: "h1.example",
      condition: Condition.CUT_GONE,
      deadlineMs: 5_000,
      action: { $case: "restoreDrbdLink", value: { end: END } },
      manualCommands: ["h1.example# ipset del vigie-cuts 10.0.0.2,tcp:12589 -exist"],
    },
    {
      id: "await-resync",
      kind: StepKind.WAIT,
      title: "the resync moves again",
      node: "h1.example",
      condition: Condition.RESYNC_MOVES,
      deadlineMs: 60_000,
    },
  ],
});
export const PLANNED = Run.fromPartial({ id: "r-01kaxb", plan: PLAN, state: RunState.AWAITING_APPROVAL });
export const REFUSED = Run.fromPartial({
  ...PLANNED,
  plan: { ...PLAN, refusals: ["h2.example's report is 3.1 s old, and may be 2 s at most (I7)"] },
});

export const RUN = Run.fromPartial({
  id: "r-01kaxb",
  plan: PLAN,
  state: RunState.RUNNING,
  approvedBy: "policy",
  events: [
    { sequence: 1, unixMs: START + 10_000, kind: RunEventKind.PLANNED, actor: "policy" },
    {
      sequence: 2,
      unixMs: START + 10_050,
      kind: RunEventKind.APPROVED,
      actor: "policy",
      text: "stalled-sync is auto",
    },
    {
      sequence: 3,
      unixMs: START + 10_100,
      kind: RunEventKind.STEP_INTENT,
      stepId: "cut-link",
      attempt: 1,
      actor: "engine",
    },
    {
      sequence: 4,
      unixMs: START + 10_480,
      kind: RunEventKind.STEP_RESULT,
      stepId: "cut-link",
      attempt: 1,
      actor: "engine",
      result: {
        outcome: ActionOutcome.DONE,
        guard: [
          { name: "cs", value: "SyncSource", holds: true, invariant: "" },
          { name: "peer report age", value: "0.9 s", holds: true, invariant: "I7" },
        ],
        commands: [
          {
            argv: [
              "/usr/sbin/ipset",
              "add",
              "vigie-cuts",
              "10.0.0.2,tcp:12589",
              "timeout",
              "30",
              "comment",
              "run r-01kaxb",
            ],
            exitCode: 0,
            output: "",
            durationMs: 12,
          },
        ],
      },
    },
    {
      sequence: 5,
      unixMs: START + 10_900,
      kind: RunEventKind.STEP_VERIFIED,
      stepId: "cut-link",
      attempt: 1,
      actor: "engine",
    },
    {
      sequence: 6,
      unixMs: START + 11_000,
      kind: RunEventKind.STEP_INTENT,
      stepId: "await-link-down",
      attempt: 1,
      actor: "engine",
    },
  ],
});
export const FAILED_RUN = Run.fromPartial({
  ...RUN,
  state: RunState.FROZEN,
  approvedBy: "laurent",
  events: [
    ...RUN.events.slice(0, 3),
    {
      sequence: 4,
      unixMs: START + 15_480,
      kind: RunEventKind.STEP_RESULT,
      stepId: "cut-link",
      attempt: 2,
      actor: "engine",
      result: {
        outcome: ActionOutcome.REFUSED,
        code: "GUARD_REFUSED",
        message: "the peer's report is too old",
        guard: [{ name: "peer report age", value: "3.1 s", holds: false, invariant: "I7" }],
        commands: [
          {
            argv: ["/usr/sbin/ipset", "list", "vigie-cuts"],
            exitCode: 1,
            output: "no such set\nat all\n",
            durationMs: 30_000,
          },
        ],
      },
    },
  ],
});

export const INCIDENT = Incident.fromPartial({
  id: "i-01kax9",
  kind: IncidentKind.STALLED_SYNC,
  severity: Severity.CRITICAL,
  state: IncidentState.HEALING,
  subject: { instance: "web1.example", diskIndex: 0 },
  summary: "the resync from h1.example to h2.example has not moved for 8.2 s on both ends",
  evidence: [
    { node: "h1.example", ageMs: 400, drbd: SOURCE_MINOR, stillMs: 8_200 },
    { node: "h2.example", ageMs: 900, drbd: TARGET_MINOR, stillMs: 8_900, text: "nothing received since" },
  ],
  decision: [
    "stalled-sync is auto by policy",
    "both ends report, and agree",
    "no run holds web1.example, h1.example or h2.example",
  ],
  runId: "r-01kaxb",
  openedUnixMs: START + 8_200,
  lastProgressUnixMs: START,
  events: [
    { unixMs: START + 8_200, text: "opened: no progress for 8.2 s on both ends" },
    { unixMs: START + 10_000, text: "run r-01kaxb planned: reset-stalled-sync" },
    { unixMs: START + 10_900, text: "cut-link is seen in the world" },
  ],
  manualCommands: [
    "h1.example# iptables -I INPUT -p tcp -s 10.0.0.2 --dport 12589 -j REJECT --reject-with tcp-reset",
    "h1.example# iptables -D INPUT -p tcp -s 10.0.0.2 --dport 12589 -j REJECT --reject-with tcp-reset",
  ],
});
export const SILENT = Incident.fromPartial({
  id: "i-01kaw3",
  kind: IncidentKind.NODE_SILENT,
  severity: Severity.WARNING,
  state: IncidentState.NEEDS_PERSON,
  subject: { node: "h4.example" },
  summary: "no report from h4.example for 1 min 30 s",
  openedUnixMs: START - 90_000,
});
export const INCIDENT_SHOWN = GetIncidentResponse.fromPartial({ incident: INCIDENT, now: [STALLED] });

export const NODES = ListNodesResponse.fromPartial({
  nodes: [
    {
      name: "h1.example",
      reporting: true,
      reportAgeMs: 400,
      role: "M",
      agentVersion: "0.1.0",
      drbdVersion: "8.4.11",
      minors: 19,
      instancesPrimary: 10,
      instancesSecondary: 9,
      vgSizeBytes: 2 ** 40,
      vgFreeBytes: 2 ** 38,
      sources: [{ source: Source.PROC_DRBD, state: SourceState.OK }],
    },
    {
      name: "h2.example",
      reporting: true,
      reportAgeMs: 900,
      role: "C",
      agentVersion: "0.1.0",
      drbdVersion: "8.4.11",
      minors: 28,
      sources: [
        {
          source: Source.PROC_DRBD,
          state: SourceState.OK,
          damaged: [{ line: 9, reason: 'unknown connection state "Conn3cted"', minor: 7 }],
        },
        { source: Source.LVM, state: SourceState.FAILED, reason: "vgs did not end within 10 s" },
      ],
    },
    {
      name: "h4.example",
      reporting: false,
      reportAgeMs: 90_000,
      role: "R",
      minors: 9,
      agentVersion: "0.1.0",
    },
  ],
});
export const STATUS = GetStatusResponse.fromPartial({
  cluster: "cluster.example",
  orchestratorNode: "h1.example",
  version: "0.1.0",
  leadership: { leads: true, epoch: 7, votes: 2, voters: 3 },
  nodesTotal: 3,
  nodesReporting: 2,
  instancesTotal: 3,
  resourcesTotal: 3,
  resourcesHealthy: 1,
  resourcesUnknown: 1,
  incidentsOpen: 2,
  runsOpen: 1,
  auditHead: "ab12cd34ef56ab78",
  auditIntact: true,
});

export const EVENTS: readonly WatchResponse[] = [
  WatchResponse.fromPartial({
    cursor: 11,
    unixMs: START + 8_200,
    event: { $case: "incident", value: INCIDENT },
  }),
  WatchResponse.fromPartial({
    cursor: 12,
    unixMs: START + 10_480,
    event: {
      $case: "run",
      value: { runId: RUN.id, runbook: "reset-stalled-sync", state: RunState.RUNNING, event: RUN.events[3] },
    },
  }),
  WatchResponse.fromPartial({
    cursor: 13,
    unixMs: START + 12_000,
    event: { $case: "node", value: { node: "h4.example", reporting: false, text: "no report for 5 s" } },
  }),
  WatchResponse.fromPartial({
    cursor: 14,
    unixMs: START + 13_000,
    event: {
      $case: "leadership",
      value: { leads: false, epoch: 7, votes: 1, voters: 3, reason: "no majority" },
    },
  }),
];
