/** `vigie run`: one run is shown, followed, and steered while it is open. */
import type { Command } from "commander";
import { RunVerb, VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderRun } from "../render/run.js";
import { followRun } from "./follow.js";
import { withPerson } from "./person.js";

export function addRun(program: Command, register: Register): void {
  const run = program.command("run").description("one run");
  addShow(run, register);
  addFollow(run, register);
  for (const verb of VERBS) addVerb(run, register, verb);
}

function addShow(run: Command, register: Register): void {
  const command = run
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

function addFollow(run: Command, register: Register): void {
  const command = run
    .command("follow")
    .description("see it live until it ends, freezes, or asks a person; Ctrl-C only stops following")
    .argument("<id>", "the run's id");
  register(command, (invocation: Invocation, id: string) =>
    invocation.withApi((api) => withPerson(invocation, (person) => followRun(invocation, api, person, id))),
  );
}

interface Verb {
  readonly name: string;
  readonly verb: RunVerb;
  readonly about: string;
  readonly ofStep: boolean;
  readonly needsReason: boolean;
}

const VERBS: readonly Verb[] = [
  {
    name: "pause",
    verb: RunVerb.PAUSE,
    about: "halt it before its next step",
    ofStep: false,
    needsReason: false,
  },
  {
    name: "resume",
    verb: RunVerb.RESUME,
    about: "let a paused run go on",
    ofStep: false,
    needsReason: false,
  },
  {
    name: "retry",
    verb: RunVerb.RETRY_STEP,
    about: "try the failed step of a frozen run again",
    ofStep: true,
    needsReason: false,
  },
  {
    name: "skip",
    verb: RunVerb.SKIP_STEP,
    about: "leave the failed or waiting step as it is, and go on",
    ofStep: true,
    needsReason: true,
  },
  {
    name: "take-over",
    verb: RunVerb.TAKE_OVER,
    about: "do the rest by hand: nothing more is sent, nothing is taken back",
    ofStep: false,
    needsReason: true,
  },
  {
    name: "continue",
    verb: RunVerb.CONFIRM,
    about: "say that what the waiting step asks a person is so",
    ofStep: true,
    needsReason: false,
  },
];

function addVerb(run: Command, register: Register, { name, verb, about, ofStep, needsReason }: Verb): void {
  const command = run.command(name).description(about).argument("<id>", "the run's id");
  const kept = "kept in the run's log and the audit log, with your name";
  if (ofStep) command.option("--step <id>", "only if it is this step");
  if (needsReason) command.requiredOption("--reason <why>", kept);
  else command.option("--reason <why>", kept);
  register(
    command,
    ({ withApi, show }: Invocation, runId: string, options: { step?: string; reason?: string }) =>
      withApi(async (api) => {
        const { step: stepId = "", reason = "" } = options;
        const { run } = await api.ask("controlRun", { runId, verb, stepId, reason });
        if (run === undefined)
          throw new VigieError("COMMAND_FAILED", `the orchestrator sent no run for ${runId}`);
        show(run, renderRun);
        return EXIT.ok;
      }),
  );
}
