/**
 * `vigie approve`: one named person says yes to exactly this plan (I32). Without --hash the plan is shown and asked
 * about, which needs a person at a terminal; a script must bring the hash of what somebody has read.
 */
import type { Command } from "commander";
import { VigieError, type Run } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderPlanAlone } from "../render/plan.js";
import { renderRun } from "../render/run.js";
import { printable } from "../../wording/printable.js";
import { approvalOf, withPerson, type Person } from "./person.js";

export function addApprove(program: Command, register: Register): void {
  const command = program
    .command("approve")
    .description("let a planned run begin; without --hash it shows the plan and asks")
    .argument("<run>", "the run's id")
    .option("--hash <hash>", "of the plan that was read")
    .option("--word <word>", "with --hash: the word that the plan asks a person to type");
  register(
    command,
    (invocation: Invocation, id: string, { hash, word = "" }: { hash?: string; word?: string }) =>
      invocation.withApi((api) =>
        hash === undefined
          ? withPerson(invocation, (person) => askAndApprove(invocation, api, person, id))
          : approve(invocation, api, id, hash, word),
      ),
  );
}

async function askAndApprove(
  invocation: Invocation,
  api: Api,
  person: Person | undefined,
  id: string,
): Promise<ExitCode> {
  const { io, screen } = invocation;
  if (person === undefined) {
    throw new VigieError(
      "INVALID_ARGUMENT",
      `without --hash this asks a person, and there is no terminal; read the plan of ${id} first`,
    );
  }
  const { run } = await api.ask("getRun", { id });
  const { plan } = run ?? {};
  if (run === undefined || plan === undefined) throw new VigieError("NOT_FOUND", `the run ${id} has no plan`);
  io.stdout.write(renderPlanAlone(printable(run), screen));
  if (plan.refusals.length > 0) return EXIT.refused;
  const word = await approvalOf(person, plan);
  if (word !== undefined) return approve(invocation, api, run.id, plan.hash, word);
  io.stdout.write("Not approved; nothing was run.\n");
  return EXIT.failed;
}

async function approve(
  { show }: Invocation,
  api: Api,
  runId: string,
  planHash: string,
  typedWord: string,
): Promise<ExitCode> {
  const { run } = await api.ask("approveRun", { runId, planHash, typedWord });
  if (run === undefined) throw new VigieError("COMMAND_FAILED", `the orchestrator sent no run for ${runId}`);
  show<Run>(run, renderRun);
  return EXIT.ok;
}
