/**
 * The live status of instances ("running", "ERROR_down", …). Ganeti asks every node for it and waits for dead ones, so
 * it is asked beside the readings, once a minute, and soon after Ganeti changed an instance: a guest that was just
 * stopped is not called running for another minute. It is up to that much older than what it is shown with.
 */
import { asString } from "./json.js";
import { rowsOf, type Luxi } from "./luxi.js";

const FIELDS = ["name", "status"];
const ASK_EVERY_MS = 60_000;
const ASK_AFTER_CHANGE_MS = 10_000; // since it was last asked: jobs change instances many times a minute
const TIMEOUT_MS = 30_000;
const BELIEVED_MS = 120_000;

/** By instance name; nothing where there is no answer that is new enough. */
export type Statuses = ReadonlyMap<string, string>;

const NONE: Statuses = new Map();

/**
 * @returns what is known now; the first call, one a minute, and one after a change also asks. Its `serials` tell what
 *   Ganeti's configuration says of the instances: it is compared, and not read
 */
export function statusReader(): (luxi: Luxi, nowMs: number, serials: string) => Statuses {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let askedFor = "";
  let answer: { readonly statuses: Statuses; readonly askedAtMs: number } | undefined;
  return (luxi, nowMs, serials) => {
    if (nowMs - askedAtMs >= (serials === askedFor ? ASK_EVERY_MS : ASK_AFTER_CHANGE_MS)) {
      askedAtMs = nowMs;
      askedFor = serials;
      void luxi
        .call("Query", ["instance", FIELDS, null], TIMEOUT_MS)
        .then((result) => (answer = { statuses: statusesIn(result), askedAtMs: nowMs }))
        .catch(() => undefined); // no status is an answer too; that LUXI is silent shows elsewhere
    }
    return answer !== undefined && nowMs - answer.askedAtMs < BELIEVED_MS ? answer.statuses : NONE;
  };
}

/** An instance whose node does not answer has no normal value, and so no status. */
function statusesIn(result: unknown): Statuses {
  const rows = rowsOf(result, FIELDS).filter(
    (row) => row["name"]?.status === 0 && row["status"]?.status === 0,
  );
  return new Map(
    rows.map((row) => [asString(row["name"]?.value, "name"), asString(row["status"]?.value, "status")]),
  );
}
