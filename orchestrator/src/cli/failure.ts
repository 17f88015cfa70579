/**
 * From a failed call to what a person reads: what failed, on what, what to do next. The server's own code comes in
 * the metadata key `vigie-code`; where it is missing (a proxy, another version) the gRPC status stands for it.
 */
import { status, type ServiceError } from "@grpc/grpc-js";
import { VigieError, type VigieErrorCode } from "@vigie/proto";
import { isVigieErrorCode } from "./exit-codes.js";
import { printable } from "../wording/printable.js";

export const CODE_KEY = "vigie-code";

const CODE_OF_STATUS: Readonly<Partial<Record<status, VigieErrorCode>>> = {
  [status.INVALID_ARGUMENT]: "INVALID_ARGUMENT",
  [status.OUT_OF_RANGE]: "INVALID_ARGUMENT",
  [status.NOT_FOUND]: "NOT_FOUND",
  [status.PERMISSION_DENIED]: "PERMISSION_DENIED",
  [status.UNAUTHENTICATED]: "PERMISSION_DENIED",
  [status.UNAVAILABLE]: "UNAVAILABLE",
  [status.DEADLINE_EXCEEDED]: "UNAVAILABLE",
  [status.FAILED_PRECONDITION]: "GUARD_REFUSED",
  [status.ABORTED]: "CONFLICT",
  [status.ALREADY_EXISTS]: "CONFLICT",
};

export function codeOfStatus(error: ServiceError): VigieErrorCode {
  const [own] = error.metadata?.get(CODE_KEY) ?? [];
  if (typeof own === "string" && isVigieErrorCode(own)) return own;
  return CODE_OF_STATUS[error.code] ?? "COMMAND_FAILED";
}

/**
 * @param server host:port, as the person configured it
 * @param changes the call changes something: without an answer nobody knows whether it did
 */
export function callFailure(
  error: ServiceError,
  server: string,
  timeoutMs: number,
  changes = false,
): VigieError {
  const doubt = changes ? "; whether it took effect is not known, look before you repeat it: vigie runs" : "";
  const code = codeOfStatus(error);
  const details = printable(error.details.replaceAll(/\s+/g, " ")) || status[error.code];
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new VigieError(
      code,
      `the orchestrator at ${server} did not answer within ${timeoutMs / 1000} s${doubt}`,
    );
  }
  if (error.code === status.UNIMPLEMENTED) {
    return new VigieError(
      code,
      `the orchestrator at ${server} does not know this request; it is of another version`,
    );
  }
  if (code !== "UNAVAILABLE") return new VigieError(code, details);
  return new VigieError(code, `the orchestrator at ${server} cannot be reached: ${reachability(details)}`);
}

const REACHABILITY: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "nothing listens there (connection refused)"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, "its host name has no address"],
  [/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/, "there is no way to that host now"],
  [/expired/i, "its certificate, or yours, has expired"],
  [/altnames|ALTNAME/, "its certificate is another host's"],
  [
    /unable to verify|self.signed|unable to get (?:local )?issuer/i,
    "its certificate is not of the authority in `ca`",
  ],
  [/is no orchestrator|certificate purpose/, "its certificate is not an orchestrator's"],
  [/alert|bad certificate|certificate required|unknown ca/i, "it refused your certificate"],
  [
    /ECONNRESET|socket hang up|disconnected|Failed to connect/,
    "it closed the connection at once; your certificate may not be of its authority",
  ],
];

function reachability(details: string): string {
  const known = REACHABILITY.find(([pattern]) => pattern.test(details))?.[1];
  return known ?? details.replace(/^No connection established. Last error: | \(\d{4}-\d\d-.*$/g, "");
}

const HINTS: Readonly<Partial<Record<VigieErrorCode, string>>> = {
  NOT_FOUND: "list what there is: vigie incidents --all, vigie runs, vigie instances, vigie runbook list",
  PERMISSION_DENIED: "use a certificate of a higher role: vigie ca issue operator NAME",
  UNAVAILABLE: "is it running? systemctl status vigie-orchestrator; or name another with --server host:port",
  NOT_LEADING: "see who leads, and why not: vigie status",
  CONFLICT: "see what is under way: vigie runs --open, vigie locks",
  PLAN_CHANGED: "plan again and read it again: vigie do RUNBOOK …",
  GUARD_REFUSED: "see the facts: vigie resources, vigie incidents",
  READ_ONLY: "see what refuses and why: vigie status, vigie nodes",
  JOURNAL_BROKEN: "nothing is done without a journal; see vigie nodes and the disk it is on",
};

/** What to do next; undefined where the message says it all, as BAD_CONFIG's one line does. */
export function hintFor(code: VigieErrorCode): string | undefined {
  return HINTS[code];
}
