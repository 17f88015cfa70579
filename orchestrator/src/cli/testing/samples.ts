/**
 * One story for the tests of the command line: the resync of web1.example/0 stalled at 62 %, and Vigie is healing it.
 * Only tests import it.
 */
import {
  ActionOutcome,
  BeginMaintenanceResponse,
  ConnectionState,
  type DeepPartial,
  DiskIdentity,
  DiskState,
  DrbdEnd,
  type DrbdMinor,
  GetHoldersResponse,
  GetIncidentResponse,
  GetStatusResponse,
  Health,
  HolderKind,
  Incident,
  IncidentKind,
  IncidentState,
  ListChannelsResponse,
  ListInstancesResponse,
  ListLocksResponse,
  ListNodesResponse,
  ListResourcesResponse,
  ListRunbooksResponse,
  Maintenance,
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
  subject: "web1.example disk/0",
  parameters: [
    { name: "instance", value: "web1.example" },
    { name: "disk", value: "0" },
  ],
  configSerials: [
    { kind: "instance", name: "web1.example", serial: 42 },
    { kind: "node", name: "h1.example", serial: 7 },
  ],
  locks: ["instance web1.example", "node h1.example", "pair h1.example h2.example"],
  notes: ["web1.example runs on h1.example; it goes on meanwhile"],
  destructive: true,
  plannedUnixMs: START + 10_000,
  steps: [
    {
      id: "cut-link",
      kind: StepKind.ACT,
      title: "refuse the DRBD connection, both directions",
      node: "h1.example",
      condition: { what: { $case: "cutStands", value: { end: END } } },
      deadlineMs: 5_000,
      action: { kind: { $case: "cutDrbdLink", value: { end: END, ttlS: 30, minStillMs: 5_000 } } },
      manualCommands: ["h1.example# echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN"],
      undoStepId: "restore-link",
    },
    {
      id: "await-link-down",
      kind: StepKind.WAIT,
      title: "both ends notice",
      node: "h1.example",
      condition: { what: { $case: "linkDown", value: { end: END, peerEnd: PEER_END } } },
      deadlineMs: 25_000,
    },
    {
      id: "restore-link",
      kind: StepKind.ACT,
      title: "allow the DRBD connection again",
      node: "h1.example",
      condition: { what: { $case: "cutGone", value: { end: END } } },
      deadlineMs: 5_000,
      action: { kind: { $case: "restoreDrbdLink", value: { end: END } } },
      manualCommands: ["h1.example# echo -10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN"],
    },
    {
      id: "await-resync",
      kind: StepKind.WAIT,
      title: "the resync moves again",
      node: "h1.example",
      condition: { what: { $case: "resyncMoves", value: { end: END, peerEnd: PEER_END } } },
      deadlineMs: 60_000,
    },
  ],
});
export const PLANNED = Run.fromPartial({ id: "r-01kaxb", plan: PLAN, state: RunState.AWAITING_APPROVAL });
export const REFUSED = Run.fromPartial({
  ...PLANNED,
  state: RunState.PLANNED,
  plan: {
    ...PLAN,
    refusals: ["h2.example is StandAlone: a person decides (I8)"],
    wayOut: ["vigie do resolve-split-brain web1.example"],
  },
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
            argv: ["echo", "+10.0.0.2", ">", "/proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,r-01kaxb"],
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
/** The same run at its end. */
export const SUCCEEDED_RUN = Run.fromPartial({
  ...RUN,
  state: RunState.SUCCEEDED,
  events: [
    ...RUN.events,
    row(7, 12_000, RunEventKind.STEP_VERIFIED, "await-link-down", "both ends in WFConnection"),
    row(8, 12_100, RunEventKind.STEP_VERIFIED, "restore-link", "the kernel lists no cut"),
    row(9, 25_000, RunEventKind.STEP_VERIFIED, "await-resync", "both ends progress"),
    {
      sequence: 10,
      unixMs: START + 25_100,
      kind: RunEventKind.ENDED,
      state: RunState.SUCCEEDED,
      actor: "engine",
      text: "every step was seen in the world",
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
            argv: ["/usr/sbin/iptables", "-w", "3", "-S", "VIGIE-CUT-12589"],
            exitCode: 1,
            output: "no such chain\nat all\n",
            durationMs: 30_000,
          },
        ],
      },
    },
  ],
});

const DISK = DiskIdentity.fromPartial({ node: "h2.example", name: "sdb", wwid: "naa.5000c500a1b2c3d4" });
const redundant = {
  what: { $case: "redundant", value: { instance: "web1.example", forMs: 2_000 } },
} as const;

/** Everything that a plan can have: a condition, a step without a way back, waits without a limit, a person. */
export const RETIRE = Plan.fromPartial({
  hash: HASH.replace("9f2c", "71aa"),
  runbook: "retire-disk",
  runbookVersion: 1,
  subject: "h2.example sdb",
  parameters: [
    { name: "node", value: "h2.example" },
    { name: "disk", value: "sdb" },
  ],
  configSerials: [{ kind: "node", name: "h2.example", serial: 9 }],
  plannedUnixMs: START + 10_000,
  locks: ["disk 5f1e", "instance web1.example", "node h2.example", "pair h1.example h2.example"],
  notes: [
    "web1.example disk/0 lives from h1.example alone until its second copy is made anew",
    "ST4000NM0033 serial Z1Z2ABCD, 4.0 TB, 3 reallocated sectors an hour",
  ],
  typedWord: "h2.example",
  destructive: true,
  steps: [
    {
      id: "pause-watcher",
      kind: StepKind.ACT,
      title: "pause Ganeti's watcher for at most 4 h",
      condition: { what: { $case: "watcherPaused", value: { paused: true } } },
      deadlineMs: 15_000,
      action: { kind: { $case: "pauseWatcher", value: { forS: 14_400 } } },
      manualCommands: ["h1.example# gnt-cluster watcher pause 14400s"],
      undoStepId: "continue-watcher",
    },
    {
      id: "move-away",
      kind: StepKind.ACT,
      title: "migrate web1.example to h1.example",
      onlyIf: {
        what: {
          $case: "instanceOn",
          value: { instance: "web1.example", node: "h2.example", running: true },
        },
      },
      requires: redundant,
      condition: {
        what: {
          $case: "allOf",
          value: {
            conditions: [
              { what: { $case: "jobSucceeded", value: { stepId: "move-away" } } },
              {
                what: {
                  $case: "instanceOn",
                  value: { instance: "web1.example", node: "h1.example", running: true },
                },
              },
            ],
          },
        },
      },
      deadlineMs: 1_800_000,
      action: {
        kind: {
          $case: "submitGanetiJob",
          value: { job: { $case: "migrateInstance", value: { instance: "web1.example" } } },
        },
      },
      manualCommands: ["h1.example# gnt-instance migrate -f web1.example"],
    },
    {
      id: "set-offline",
      kind: StepKind.ACT,
      title: "give sdb no more I/O",
      node: "h2.example",
      holds: { what: { $case: "diskInState", value: { disk: DISK, state: "offline" } } },
      condition: { what: { $case: "diskInState", value: { disk: DISK, state: "offline" } } },
      deadlineMs: 10_000,
      action: { kind: { $case: "setDiskOffline", value: { disk: DISK } } },
      manualCommands: ["h2.example# echo offline > /sys/block/sdb/device/state"],
      irreversible: true,
    },
    {
      id: "pull-it-out",
      kind: StepKind.WAIT,
      title: "the disk is pulled out, and a new one is in",
      node: "h2.example",
      condition: {
        what: { $case: "personSays", value: { question: "is the new disk in slot 3 of h2.example?" } },
      },
      manualCommands: ["h2.example# lsblk -S"],
    },
    {
      id: "await-redundant",
      kind: StepKind.WAIT,
      title: "every disk of web1.example is redundant again",
      node: "h1.example",
      condition: redundant,
      manualCommands: ["h1.example# grep -A3 '^ *18: cs:' /proc/drbd"],
    },
    {
      id: "continue-watcher",
      kind: StepKind.ACT,
      title: "let Ganeti's watcher go on",
      condition: { what: { $case: "watcherPaused", value: { paused: false } } },
      deadlineMs: 15_000,
      action: { kind: { $case: "continueWatcher", value: {} } },
      manualCommands: ["h1.example# gnt-cluster watcher continue"],
      onlyAsUndo: true,
    },
  ],
});
export const RETIRE_PLANNED = Run.fromPartial({
  id: "r-01kaxd",
  plan: RETIRE,
  state: RunState.AWAITING_APPROVAL,
});
const RETIRE_BEGUN = [
  { sequence: 1, unixMs: START, kind: RunEventKind.PLANNED, actor: "laurent" },
  { sequence: 2, unixMs: START + 4_000, kind: RunEventKind.APPROVED, actor: "laurent" },
  row(3, 4_100, RunEventKind.STEP_INTENT, "pause-watcher", "pause Ganeti's watcher for at most 4 h"),
  row(4, 5_000, RunEventKind.STEP_VERIFIED, "pause-watcher", "Ganeti's watcher is paused"),
  row(5, 5_100, RunEventKind.STEP_SKIPPED, "move-away", "not needed: web1.example runs on h1.example"),
  row(6, 5_200, RunEventKind.STEP_INTENT, "set-offline", "give sdb no more I/O"),
  row(7, 6_000, RunEventKind.STEP_VERIFIED, "set-offline", "the kernel has sdb offline"),
];
export const ASKING_RUN = Run.fromPartial({
  id: "r-01kaxd",
  plan: RETIRE,
  state: RunState.WAITING,
  approvedBy: "laurent",
  events: [...RETIRE_BEGUN, row(8, 11_000, RunEventKind.STEP_WAITING, "pull-it-out", "")],
  progress: { stepId: "pull-it-out" },
});
export const WAITING_RUN = Run.fromPartial({
  ...ASKING_RUN,
  id: "r-01kaxe",
  events: [
    ...ASKING_RUN.events,
    { ...row(9, 900_000, RunEventKind.PERSON_SAID, "pull-it-out", "yes"), actor: "laurent" },
    row(10, 900_100, RunEventKind.STEP_VERIFIED, "pull-it-out", "laurent says so"),
    ...["- INFO: Checking disk/0", ...percentages(7)].map((text, n) =>
      row(11 + n, 901_000 + n * 60_000, RunEventKind.STEP_LOG, "await-redundant", text),
    ),
    row(20, 1_400_000, RunEventKind.STEP_WAITING, "await-redundant", "resync 0.4 %, 3719 GiB left"),
  ],
  progress: {
    stepId: "await-redundant",
    text: "resync 42.0 %, 2167 GiB left, 54.0 MiB/s",
    donePercent: 42,
    finishUnixMs: NOW + 7_800_000,
    kibPerS: 55_296,
    runFinishUnixMs: 0,
  },
});

function row(sequence: number, afterMs: number, kind: RunEventKind, stepId: string, text: string) {
  return { sequence, unixMs: START + afterMs, kind, stepId, attempt: 1, text, actor: "engine" };
}

function percentages(n: number): string[] {
  return Array.from({ length: n }, (_, at) => `- device disk/0: ${at}.00% done`);
}

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
export const ACKNOWLEDGED = Incident.fromPartial({
  ...SILENT,
  acknowledgement: { person: "laurent", reason: "on my way", unixMs: NOW - 60_000 },
});
export const MAINTENANCE = Maintenance.fromPartial({
  node: "h4.example",
  begunUnixMs: START - 120_000,
  untilUnixMs: START + 7_080_000,
  person: "laurent",
  reason: "new firmware",
});
/** As it looks while that maintenance lasts. */
export const EXPECTED = Incident.fromPartial({
  ...SILENT,
  state: IncidentState.OPEN,
  maintenance: { node: "h4.example", untilUnixMs: MAINTENANCE.untilUnixMs },
});
export const BEGUN = BeginMaintenanceResponse.fromPartial({
  maintenance: MAINTENANCE,
  warnings: ["mail.example runs there: gnt-node migrate h4.example"],
  unawareNodes: ["h2.example"],
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

export const RUNBOOKS = ListRunbooksResponse.fromPartial({
  runbooks: [
    {
      name: "reset-stalled-sync",
      version: 1,
      summary: "reset the TCP connection of a resync that does not move",
      parameters: [
        { name: "instance", summary: "Ganeti's name of the instance", required: true },
        { name: "disk", summary: "N of disk/N; needed where more than one resyncs" },
      ],
      explanation: [
        "Cuts the one DRBD connection of a disk until both ends wait for a connection, and lets it back.",
        "",
        "By hand, as the wiki tells it, on the Primary's node:",
        "  iptables -I INPUT -p tcp --dport PORT -j REJECT --reject-with tcp-reset",
      ],
    },
    {
      name: "rebuild-redundancy",
      version: 1,
      summary: "make a new second copy of each disk that has lost one, one instance after the other",
      parameters: [
        { name: "target", summary: "a node, or instances with commas between; without: the cluster" },
        { name: "at_once", summary: "how many resyncs at once, 1 to 4; 1 unless given" },
      ],
    },
  ],
});

export const INSTANCES = ListInstancesResponse.fromPartial({
  instances: [
    {
      instance: {
        name: "mail.example",
        primaryNode: "h2.example",
        secondaryNodes: ["h3.example"],
        adminState: "up",
        status: "running",
        diskTemplate: "drbd",
        disks: [{}],
        serial: 12,
      },
      health: Health.OK,
    },
    {
      instance: {
        name: "web1.example",
        primaryNode: "h1.example",
        secondaryNodes: ["h2.example"],
        adminState: "up",
        status: "",
        diskTemplate: "drbd",
        disks: [{}],
        serial: 42,
        tags: ["customer:42"],
      },
      health: Health.STALLED,
    },
    {
      instance: {
        name: "build.example",
        primaryNode: "h1.example",
        adminState: "down",
        status: "ADMIN_down",
        diskTemplate: "plain",
        disks: [{}, {}],
        serial: 3,
      },
    },
  ],
});
export const HOLDERS = GetHoldersResponse.fromPartial({
  instance: "web1.example",
  holders: [
    {
      kind: HolderKind.MAP,
      name: "drbd45p1",
      detail: "part1-mpath-drbd45",
      kpartx: true,
      openCount: 1,
    },
    { kind: HolderKind.MOUNT, name: "/mnt/rescue", detail: "/dev/mapper/drbd45p1" },
    { kind: HolderKind.PROCESS, name: "bash", pid: 8_123, detail: "-bash, in /mnt/rescue" },
  ],
  manualCommands: ["h2.example# umount /mnt/rescue", "h2.example# kpartx -d /dev/drbd45"],
});
export const LOCKS = ListLocksResponse.fromPartial({
  locks: [
    {
      name: "instance web1.example",
      runId: "r-01kaxb",
      person: "policy",
      sinceUnixMs: START + 10_050,
      expiresUnixMs: NOW + 3_600_000,
    },
    { name: "pair h1.example h2.example", runId: "r-01kaxa", person: "laurent", sinceUnixMs: START },
  ],
});

export const CHANNELS = ListChannelsResponse.fromPartial({
  channels: [
    { name: "ops", type: "mail", deliveredUnixMs: START - 3_600_000 },
    {
      name: "pager",
      type: "webhook",
      deliveredUnixMs: START - 7_200_000,
      waiting: 4,
      failingSinceUnixMs: START - 1_800_000,
      reason: "connect ECONNREFUSED 192.0.2.7:443",
      cannotDeliver: true,
    },
  ],
});
