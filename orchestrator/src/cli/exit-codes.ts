/** The contract with scripts, shown in --help. Numbers are never reused for another meaning. */
import type { VigieErrorCode } from "@vigie/proto";

export const EXIT = {
  ok: 0,
  failed: 1,
  badUsage: 2,
  notFound: 3,
  denied: 4,
  unreachable: 5,
  refused: 6,
  attention: 10,
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
  6   refused: by a guard, by a conflict, or because it does not lead
  10  vigie status only: there are open incidents, or disks or nodes of which nothing is known`;

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

export function isVigieErrorCode(text: string): text is VigieErrorCode {
  return Object.hasOwn(EXIT_OF, text);
}
