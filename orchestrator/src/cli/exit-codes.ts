/** The contract with scripts, shown in --help. Numbers are never reused for another meaning. */
import { RunState, type VigieErrorCode } from "@vigie/proto";

export const EXIT = {
  ok: 0,
  failed: 1,
  badUsage: 2,
  notFound: 3,
  denied: 4,
  unreachable: 5,
  refused: 6,
  runFailed: 7,
  runAborted: 8,
  runFrozen: 9,
  attention: 10,
  runWaits: 11,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0   done
  1   the command failed
  2   bad usage, or a configuration that is not as documented
  3   there is no such incident, run, instance or runbook
  4   the certificate's role may not do this
  5   the orchestrator cannot be reached, or did not answer in time
  6   refused: by a plan, a guard or a conflict, for want of an approval, or because it does not lead
  7   the run failed; what there was to take back was taken back
  8   the run was aborted, or taken over by a person
  9   the run is frozen: nothing more is sent until a person has looked
  10  vigie status only: there are open incidents, disks or nodes of which nothing is known, no node at all, a run
      that waits for a person, a thrown kill switch, a broken audit log, a channel that cannot deliver what people
      must be told, or this orchestrator does not lead
  11  the run goes on, but is not followed any more: it waits for a person or an approval, is paused, or Ctrl-C`;

const EXIT_OF: Readonly<Record<VigieErrorCode, ExitCode>> = {
  BAD_CONFIG: EXIT.badUsage,
  INVALID_ARGUMENT: EXIT.badUsage,
  NOT_FOUND: EXIT.notFound,
  PERMISSION_DENIED: EXIT.denied,
  UNAVAILABLE: EXIT.unreachable,
  PARSE_FAILED: EXIT.failed,
  SOURCE_FAILED: EXIT.failed,
  COMMAND_FAILED: EXIT.failed,
  COMMAND_TIMED_OUT: EXIT.failed,
  COMMAND_HUNG: EXIT.failed,
  JOURNAL_BROKEN: EXIT.failed,
  VERIFY_FAILED: EXIT.failed,
  GUARD_REFUSED: EXIT.refused,
  IDENTITY_MISMATCH: EXIT.refused,
  STALE_EPOCH: EXIT.refused,
  NOT_BEGUN: EXIT.refused,
  NOT_SENT: EXIT.refused,
  NOT_KNOWN_YET: EXIT.refused,
  TOO_LATE: EXIT.refused,
  KEY_REUSED: EXIT.refused,
  READ_ONLY: EXIT.refused,
  NOT_LEADING: EXIT.refused,
  CONFLICT: EXIT.refused,
  PLAN_CHANGED: EXIT.refused,
};

export function exitCodeOf(code: VigieErrorCode): ExitCode {
  return EXIT_OF[code];
}

/** Of a run that is not followed any more. */
export function exitCodeOfRun(state: RunState): ExitCode {
  switch (state) {
    case RunState.SUCCEEDED:
      return EXIT.ok;
    case RunState.FAILED:
      return EXIT.runFailed;
    case RunState.ABORTED:
      return EXIT.runAborted;
    case RunState.FROZEN:
      return EXIT.runFrozen;
    case RunState.PLANNED:
    case RunState.AWAITING_APPROVAL:
    case RunState.RUNNING:
    case RunState.UNDOING:
    case RunState.WAITING:
    case RunState.PAUSED:
    case RunState.UNSPECIFIED:
    case RunState.UNRECOGNIZED:
      return EXIT.runWaits;
  }
  return EXIT.runWaits;
}

export function isVigieErrorCode(text: string): text is VigieErrorCode {
  return Object.hasOwn(EXIT_OF, text);
}
