/** `vigie audit`: the records, and the server's verdict on its hash chain (exit 1 where it is broken). */
import { Option, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderAudit } from "../render/audit.js";
import { limitOption, parseCursor } from "./options.js";

const AT_ONCE = 1_000; // ListAudit gives no more in one answer

export function addAudit(program: Command, register: Register): void {
  const command = program
    .command("audit")
    .description("who did what, and whether the log is intact (exit 1: it is not)")
    .addOption(
      new Option("--after <sequence>", "only records after this one (without it: the newest)").argParser(
        parseCursor,
      ),
    )
    .addOption(limitOption());
  register(command, ({ withApi, show }: Invocation, { after, limit }: { after?: number; limit: number }) =>
    withApi(async (api) => {
      const { auditIntact, auditHead, auditRecords, auditChecked } = await api.ask("getStatus", {});
      const afterSequence = after ?? Math.max(0, auditRecords - Math.min(limit, AT_ONCE));
      const { records } = await api.ask("listAudit", { afterSequence, limit });
      show({ records, auditIntact, auditHead, auditRecords, auditChecked }, renderAudit);
      return auditIntact ? EXIT.ok : EXIT.failed;
    }),
  );
}
