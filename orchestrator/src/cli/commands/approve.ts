/**
 * `vigie approve`: one named person says yes to exactly this plan (I32). Without --hash the plan is shown and asked
 * about, which needs a person at a terminal; a script must bring the hash of what somebody has read.
 */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { VigieError, type Run } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderPlan } from "../render/plan.js";
import { renderRun } from "../render/run.js";
import { printable } from "../render/screen.js";

export function addApprove(program: Command, register: Register): void {
  const command = program
    .command("approve")
    .description("let a planned run begin; without --hash it shows the plan and asks")
    .argument("<run>", "the run's id")
    .option("--hash <hash>", "of the plan that was read");
  register(command, (invocation: Invocation, id: string, { hash }: { hash?: string }) =>
    invocation.withApi((api) =>
      hash === undefined ? askAndApprove(invocation, api, id) : approve(invocation, api, id, hash),
    ),
  );
}

async function askAndApprove(invocation: Invocation, api: Api, id: string): Promise<ExitCode> {
  const { io, screen, json } = invocation;
  if (!io.isTTY || io.stdin.isTTY !== true || json) {
    throw new VigieError(
      "INVALID_ARGUMENT",
      `without --hash this asks a person, and there is no terminal; read the plan of ${id} first`,
    );
  }
  const { run } = await api.ask("getRun", { id });
  const { plan } = run ?? {};
  if (run === undefined || plan === undefined) throw new VigieError("NOT_FOUND", `the run ${id} has no plan`);
  io.stdout.write(renderPlan(printable(run), screen));
  if (plan.refusals.length > 0) return EXIT.refused;
  if (await isYes(invocation, `\nRun this now on ${plan.end?.node ?? "the cluster"}? [y/N] `))
    return approve(invocation, api, run.id, plan.hash);
  io.stdout.write("Not approved; nothing was run.\n");
  return EXIT.failed;
}

/** Anything but y or yes is no; so is the end of the input. */
async function isYes({ io }: Invocation, question: string): Promise<boolean> {
  io.stdout.write(question);
  const reader = createInterface({ input: io.stdin });
  try {
    for await (const line of reader) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    reader.close();
  }
}

async function approve({ show }: Invocation, api: Api, runId: string, planHash: string): Promise<ExitCode> {
  const { run } = await api.ask("approveRun", { runId, planHash });
  if (run === undefined) throw new VigieError("COMMAND_FAILED", `the orchestrator sent no run for ${runId}`);
  show<Run>(run, renderRun);
  return EXIT.ok;
}
