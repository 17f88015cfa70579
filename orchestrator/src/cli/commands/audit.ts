/** `vigie audit`: the records, and the server's verdict on its hash chain (exit 1 where it is broken). */
import { Option, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderAudit } from "../render/audit.js";
import { limitOption, parseCursor } from "./options.js";

export function addAudit(program: Command, register: Register): void {
  const command = program
    .command("audit")
    .description("who did what, and whether the log is intact (exit 1: it is not)")
    .addOption(
      new Option("--after <sequence>", "only records after this one").argParser(parseCursor).default(0),
    )
    .addOption(limitOption());
  register(command, ({ withApi, show }: Invocation, { after, limit }: { after: number; limit: number }) =>
    withApi(async (api) => {
      const [{ records }, { auditIntact, auditHead }] = await Promise.all([
        api.ask("listAudit", { afterSequence: after, limit }),
        api.ask("getStatus", {}),
      ]);
      show({ records, auditIntact, auditHead }, renderAudit);
      return auditIntact ? EXIT.ok : EXIT.failed;
    }),
  );
}
