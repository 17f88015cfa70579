/** Our error codes as gRPC's, in this one place. The exact code goes along in the metadata `vigie-code`. */
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { explain, VigieError, type VigieErrorCode } from "@vigie/proto";

const GRPC_STATUS: Readonly<Record<VigieErrorCode, status>> = {
  BAD_CONFIG: status.INTERNAL,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  UNAVAILABLE: status.UNAVAILABLE,
  PARSE_FAILED: status.INTERNAL,
  SOURCE_FAILED: status.INTERNAL,
  COMMAND_FAILED: status.INTERNAL,
  COMMAND_TIMED_OUT: status.INTERNAL,
  COMMAND_HUNG: status.FAILED_PRECONDITION,
  GUARD_REFUSED: status.FAILED_PRECONDITION,
  IDENTITY_MISMATCH: status.FAILED_PRECONDITION,
  STALE_EPOCH: status.FAILED_PRECONDITION,
  NOT_BEGUN: status.FAILED_PRECONDITION,
  NOT_SENT: status.FAILED_PRECONDITION,
  NOT_KNOWN_YET: status.FAILED_PRECONDITION,
  TOO_LATE: status.FAILED_PRECONDITION,
  KEY_REUSED: status.ALREADY_EXISTS,
  READ_ONLY: status.FAILED_PRECONDITION,
  JOURNAL_BROKEN: status.INTERNAL,
  NOT_LEADING: status.FAILED_PRECONDITION,
  CONFLICT: status.ABORTED,
  PLAN_CHANGED: status.FAILED_PRECONDITION,
  VERIFY_FAILED: status.INTERNAL,
};

export function serviceError(error: unknown): Partial<ServiceError> {
  const metadata = new Metadata();
  if (!(error instanceof VigieError)) return { code: status.INTERNAL, details: explain(error), metadata };
  metadata.set("vigie-code", error.code);
  return { code: GRPC_STATUS[error.code], details: explain(error), metadata };
}
