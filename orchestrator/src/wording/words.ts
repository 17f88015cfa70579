/**
 * The vocabulary's enum values as people and scripts read them: DRBD states in the kernel's spelling (SyncSource),
 * all others as lower-case words without their prefix (stalled-sync). One table for screens and for --json.
 */
import {
  ActionOutcome,
  connectionWord,
  ConnectionState,
  diskWord,
  DiskState,
  Health,
  HolderKind,
  IncidentKind,
  IncidentState,
  IncidentVerb,
  KernelLogKind,
  MessageReason,
  NodeChangeKind,
  NoticeCause,
  ReplaceMode,
  Role,
  roleWord,
  RunEventKind,
  RunState,
  RunVerb,
  Severity,
  Source,
  SourceState,
  StepKind,
  WriteOrdering,
} from "@vigie/proto";

const KERNEL_WORDS: readonly (readonly [string, string])[] = [
  ...Object.values(ConnectionState).map((it) => [it, connectionWord(it)] as const),
  ...Object.values(Role).map((it) => [it, roleWord(it)] as const),
  ...Object.values(DiskState).map((it) => [it, diskWord(it)] as const),
];

const PREFIXED: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["ACTION_OUTCOME_", ActionOutcome],
  ["HEALTH_", Health],
  ["HOLDER_KIND_", HolderKind],
  ["INCIDENT_KIND_", IncidentKind],
  ["INCIDENT_STATE_", IncidentState],
  ["INCIDENT_VERB_", IncidentVerb],
  ["KERNEL_LOG_KIND_", KernelLogKind],
  ["MESSAGE_REASON_", MessageReason],
  ["NODE_CHANGE_KIND_", NodeChangeKind],
  ["NOTICE_CAUSE_", NoticeCause],
  ["REPLACE_MODE_", ReplaceMode],
  ["RUN_EVENT_KIND_", RunEventKind],
  ["RUN_STATE_", RunState],
  ["RUN_VERB_", RunVerb],
  ["SEVERITY_", Severity],
  ["SOURCE_STATE_", SourceState],
  ["SOURCE_", Source],
  ["STEP_KIND_", StepKind],
  ["WRITE_ORDERING_", WriteOrdering],
];

const WORDS: ReadonlyMap<string, string> = new Map([
  ...PREFIXED.flatMap(([prefix, values]) =>
    Object.values(values).map(
      (it) => [it, it.replace(prefix, "").toLowerCase().replaceAll("_", "-")] as const,
    ),
  ),
  ...KERNEL_WORDS.filter(([, word]) => word !== "?"),
  ["UNRECOGNIZED", "unrecognized"], // of a newer orchestrator
]);

/** "?" for what was not said. */
export function word(value: string): string {
  return isUnspecified(value) ? "?" : (WORDS.get(value) ?? value);
}

/** A mirrored disk of which nothing is wanted now: its instance is stopped. Not the same as unknown. */
export function healthWord(health: Health): string {
  return health === Health.UNSPECIFIED ? "inactive" : word(health);
}

/** For --json: undefined where the string is no enum value at all, null where it says nothing. */
export function enumWord(value: string): string | null | undefined {
  if (isUnspecified(value)) return null;
  return WORDS.get(value);
}

function isUnspecified(value: string): boolean {
  return value.endsWith("_UNSPECIFIED") && UNSPECIFIED.has(value);
}

const UNSPECIFIED: ReadonlySet<string> = new Set<string>([
  ...PREFIXED.map(([prefix]) => `${prefix}UNSPECIFIED`),
  ConnectionState.UNSPECIFIED,
  Role.UNSPECIFIED,
  DiskState.UNSPECIFIED,
]);
