/** `vigie audit`: the records, and the server's verdict on its hash chain (exit 1 where it is broken). */
import { InvalidArgumentError, Option, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderAudit, renderVerified } from "../render/audit.js";
import { limitOption, parseCursor } from "./options.js";

const AT_ONCE = 1_000; // ListAudit gives no more in one answer
const VERIFY_TIMEOUT_MS = 3_600_000; // ten million records and more

interface Options {
  readonly after?: number;
  readonly since?: number; // ms since 1970
  readonly limit: number;
}

export function addAudit(program: Command, register: Register): void {
  const command = program
    .command("audit")
    .description("who did what, and whether the log is intact (exit 1: it is not)")
    .addOption(
      new Option("--after <sequence>", "only records after this one (without it: the newest)").argParser(
        parseCursor,
      ),
    )
    .addOption(
      new Option(
        "--since <time>",
        "from this time on, however long ago: 2026-03-01, or with 2026-03-01T14:00Z its hour",
      )
        .argParser(parseTime)
        .conflicts("after"),
    )
    .addOption(limitOption());
  register(command, ({ withApi, show }: Invocation, { after, since = 0, limit }: Options) =>
    withApi(async (api) => {
      const { auditIntact, auditHead, auditRecords, auditChecked, auditFaults } = await api.ask(
        "getStatus",
        {},
      );
      const afterSequence = after ?? Math.max(0, auditRecords - Math.min(limit, AT_ONCE));
      const { records } = await api.ask("listAudit", { afterSequence, limit, sinceUnixMs: since });
      show({ records, auditIntact, auditHead, auditRecords, auditChecked, auditFaults }, renderAudit);
      return auditIntact ? EXIT.ok : EXIT.failed;
    }),
  );
  const verify = command
    .command("verify")
    .description("go through all of the log now, archives too, and say what is missing, cut or changed");
  register(verify, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      const verified = await api.ask("verifyAudit", {}, VERIFY_TIMEOUT_MS);
      show(verified, renderVerified);
      return verified.intact ? EXIT.ok : EXIT.failed;
    }),
  );
}

function parseTime(text: string): number {
  const unixMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!(unixMs > 0)) throw new InvalidArgumentError("It must be a day such as 2026-03-01, or a time of one.");
  return unixMs;
}
