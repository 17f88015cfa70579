/** `vigie plan`: it plans at the orchestrator, on what the agents say now, and runs nothing before an approval. */
import type { Command } from "commander";
import { VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderPlan } from "../render/plan.js";
import { addPlanArguments, planRequest, type PlanOptions } from "./parameters.js";

export function addPlan(program: Command, register: Register): void {
  const command = addPlanArguments(program.command("plan")).description(
    "show what a runbook would do, with the exact commands, and keep it for an approval (exit 6: it cannot be run)",
  );
  register(command, ({ withApi, show }: Invocation, runbook: string, words: string[], options: PlanOptions) =>
    withApi(async (api) => {
      const { run } = await api.ask("planRun", await planRequest(api, runbook, words, options));
      if (run === undefined) throw new VigieError("COMMAND_FAILED", "the orchestrator sent no plan");
      show(run, renderPlan);
      return (run.plan?.refusals.length ?? 0) > 0 ? EXIT.refused : EXIT.ok;
    }),
  );
}
