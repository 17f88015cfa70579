/** `vigie plan`: the dry run. It plans at the orchestrator, on what the agents say now, and runs nothing. */
import type { Command } from "commander";
import { VigieError, type PlanRunRequest } from "@vigie/proto";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderPlan } from "../render/plan.js";
import { parseDisk } from "./options.js";

export function addPlan(program: Command, register: Register): void {
  const command = program
    .command("plan")
    .description(
      "show what a runbook would do, with the exact commands; nothing is run (exit 6: it could not be run)",
    )
    .argument("<runbook>", "reset-stalled-sync")
    .argument("[instance/disk]", "web1.example/0; disk 0 where none is given")
    .option("--incident <id>", "for what this incident is about, instead of an instance");
  register(
    command,
    (invocation: Invocation, runbook: string, disk: string | undefined, options: { incident?: string }) =>
      plan(invocation, requestFor(runbook, disk, options.incident)),
  );
}

function requestFor(
  runbook: string,
  disk: string | undefined,
  incidentId: string | undefined,
): PlanRunRequest {
  if ((disk === undefined) === (incidentId === undefined)) {
    throw new VigieError("INVALID_ARGUMENT", "name either INSTANCE[/DISK] or --incident ID");
  }
  const subject = disk === undefined ? { instance: "", diskIndex: 0 } : parseDisk(disk);
  return { runbook, ...subject, incidentId: incidentId ?? "" };
}

async function plan({ withApi, show }: Invocation, request: PlanRunRequest): Promise<ExitCode> {
  return withApi(async (api) => {
    const { run } = await api.ask("planRun", request);
    if (run === undefined) throw new VigieError("COMMAND_FAILED", "the orchestrator sent no plan");
    show(run, renderPlan);
    return (run.plan?.refusals.length ?? 0) > 0 ? EXIT.refused : EXIT.ok;
  });
}
