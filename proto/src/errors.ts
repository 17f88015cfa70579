/**
 * Failures that an operator may have to act on. The code is the contract: it crosses gRPC and stays in the audit
 * log. The message is for people and may be reworded at any time.
 */
export type VigieErrorCode =
  | "BAD_CONFIG" // a configuration file is not as documented; the process ends with exit code 2
  | "INVALID_ARGUMENT" // a name or number from outside is not of its type
  | "NOT_FOUND" // there is no such incident, run, node, instance or resource
  | "PERMISSION_DENIED" // the certificate's role may not do this
  | "UNAVAILABLE" // the other side cannot be reached now
  | "PARSE_FAILED" // the source was read, but its text is not what the kernel or tool documents
  | "SOURCE_FAILED" // the source could not be read
  | "COMMAND_FAILED" // the command ran and exited non-zero, or a signal ended it
  | "COMMAND_TIMED_OUT" // the command was killed at its deadline; its effect is unknown
  | "COMMAND_HUNG" // a child past its deadline still holds this resource (I37)
  | "GUARD_REFUSED" // a safety guard said no; nothing was run
  | "IDENTITY_MISMATCH" // what the request names is not what is there; nothing was run (I13)
  | "STALE_EPOCH" // the caller does not lead any more (I25)
  | "NOT_BEGUN" // this node never began what it is asked about, and never will under that key (I22)
  | "NOT_SENT" // it was about to be sent when a brake was applied: nothing was sent (I26, I33)
  | "NOT_KNOWN_YET" // a guard refused only because too little has been seen so far; asked again, it may hold
  | "TOO_LATE" // the request was too old when it came to be run (I27)
  | "KEY_REUSED" // the idempotency key came with another body (I23)
  | "READ_ONLY" // the kill switch, a broken journal or a start-up in progress (I24, I33, I40)
  | "JOURNAL_BROKEN" // a record could not be written, or the hash chain does not hold (I24, I39)
  | "NOT_LEADING" // this orchestrator has no majority (I26)
  | "CONFLICT" // another run holds the resource, the node or the pair (I9)
  | "PLAN_CHANGED" // approved by another hash, or the cluster changed since (I15, I32)
  | "VERIFY_FAILED"; // the step ran, and the world does not show its effect in time

export class VigieError extends Error {
  override readonly name = "VigieError";
  readonly code: VigieErrorCode;
  readonly details: Readonly<Record<string, string | number>>;

  /**
   * @param message what failed and on what: lower case, no full stop, without the cause's text
   * @param options.details values a person or a test needs, under stable keys
   * @param options.cause the lower-level error; the logger prints the whole chain
   */
  constructor(
    code: VigieErrorCode,
    message: string,
    options: { details?: Record<string, string | number>; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.details = Object.freeze({ ...options.details });
  }
}

/** One line for a person: the message and its causes, outermost first. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}
