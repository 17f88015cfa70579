/** `vigie abort`: stop a run and take back what can be taken back. */
import type { Command } from "commander";
import { VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderRun } from "../render/run.js";

export function addAbort(program: Command, register: Register): void {
  const command = program
    .command("abort")
    .description("stop a run, and undo what it did as far as that can be undone")
    .argument("<run>", "the run's id")
    .requiredOption("--reason <why>", "kept in the audit log with your name");
  register(command, ({ withApi, show }: Invocation, runId: string, { reason }: { reason: string }) =>
    withApi(async (api) => {
      const { run } = await api.ask("abortRun", { runId, reason });
      if (run === undefined)
        throw new VigieError("COMMAND_FAILED", `the orchestrator sent no run for ${runId}`);
      show(run, renderRun);
      return EXIT.ok;
    }),
  );
}
