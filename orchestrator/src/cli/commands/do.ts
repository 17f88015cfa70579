/**
 * `vigie do`: plan a runbook, show the plan, ask, approve by its hash (I32), follow. Nothing runs that was not shown;
 * where nobody can be asked it needs --yes, and the plan's word where it asks for one.
 */
import type { Command } from "commander";
import { VigieError, type Plan, type Run } from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { jsonLine } from "../../wording/json.js";
import { renderPlan, renderPlanAlone } from "../render/plan.js";
import { printable } from "../../wording/printable.js";
import { followRun } from "./follow.js";
import { addPlanArguments, planRequest, type PlanOptions } from "./parameters.js";
import { approvalOf, withPerson, type Person } from "./person.js";

interface Options extends PlanOptions {
  readonly yes?: boolean;
  readonly word?: string;
  readonly follow: boolean;
}

const EXAMPLES = `
Examples:
  vigie do reset-stalled-sync web1.example            shows the plan, asks, runs it, and tells what happens
  vigie do reset-stalled-sync web1.example --dry-run  shows what a person would type, and keeps nothing
  vigie do reset-stalled-sync --incident i-01kax9 --yes

What there is to do: vigie runbook list. With --json: one object a line, the planned run, then its rows.`;

export function addDo(program: Command, register: Register): void {
  const command = addPlanArguments(program.command("do"))
    .description("plan a runbook, show the plan, ask, run it, and follow it to its end")
    .option("-y, --yes", "do not ask; for scripts, and for who has read the plan")
    .option("--word <word>", "with --yes: the word that the plan asks a person to type")
    .option("--no-follow", "end when it has begun")
    .addHelpText("after", EXAMPLES);
  register(command, (invocation: Invocation, runbook: string, words: string[], options: Options) =>
    invocation.withApi((api) =>
      withPerson(invocation, (person) => perform(invocation, api, person, runbook, words, options)),
    ),
  );
}

async function perform(
  invocation: Invocation,
  api: Api,
  person: Person | undefined,
  runbook: string,
  words: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const { yes = false, dryRun = false } = options;
  const nobody = !yes && person === undefined; // says yes: then it is not kept either
  const request = await planRequest(api, runbook, words, options);
  const { run } = await api.ask("planRun", { ...request, dryRun: dryRun || nobody });
  const { plan } = run ?? {};
  if (run === undefined || plan === undefined)
    throw new VigieError("COMMAND_FAILED", "the orchestrator sent no plan");
  const asked = !dryRun && !nobody && plan.refusals.length === 0;
  invocation.showLine<Run>(run, asked ? renderPlanAlone : renderPlan);
  if (plan.refusals.length > 0) return EXIT.refused;
  if (dryRun) return EXIT.ok;
  if (nobody)
    return refuse(invocation, `not approved: there is no terminal to ask at; with ${wanted(plan)} it runs`);
  return approveAndFollow(invocation, api, person, run, plan, options);
}

async function approveAndFollow(
  invocation: Invocation,
  api: Api,
  person: Person | undefined,
  { id: runId }: Run,
  plan: Plan,
  { yes = false, word, follow }: Options,
): Promise<ExitCode> {
  const { io, json } = invocation;
  const said = yes && (plan.typedWord === "" || word !== undefined || person === undefined);
  const typedWord = said ? saidWord(plan, word) : person && (await approvalOf(person, plan));
  if (typedWord === undefined) {
    await api.ask("abortRun", { runId, reason: "not approved when its plan was shown" });
    if (said) return refuse(invocation, `not approved, and aborted: with ${wanted(plan)} it runs`);
    io.stdout.write("Not approved; nothing was run.\n");
    return EXIT.failed;
  }
  const { run } = await api.ask("approveRun", { runId, planHash: plan.hash, typedWord });
  if (!json) io.stdout.write("\n");
  if (follow) return followRun(invocation, api, person, runId);
  if (json && run !== undefined) invocation.showLine<Run>(run, () => "");
  if (!json) io.stdout.write(`${runId} has begun. See it live: vigie run follow ${runId}\n`);
  return EXIT.ok;
}

/** Undefined: the plan asks for another word. */
function saidWord({ typedWord }: Plan, word: string | undefined): string | undefined {
  return typedWord === (word ?? "") ? typedWord : undefined;
}

function wanted({ typedWord }: Plan): string {
  return typedWord === "" ? "--yes" : `--yes --word ${printable(typedWord)}`;
}

function refuse({ io, json }: Invocation, message: string): ExitCode {
  const error = { code: "GUARD_REFUSED", message, hint: null, exitCode: EXIT.refused };
  io.stderr.write(json ? jsonLine({ error }) : `vigie: ${message}\n`);
  return EXIT.refused;
}
