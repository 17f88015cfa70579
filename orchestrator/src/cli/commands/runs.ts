/** `vigie runs` and `vigie run show ID` */
import type { Command } from "commander";
import { VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderRun } from "../render/run.js";
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

export function addRun(program: Command, register: Register): void {
  const command = program
    .command("run")
    .description("one run")
    .command("show")
    .description("what was done, second by second: commands, exit codes, and the guards' facts")
    .argument("<id>", "the run's id");
  register(command, ({ withApi, show }: Invocation, id: string) =>
    withApi(async (api) => {
      const { run } = await api.ask("getRun", { id });
      if (run === undefined) throw new VigieError("NOT_FOUND", `there is no run ${id}`);
      show(run, renderRun);
      return EXIT.ok;
    }),
  );
}
