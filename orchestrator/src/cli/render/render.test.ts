/** Golden screens: one story (samples.ts), every rendering, as a person sees it. */
import { createColors } from "picocolors";
import { AuditRecord, IncidentState, ListIncidentsResponse, ListRunsResponse, RunState } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import * as sample from "../testing/samples.js";
import { renderAudit } from "./audit.js";
import { renderIncident } from "./incident.js";
import { renderIncidents } from "./incidents.js";
import { renderBegun, renderEnded, renderMaintenances } from "./maintenance.js";
import { renderNodes } from "./nodes.js";
import { renderPlan } from "./plan.js";
import { renderResources } from "./resources.js";
import { renderRun } from "./run.js";
import { renderRuns } from "./runs.js";
import type { Screen } from "./screen.js";
import type { StatusView } from "./status-view.js";
import { renderStatus } from "./status.js";
import { renderWatchEvent } from "./watch.js";

function screen(width?: number): Screen {
  return { width, colour: createColors(false), now: sample.NOW, timeZone: "UTC" };
}

const VIEW: StatusView = {
  status: sample.STATUS,
  health: { ok: 1, resyncing: 0, degraded: 0, stalled: 1, unknown: 1, inactive: 0 },
  unexplained: { unknown: 1, degraded: 0 },
  resyncedUnixMs: 0,
  nodes: sample.NODES.nodes,
  incidents: [sample.INCIDENT, sample.SILENT],
  runs: [sample.RUN],
};

test("status: what is wrong, what is done, what to type next", () => {
  expect(renderStatus(VIEW, screen(100))).toMatchInlineSnapshot(`
    "cluster.example  vigie 0.1.0 on h1.example  2026-11-22 02:05:15 UTC

    leadership  leads with epoch 7, 2 of 3 votes
    nodes       2 of 3 reporting (h2.example partly, h4.example silent), 3 instances
    disks       3 mirrored: 1 healthy, 0 resyncing, 0 degraded, 1 stalled, 1 unknown
    audit       intact
    notify      nobody is notified: there is no [[notify]] block in /etc/vigie/orchestrator.toml

    Open incidents (2)
      i-01kax9  critical  stalled-sync  web1.example/0  healing       for 5.8 s
          the resync from h1.example to h2.example has not moved for 8.2 s on both ends
      i-01kaw3  warning   node-silent   h4.example      needs-person  for 1 min 44 s
          no report from h4.example for 1 min 30 s

    Open runs (1)
      r-01kaxb  reset-stalled-sync for web1.example disk/0  running, step 2 of 4: both ends notice

    Next
      vigie incident show i-01kaw3      waits for a person
      vigie incident show i-01kax9      evidence and reasons
      vigie resources --health unknown  which disks nothing is known of
      vigie nodes                       which nodes are silent
      vigie run follow r-01kaxb         follow it live
    "
  `);
});

test("status tells when the resyncs that run will be done, and what is degraded before there is an incident", () => {
  const busy: StatusView = {
    ...VIEW,
    status: { ...sample.STATUS, incidentsOpen: 0, runsOpen: 0 },
    health: { ok: 1, resyncing: 1, degraded: 1, stalled: 0, unknown: 0, inactive: 0 },
    unexplained: { unknown: 0, degraded: 1 },
    resyncedUnixMs: sample.NOW + 7_800_000,
    nodes: [],
    incidents: [],
    runs: [],
  };
  const lines = renderStatus(busy, screen(100)).split("\n");
  expect(lines).toContain("resyncs     done about 04:15 UTC (in 2 h 10 min)");
  expect(lines.at(-2)).toBe("  vigie resources  which disks have one copy only; no incident yet");
});

test("status of a cluster where all is well is short", () => {
  const quiet: StatusView = {
    status: { ...sample.STATUS, nodesReporting: 3, incidentsOpen: 0, runsOpen: 0 },
    health: { ok: 3, resyncing: 0, degraded: 0, stalled: 0, unknown: 0, inactive: 0 },
    unexplained: { unknown: 0, degraded: 0 },
    resyncedUnixMs: 0,
    nodes: [],
    incidents: [],
    runs: [],
  };
  expect(renderStatus(quiet, screen(100))).toMatchInlineSnapshot(`
    "cluster.example  vigie 0.1.0 on h1.example  2026-11-22 02:05:15 UTC

    leadership  leads with epoch 7, 2 of 3 votes
    nodes       3 of 3 reporting, 3 instances
    disks       3 mirrored: 3 healthy, 0 resyncing, 0 degraded, 0 stalled, 0 unknown
    audit       intact
    notify      nobody is notified: there is no [[notify]] block in /etc/vigie/orchestrator.toml

    Next
      Nothing to do.
    "
  `);
});

test("status under maintenance says until when, dims what is expected, and has nothing to do about it", () => {
  const planned: StatusView = {
    ...VIEW,
    status: {
      ...sample.STATUS,
      incidentsOpen: 1,
      incidentsQuiet: 1,
      runsOpen: 0,
      maintenances: [sample.MAINTENANCE],
    },
    health: { ok: 2, resyncing: 0, degraded: 0, stalled: 0, unknown: 1, inactive: 0 },
    unexplained: { unknown: 0, degraded: 0 },
    nodes: sample.NODES.nodes.map((it) =>
      it.name === "h4.example" ? { ...it, maintenance: sample.MAINTENANCE } : it,
    ),
    incidents: [sample.EXPECTED],
    runs: [],
  };
  expect(renderStatus(planned, screen(100))).toMatchInlineSnapshot(`
    "cluster.example  vigie 0.1.0 on h1.example  2026-11-22 02:05:15 UTC

    leadership  leads with epoch 7, 2 of 3 votes
    nodes       2 of 3 reporting (h2.example partly, h4.example silent, under maintenance), 3 instances
    disks       3 mirrored: 2 healthy, 0 resyncing, 0 degraded, 0 stalled, 1 unknown
    audit       intact
    notify      nobody is notified: there is no [[notify]] block in /etc/vigie/orchestrator.toml
    maintenance h4.example until 04:03 UTC (1 h 57 min left), by laurent: new firmware
    quiet       1 incident that nobody is told of now

    Open incidents (1)
      i-01kaw3  warning   node-silent  h4.example  maintenance  for 1 min 44 s
          no report from h4.example for 1 min 30 s

    Next
      Nothing to do.
    "
  `);
});

test("a maintenance that begins, ends, and is listed", () => {
  expect(renderBegun(sample.BEGUN, screen(100))).toMatchInlineSnapshot(`
    "h4.example is under maintenance until 2026-11-22 04:03:01 UTC (1 h 57 min).
    What is expected of its absence notifies nobody until then; all else is told as ever.

    Before it goes
      - mail.example runs there: gnt-node migrate h4.example

    Not confirmed by h2.example, which would, as master, tell all the same.

    Next
      vigie maintenance end h4.example             it is done
      vigie maintenance begin h4.example --for 1h  it takes longer
    "
  `);
  const ended = { maintenance: sample.MAINTENANCE, stillOpen: [sample.SILENT], unawareNodes: [] };
  expect(renderEnded(ended, screen(100))).toMatchInlineSnapshot(`
    "The maintenance of h4.example is over.

    Still open, and told from now on (1)
      i-01kaw3  warning   node-silent  h4.example  needs-person  for 1 min 44 s
          no report from h4.example for 1 min 30 s
    "
  `);
  expect(renderEnded({ ...ended, stillOpen: [] }, screen(100))).toMatchInlineSnapshot(`
    "The maintenance of h4.example is over.
    Nothing that it explained is open.
    "
  `);
  const maintenances = [{ maintenance: sample.MAINTENANCE, incidents: 2 }];
  expect(renderMaintenances({ maintenances }, screen(100))).toMatchInlineSnapshot(`
    "NODE        UNTIL            LEFT  BY       INCIDENTS  REASON
    h4.example  04:03 UTC  1 h 57 min  laurent          2  new firmware
    "
  `);
  expect(renderMaintenances({ maintenances: [] }, screen(100))).toBe("No node is under maintenance.\n");
});

test("an incident shows who said what of it, and the list of incidents in one word", () => {
  const snoozed = {
    ...sample.SILENT,
    snooze: { person: "laurent", reason: "", unixMs: sample.NOW, untilUnixMs: sample.NOW + 14_400_000 },
  };
  const shown = [sample.ACKNOWLEDGED, snoozed, sample.EXPECTED];
  const heads = shown.map((incident) => renderIncident({ incident, now: [] }, screen(100)).split("\n")[3]);
  expect(heads).toEqual([
    "acknowledged by laurent, at 02:04 UTC: on my way",
    "snoozed until 06:05 UTC by laurent, at 02:05 UTC",
    "h4.example is under maintenance until 04:03 UTC: this is expected",
  ]);
  const list = renderIncidents(ListIncidentsResponse.create({ incidents: shown }), screen(100));
  expect(list.match(/needs-person, acked|snoozed|maintenance/g)).toEqual([
    "needs-person, acked",
    "snoozed",
    "maintenance",
  ]);
});

test("status never shows the unknown in green, nor a silent node", () => {
  const text = renderStatus(VIEW, { ...screen(100), colour: createColors(true) });
  expect(text).toContain("\u001b[35m1 unknown\u001b[39m");
  expect(text).toContain("\u001b[35m2 of 3 reporting\u001b[39m");
});

test("status without a majority says who may let it act; a frozen run and a broken audit come first", () => {
  const bad: StatusView = {
    ...VIEW,
    status: {
      ...sample.STATUS,
      leadership: { leads: false, epoch: 7, votes: 1, voters: 3, reason: "no majority" },
      auditIntact: false,
    },
    runs: [{ ...sample.RUN, state: RunState.FROZEN }],
  };
  const text = renderStatus(bad, screen(100));
  expect(text).toContain("does not lead, 1 of 3 votes: no majority");
  expect(text.slice(text.indexOf("Next"))).toMatchInlineSnapshot(`
    "Next
      vigie audit verify                what is wrong with the audit log
      vigie lead --reason WHY           it only watches; an admin who is sure lets it act
      vigie run show r-01kaxb           frozen, a person must look
      vigie incident show i-01kaw3      waits for a person
      vigie incident show i-01kax9      evidence and reasons
      vigie resources --health unknown  which disks nothing is known of
    "
  `);
});

test("nodes, and what cannot be read on them", () => {
  expect(renderNodes(sample.NODES, screen(100))).toMatchInlineSnapshot(`
    "NODE        STATE          REPORT  ROLE       DRBD    MINORS  PRIMARY  SECONDARY             VG FREE
    h1.example  reporting       0.4 s  master     8.4.11      19       10          9  256 GiB of 1.0 TiB
    h2.example  partly          0.9 s  candidate  8.4.11      28        0          0                   -
    h4.example  silent     1 min 30 s  regular    -            9        0          0                   -

    Troubles
      h2.example: proc-drbd: 1 damaged line, line 9: unknown connection state "Conn3cted"
      h2.example: lvm failed: vgs did not end within 10 s
    "
  `);
});

describe("resources", () => {
  test("the worst first", () => {
    expect(renderResources(sample.RESOURCES, screen(140))).toMatchInlineSnapshot(`
      "DISK                          HEALTH   ENDS         CS                     DS                     WHAT                           SIZE   PORT
      web1.example/0                stalled  h1:18 h2:27  SyncSource SyncTarget  UpToDate Inconsistent  still for 12 s, 62.2 % d…   1.0 GiB  12589
      a-customer-with-a-long-name…  unknown  h2:4 h4:9    Connected ?            UpToDate ?             h4.example: no report fo…   500 GiB  11020
      mail.example/0                ok       h2:3 h3:1    Connected              UpToDate               -                          20.0 GiB  11004
      "
    `);
  });

  test("on 80 columns", () => {
    const text = renderResources(sample.RESOURCES, screen(80));
    expect(text).toMatchInlineSnapshot(`
      "DISK                             HEALTH   ENDS         WHAT
      web1.example/0                   stalled  h1:18 h2:27  still for 12 s, 62.2 % d…
      a-customer-with-a-long-name.ho…  unknown  h2:4 h4:9    h4.example: no report fo…
      mail.example/0                   ok       h2:3 h3:1    -
      "
    `);
    expect(Math.max(...text.split("\n").map((it) => it.length))).toBeLessThanOrEqual(80);
  });
});

test("incidents on 80 columns keep their ids whole", () => {
  const response = ListIncidentsResponse.fromPartial({
    incidents: [
      sample.INCIDENT,
      { ...sample.SILENT, state: IncidentState.CLOSED, closedUnixMs: sample.START },
    ],
  });
  const text = renderIncidents(response, screen(80));
  expect(text).toMatchInlineSnapshot(`
    "INCIDENT  SEVERITY  ABOUT           STATE           FOR  SUMMARY
    i-01kax9  critical  web1.example/0  healing       5.8 s  the resync from h1.exa…
    i-01kaw3  warning   h4.example      closed   1 min 30 s  no report from h4.exam…
    "
  `);
  expect(Math.max(...text.split("\n").map((it) => it.length))).toBeLessThanOrEqual(80);
});

test("incident show: both ends side by side, reasons, timeline, by hand", () => {
  expect(renderIncident(sample.INCIDENT_SHOWN, screen(100))).toMatchInlineSnapshot(`
    "i-01kax9  stalled-sync  critical  healing
    web1.example/0: the resync from h1.example to h2.example has not moved for 8.2 s on both ends
    opened 2026-11-22 02:05:09 UTC, 5.8 s ago, last progress 14 s ago, run r-01kaxb

    Evidence when it was opened
                 h1.example             h2.example
      minor      18                     27
      cs         SyncSource             SyncTarget
      ro         Primary/Secondary      Secondary/Primary
      ds         UpToDate/Inconsistent  Inconsistent/UpToDate
      oos        387 MiB                387 MiB
      pe/ua      3/0                    0/0
      done       62.2 %                 62.2 %
      left       387 MiB of 1.0 GiB     387 MiB of 1.0 GiB
      speed      0 KiB/s                0 KiB/s
      still for  8.2 s                  8.9 s
      age        0.4 s                  0.9 s
      seen                              nothing received since

    Now: web1.example/0 is stalled
                 h1.example             h2.example
      minor      18                     27
      cs         SyncSource             SyncTarget
      ro         Primary/Secondary      Secondary/Primary
      ds         UpToDate/Inconsistent  Inconsistent/UpToDate
      oos        387 MiB                387 MiB
      pe/ua      3/0                    0/0
      done       62.2 %                 62.2 %
      left       387 MiB of 1.0 GiB     387 MiB of 1.0 GiB
      speed      0 KiB/s                0 KiB/s
      still for  12 s                   12 s
      age        0.4 s                  0.9 s

    Why it was decided so
      - stalled-sync is auto by policy
      - both ends report, and agree
      - no run holds web1.example, h1.example or h2.example

    Timeline
      +0.0 s  opened: no progress for 8.2 s on both ends
      +1.8 s  run r-01kaxb planned: reset-stalled-sync
      +2.7 s  cut-link is seen in the world

    By hand
      h1.example# iptables -I INPUT -p tcp -s 10.0.0.2 --dport 12589 -j REJECT --reject-with tcp-reset
      h1.example# iptables -D INPUT -p tcp -s 10.0.0.2 --dport 12589 -j REJECT --reject-with tcp-reset

    Next
      vigie run show r-01kaxb
    "
  `);
});

test("plan: every step with its commands, what is awaited, and the way back", () => {
  expect(renderPlan(sample.PLANNED, screen(100))).toMatchInlineSnapshot(`
    "r-01kaxb  reset-stalled-sync for web1.example disk/0
      runbook   reset-stalled-sync, version 1
      with      instance=web1.example, disk=0
      incident  i-01kax9
      planned   2026-11-22 02:05:11 UTC
      made of   instance web1.example at serial 42, node h1.example at serial 7
      locks     instance web1.example, node h1.example, pair h1.example h2.example
      hash      9f2c4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5

    Know this first
      - web1.example runs on h1.example; it goes on meanwhile
      - data, redundancy or service may suffer where it goes wrong

    4 steps
      1. cut-link on h1.example: refuse the DRBD connection, both directions
           h1.example# echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN
           awaits: the kernel of h1.example lists the cut, within 5.0 s
           undo: restore-link (step 3); the kernel drops the cut by itself after 30 s
      2. await-link-down on h1.example: both ends notice
           awaits: both ends in WFConnection, within 25 s
      3. restore-link on h1.example: allow the DRBD connection again
           h1.example# echo -10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN
           awaits: the kernel of h1.example lists no cut, within 5.0 s
           undo: nothing to take back
      4. await-resync on h1.example: the resync moves again
           awaits: both ends connected, and in sync or progressing, within 1 min 00 s

    Next
      Nothing was run. To run exactly this, until 02:20:11:
      vigie approve r-01kaxb --hash 9f2c4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5
    "
  `);
});

test("a plan shows what must be known first, what cannot be taken back, and what only takes back", () => {
  expect(renderPlan(sample.RETIRE_PLANNED, screen(100))).toMatchInlineSnapshot(`
    "r-01kaxd  retire-disk for h2.example sdb
      runbook   retire-disk, version 1
      with      node=h2.example, disk=sdb
      incident  none: asked for by a person
      planned   2026-11-22 02:05:11 UTC
      made of   node h2.example at serial 9
      locks     disk 5f1e, instance web1.example, node h2.example, pair h1.example h2.example
      hash      71aa4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5

    Know this first
      - web1.example disk/0 lives from h1.example alone until its second copy is made anew
      - ST4000NM0033 serial Z1Z2ABCD, 4.0 TB, 3 reallocated sectors an hour
      - data, redundancy or service may suffer where it goes wrong
      - step 3 (set-offline) cannot be taken back
      - 2 steps may wait for hours or days
      - to approve it, a person types: h2.example

    5 steps
      1. pause-watcher on the master: pause Ganeti's watcher for at most 4 h
           h1.example# gnt-cluster watcher pause 14400s
           awaits: Ganeti's watcher is paused, within 15 s
           undo: continue-watcher (below)
      2. move-away on the master: migrate web1.example to h1.example
           if seen: web1.example runs on h2.example, and nowhere else
           h1.example# gnt-instance migrate -f web1.example
           needs: every disk of web1.example is UpToDate/UpToDate and in sync on both ends for 2.0 s
           awaits: the job of move-away has ended with success, and web1.example runs on h1.example,
             and nowhere else, within 30 min 00 s
           undo: nothing to take back
      3. set-offline on h2.example: give sdb no more I/O
           IRREVERSIBLE: once it ran, a failure freezes the run for a person
           h2.example# echo offline > /sys/block/sdb/device/state
           not sent where: the kernel has sdb of h2.example in state offline
           awaits: the kernel has sdb of h2.example in state offline, within 10 s
      4. pull-it-out on h2.example: the disk is pulled out, and a new one is in
           h2.example# lsblk -S
           asks a person: is the new disk in slot 3 of h2.example?
      5. await-redundant on h1.example: every disk of web1.example is redundant again
           h1.example# grep -A3 '^ *18: cs:' /proc/drbd
           awaits: every disk of web1.example is UpToDate/UpToDate and in sync on both ends for 2.0 s,
             without a limit

    Takes back, only if the run fails or is aborted
      -  continue-watcher on the master: let Ganeti's watcher go on
           h1.example# gnt-cluster watcher continue
           awaits: Ganeti's watcher is not paused, within 15 s
           takes back: pause-watcher

    Next
      Nothing was run. To run exactly this, until 02:20:11:
      vigie approve r-01kaxd --hash 71aa4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5 --word WORD
    "
  `);
});

test("on 80 columns sentences are broken between words, and commands are not", () => {
  const lines = renderPlan(sample.RETIRE_PLANNED, screen(80)).split("\n");
  const wide = lines.filter((it) => it.length > 80);
  expect(wide.every((it) => /# |--hash|^  hash/.test(it))).toBe(true);
  expect(lines).toContain("       if seen: web1.example runs on h2.example, and nowhere else");
});

test("a dry run is not kept: it says how to plan it again, and offers no approval", () => {
  const text = renderPlan({ ...sample.RETIRE_PLANNED, state: RunState.PLANNED }, screen(100));
  expect(text).toContain("vigie do retire-disk h2.example disk=sdb");
  expect(text).not.toContain("vigie approve");
});

test("a plan that cannot be run says why, and offers no approval", () => {
  const text = renderPlan(sample.REFUSED, screen(100));
  expect(text).toContain("It cannot be run\n  - h2.example is StandAlone: a person decides (I8)");
  expect(text).toContain("The way out\n  vigie do resolve-split-brain web1.example");
  expect(text).not.toContain("vigie approve");
});

test("run show: the timeline with commands, exit codes and guard facts", () => {
  expect(renderRun(sample.RUN, screen(100))).toMatchInlineSnapshot(`
    "r-01kaxb  reset-stalled-sync for web1.example disk/0  running, begun 4.0 s ago
      incident i-01kax9, approved by policy, hash 9f2c4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5

    Timeline
        +0.0 s  planned (policy)
        +0.1 s  approved: stalled-sync is auto (policy)
        +0.1 s  cut-link is sent
        +0.5 s  cut-link answered done
                holds    cs: SyncSource
                holds    peer report age: 0.9 s (I7)
                $ echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,r-01kaxb
                  exit 0, 12 ms
        +0.9 s  cut-link is seen in the world
        +1.0 s  await-link-down is awaited

    Next
      vigie run follow r-01kaxb          see it live
      vigie run pause r-01kaxb           halt it before its next step
      vigie abort r-01kaxb --reason WHY  end it, and take back what can be taken back
    "
  `);
});

test("a frozen run shows the guard that refused and how to go on", () => {
  expect(renderRun(sample.FAILED_RUN, screen(100))).toMatchInlineSnapshot(`
    "r-01kaxb  reset-stalled-sync for web1.example disk/0  frozen, begun 4.0 s ago
      incident i-01kax9, approved by laurent, hash 9f2c4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5

    Timeline
        +0.0 s  planned (policy)
        +0.1 s  approved: stalled-sync is auto (policy)
        +0.1 s  cut-link is sent
        +5.5 s  cut-link answered (attempt 2) refused
                GUARD_REFUSED: the peer's report is too old
                REFUSED  peer report age: 3.1 s (I7)
                $ /usr/sbin/iptables -w 3 -S VIGIE-CUT-12589
                  exit 1, 30 s
                    no such chain
                    at all

    It is frozen
      Nothing more is sent until a person has looked.

    Next
      vigie run retry r-01kaxb                   try the failed step again
      vigie run skip r-01kaxb --reason WHY       leave that step as it is, and go on
      vigie abort r-01kaxb --reason WHY          end it, and take back what can be taken back
      vigie run take-over r-01kaxb --reason WHY  do the rest by hand: nothing is sent, nothing taken back
    "
  `);
});

test("a run that waits for a resync says how far it is, and about when it will be done", () => {
  expect(renderRun(sample.WAITING_RUN, screen(100))).toMatchInlineSnapshot(`
    "r-01kaxe  retire-disk for h2.example sdb  waiting, begun 14 s ago
      approved by laurent, hash 71aa4be1d0a8537796b1c0ffee5ad1e9c2b7a4f0d3e6581724c9b0a1f8e7d6c5

    Timeline
          +0.0 s  planned (laurent)
          +4.0 s  approved (laurent)
          +4.1 s  pause-watcher is sent: pause Ganeti's watcher for at most 4 h
          +5.0 s  pause-watcher is seen in the world: Ganeti's watcher is paused
          +5.1 s  move-away not needed: web1.example runs on h1.example
          +5.2 s  set-offline is sent: give sdb no more I/O
          +6.0 s  set-offline is seen in the world: the kernel has sdb offline
         +11.0 s  pull-it-out waits, it may take long
    +15 min 00 s  pull-it-out is so, a person says: yes (laurent)
    +15 min 00 s  pull-it-out is seen in the world: laurent says so
                  … older lines of the log: --json has them
    +18 min 01 s  await-redundant log: - device disk/0: 2.00% done
    +19 min 01 s  await-redundant log: - device disk/0: 3.00% done
    +20 min 01 s  await-redundant log: - device disk/0: 4.00% done
    +21 min 01 s  await-redundant log: - device disk/0: 5.00% done
    +22 min 01 s  await-redundant log: - device disk/0: 6.00% done
    +23 min 20 s  await-redundant waits, it may take long: resync 0.4 %, 3719 GiB left

    It waits
      await-redundant: resync 42.0 %, 2167 GiB left, 54.0 MiB/s; done about 04:15 UTC (in 2 h 10 min)

    Next
      vigie run follow r-01kaxe          see it live
      vigie run pause r-01kaxe           halt it before its next step
      vigie abort r-01kaxe --reason WHY  end it, and take back what can be taken back
    "
  `);
});

test("a run that waits for a person shows the question, and the command that answers it", () => {
  const text = renderRun(sample.ASKING_RUN, screen(100));
  expect(text.slice(text.indexOf("It waits"))).toMatchInlineSnapshot(`
    "It waits
      for a person to say that it is so: is the new disk in slot 3 of h2.example?

    Next
      vigie run continue r-01kaxd        say that it is so
      vigie run follow r-01kaxd          see it live
      vigie run pause r-01kaxd           halt it before its next step
      vigie abort r-01kaxd --reason WHY  end it, and take back what can be taken back
    "
  `);
});

test("status: a thrown kill switch stands above all, and what waits for a person is in Next", () => {
  const stopped: StatusView = {
    ...VIEW,
    status: { ...sample.STATUS, killSwitch: "laurent: the switch is being replaced" },
    incidents: [],
    runs: [{ ...sample.FAILED_RUN, id: "r-01kaxa" }, sample.ASKING_RUN, sample.WAITING_RUN],
  };
  expect(renderStatus(stopped, screen(100))).toMatchInlineSnapshot(`
    "cluster.example  vigie 0.1.0 on h1.example  2026-11-22 02:05:15 UTC

    STOPPED     every action is stopped by laurent: the switch is being replaced

    leadership  leads with epoch 7, 2 of 3 votes
    nodes       2 of 3 reporting (h2.example partly, h4.example silent), 3 instances
    disks       3 mirrored: 1 healthy, 0 resyncing, 0 degraded, 1 stalled, 1 unknown
    audit       intact
    notify      nobody is notified: there is no [[notify]] block in /etc/vigie/orchestrator.toml

    Open runs (3)
      r-01kaxa  reset-stalled-sync for web1.example disk/0  frozen, step 1 of 4: refuse the DRBD connection, both directions
      r-01kaxd  retire-disk for h2.example sdb  waiting, step 4 of 5: the disk is pulled out, and a new one is in
          waits for a person: is the new disk in slot 3 of h2.example?
      r-01kaxe  retire-disk for h2.example sdb  waiting, step 5 of 5: every disk of web1.example is redundant again
          resync 42.0 %, 2167 GiB left, 54.0 MiB/s; done about 04:15 UTC (in 2 h 10 min)

    Next
      vigie go --reason WHY             let it act again
      vigie run show r-01kaxa           frozen, a person must look
      vigie run continue r-01kaxd       when it is so: is the new disk in slot 3 of h2.example?
      vigie resources --health unknown  which disks nothing is known of
      vigie resources                   which disks have one copy only; no incident yet
      vigie nodes                       which nodes are silent
    "
  `);
});

test("runs", () => {
  expect(renderRuns(ListRunsResponse.fromPartial({ runs: [sample.RUN] }), screen(120)))
    .toMatchInlineSnapshot(`
      "RUN       STATE    RUNBOOK             FOR                  INCIDENT  APPROVED BY  PLANNED
      r-01kaxb  running  reset-stalled-sync  web1.example disk/0  i-01kax9  policy       2026-11-22 02:05:11 UTC
      "
    `);
  expect(renderRuns({ runs: [] }, screen())).toBe("No runs.\n");
});

test("watch: one line an event", () => {
  const lines = sample.EVENTS.map((it) => renderWatchEvent(it, screen()));
  expect(lines.join("")).toMatchInlineSnapshot(`
    "02:05:09  incident    i-01kax9  critical stalled-sync web1.example/0  healing: cut-link is seen in the world
    02:05:11  run         r-01kaxb  reset-stalled-sync  running  cut-link answered done
    02:05:13  node        h4.example is silent: no report for 5 s
    02:05:14  leadership  does not lead, 1 of 3 votes: no majority
    "
  `);
});

test("audit: the verdict stands below the rows", () => {
  const record = AuditRecord.fromPartial({
    sequence: 3,
    unixMs: sample.START,
    actor: "laurent",
    action: "run.approved",
    subject: "r-01kaxb",
    detailJson: '{"hash":"9f2c"}',
    hash: "0011223344556677",
  });
  const view = {
    records: [record],
    auditIntact: true,
    auditHead: "0011223344556677",
    auditRecords: 1,
    auditChecked: 1,
    auditFaults: [],
  };
  expect(renderAudit(view, screen(100))).toMatchInlineSnapshot(`
    "#  TIME                     WHO      ACTION        SUBJECT   DETAIL           HASH
    3  2026-11-22 02:05:01 UTC  laurent  run.approved  r-01kaxb  {"hash":"9f2c"}  001122334455
    The hash chain is intact, head 001122334455
    "
  `);
  const broken = { ...view, auditIntact: false, auditFaults: ["record 2 is not what was written", "x"] };
  expect(renderAudit(broken, screen())).toContain(
    "THE HASH CHAIN IS BROKEN: record 2 is not what was written (and 1 more: vigie audit verify)",
  );
  expect(renderAudit({ ...view, auditRecords: 900, auditChecked: 500 }, screen())).toContain(
    "intact as far as it is checked, 500 of 900 records, head",
  );
});
