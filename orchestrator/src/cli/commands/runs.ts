/** `vigie runs` */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderRuns } from "../render/runs.js";
import { limitOption } from "./options.js";

export function addRuns(program: Command, register: Register): void {
  const command = program
    .command("runs")
    .description("runs of runbooks, newest first")
    .option("--open", "only those that are not over")
    .addOption(limitOption());
  register(
    command,
    ({ withApi, show }: Invocation, { open = false, limit }: { open?: boolean; limit: number }) =>
      withApi(async (api) => {
        show(await api.ask("listRuns", { openOnly: open, limit }), renderRuns);
        return EXIT.ok;
      }),
  );
}
