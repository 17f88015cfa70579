/** `vigie lead`: where there is no majority (two nodes, one down), a named person says that this one may act. */
import type { Command } from "commander";
import { VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { leadershipText } from "../render/watch.js";

export function addLead(program: Command, register: Register): void {
  const command = program
    .command("lead")
    .description("confirm that this orchestrator may act without a majority of the nodes (admin)")
    .requiredOption("--reason <why>", "kept in the audit log with your name");
  register(command, ({ withApi, show }: Invocation, { reason }: { reason: string }) =>
    withApi(async (api) => {
      const { leadership } = await api.ask("confirmLeadership", { reason });
      if (leadership === undefined)
        throw new VigieError("COMMAND_FAILED", "the orchestrator did not say whether it leads");
      show(leadership, (it, screen) => `${api.server} ${leadershipText(it, screen)}\n`);
      return leadership.leads ? EXIT.ok : EXIT.refused;
    }),
  );
}
