/** /etc/vigie/orchestrator.toml. Everything has a default but the certificate files; unknown keys are refused. */
import { IncidentKind } from "@vigie/proto";
import * as z from "zod";
import { notifySchema } from "./notify/settings.js";
import { isWindow } from "./policy/windows.js";

const tls = z.strictObject({
  ca: z.string().default("/etc/vigie/tls/ca.pem"),
  certificate: z.string().default("/etc/vigie/tls/orchestrator.pem"),
  key: z.string().default("/etc/vigie/tls/orchestrator.key"),
});

const mode = z.enum(["observe", "ask", "auto"]);

const policy = z.strictObject({
  stalled_sync: mode.default("auto"),
  split_brain: mode.default("observe"),
  standalone: mode.default("observe"),
  diskless: mode.default("observe"),
  degraded: mode.default("observe"),
  node_silent: mode.default("observe"),
  disk_offline: mode.default("observe"),
  source_damaged: mode.default("observe"),
  failing_disk: mode.default("observe"),
  hung_migration: mode.default("observe"),
  held_device: mode.default("observe"),
  leftover_kpartx: mode.default("observe"),
  missing_volume: mode.default("observe"),
  orphan_volume: mode.default("observe"),
  node_dead: mode.default("observe"),
  resync_slow: mode.default("observe"),
  guest_wrong_node: mode.default("observe"),
  guest_down: mode.default("observe"),
  two_primaries: mode.default("observe"),
  link_unstable: mode.default("observe"),
  ganeti_held_up: mode.default("observe"),
  node_unhealthy: mode.default("observe"),
  /** When a destructive runbook may be run unasked; none: at any time. */
  windows: z.array(z.string().refine(isWindow, 'a window in UTC, such as "Sat,Sun 01:00-05:00"')).default([]),
  per_resource_every_s: z.int().min(60).default(3600), // at most one automatic run for one mirrored disk
  per_node_every_s: z.int().min(60).default(300), // I34
  per_cluster_per_hour: z.int().min(1).max(20).default(3), // I34
  heals_per_hour: z.int().min(1).default(200), // resets of a link, in the cluster
  heals_at_once: z.int().min(1).default(30), // between the same two nodes, once one was seen to have helped
  failed_heals_per_hour: z.int().min(1).default(3), // so many that did not help: then a person is asked
  /** Of the mirrored disks at work, more than this many with one copy only: a storm, and what is destructive is asked for. */
  storm_percent: z.int().min(0).max(100).default(34), // I9
});

const detect = z.strictObject({
  stall_after_s: z.int().min(5).max(600).default(7),
  silent_after_s: z.int().min(3).max(600).default(5),
  resync_slow_after_h: z.int().min(1).max(720).default(24),
});

const runs = z.strictObject({
  ask_when_unchanged_min: z.int().min(5).max(1440).default(60), // a wait without a limit in which nothing moves
});

const maintenance = z.strictObject({
  max_h: z.int().min(1).max(168).default(24), // a planned maintenance of a node always has an end
});

const incidents = z.strictObject({
  snooze_max_h: z.int().min(1).max(168).default(72),
});

const cut = z.strictObject({
  ttl_s: z.int().min(18).max(60).default(30), // I17, I19
});

/** How long what is over is kept; what is open has no age. */
const keep = z.strictObject({
  runs_days: z.int().min(7).max(3650).default(400), // since they ended
  incidents_days: z.int().min(7).max(3650).default(400), // since they closed
  events_days: z.int().min(1).max(400).default(30), // that `vigie watch` resumes from, and delivered messages
  audit_in_store_days: z.int().min(7).max(3650).default(90), // then in the archives, for good
  incident_lines: z.int().min(50).max(1000).default(200), // of one incident's history
});

const whole = z.strictObject({
  listen: z
    .string()
    .regex(/^[^\s]+:\d+$/)
    .default("0.0.0.0:7443"),
  state_dir: z.string().default("/var/lib/vigie-orchestrator"),
  log_level: z.enum(["debug", "info", "warn", "error"]).default("info"),
  tls: tls.prefault({}),
  policy: policy.prefault({}),
  detect: detect.prefault({}),
  cut: cut.prefault({}),
  runs: runs.prefault({}),
  maintenance: maintenance.prefault({}),
  incidents: incidents.prefault({}),
  keep: keep.prefault({}),
  notify: notifySchema,
});

const DAY_S = 86_400;

/** A limit that counts runs which are forgotten would not hold. */
export const orchestratorConfigSchema = whole.refine(
  (it) => it.policy.per_resource_every_s <= it.keep.runs_days * DAY_S,
  { path: ["policy", "per_resource_every_s"], error: "at most keep.runs_days, in seconds" },
);

export type OrchestratorConfig = z.infer<typeof orchestratorConfigSchema>;
export type PolicyConfig = OrchestratorConfig["policy"];
export type PolicyMode = z.infer<typeof mode>;

/** The configured mode of a kind of incident. */
export function modeOf(config: PolicyConfig, kind: IncidentKind): PolicyMode {
  switch (kind) {
    case IncidentKind.STALLED_SYNC:
      return config.stalled_sync;
    case IncidentKind.SPLIT_BRAIN:
      return config.split_brain;
    case IncidentKind.STANDALONE:
      return config.standalone;
    case IncidentKind.DISKLESS:
      return config.diskless;
    case IncidentKind.DEGRADED:
      return config.degraded;
    case IncidentKind.NODE_SILENT:
      return config.node_silent;
    case IncidentKind.DISK_OFFLINE:
      return config.disk_offline;
    case IncidentKind.SOURCE_DAMAGED:
      return config.source_damaged;
    case IncidentKind.FAILING_DISK:
      return config.failing_disk;
    case IncidentKind.HUNG_MIGRATION:
      return config.hung_migration;
    case IncidentKind.HELD_DEVICE:
      return config.held_device;
    case IncidentKind.LEFTOVER_KPARTX:
      return config.leftover_kpartx;
    case IncidentKind.MISSING_VOLUME:
      return config.missing_volume;
    case IncidentKind.ORPHAN_VOLUME:
      return config.orphan_volume;
    case IncidentKind.NODE_DEAD:
      return config.node_dead;
    case IncidentKind.RESYNC_SLOW:
      return config.resync_slow;
    case IncidentKind.GUEST_WRONG_NODE:
      return config.guest_wrong_node;
    case IncidentKind.GUEST_DOWN:
      return config.guest_down;
    case IncidentKind.TWO_PRIMARIES:
      return config.two_primaries;
    case IncidentKind.LINK_UNSTABLE:
      return config.link_unstable;
    case IncidentKind.GANETI_HELD_UP:
      return config.ganeti_held_up;
    case IncidentKind.NODE_UNHEALTHY:
      return config.node_unhealthy;
    case IncidentKind.UNSPECIFIED:
    case IncidentKind.UNRECOGNIZED:
      return "observe";
  }
}
