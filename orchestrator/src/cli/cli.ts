/**
 * The program `vigie`: parses, runs one subcommand, and turns whatever happens into an exit code. Nothing here or
 * below ends the process or reads its state: the tests run it in-process.
 */
import { Command, CommanderError } from "commander";
import { explain, VigieError } from "@vigie/proto";
import { COMMANDS } from "./commands/index.js";
import { EXIT, EXIT_HELP, exitCodeOf, type ExitCode } from "./exit-codes.js";
import { hintFor } from "./failure.js";
import { GLOBAL_OPTIONS, invocationOf, type Handler, type Register } from "./invocation.js";
import type { Io } from "./io.js";
import { jsonLine } from "../wording/json.js";

const JSON_HELP = `
JSON: names are those of the .proto files (out_of_sync_kib), every field is always there and null where unset.
DRBD's states are in the kernel's spelling (SyncSource), other states lower-case words (stalled-sync); what
was not said is null. vigie watch, vigie do and vigie run follow print one object a line. With --json an error
is one JSON line on stderr.

Start with: vigie status`;

/** @param argv without the program's own name, as process.argv.slice(2) */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram(io, (command, handler) => {
    const run = handler as unknown as Handler<readonly unknown[]>; // commander's arguments, then the options
    command.action(async (...args: unknown[]) => {
      exitCode = await run(invocationOf(command, io), ...args.slice(0, -1));
    });
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, io, argv.includes("--json"));
  }
}

export function buildProgram(io: Io, register: Register): Command {
  const program = new Command("vigie")
    .description(
      "The lookout for Ganeti + DRBD clusters: what is wrong, what is being done about it, what to do",
    )
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.columns ?? 100,
      getErrHelpWidth: () => io.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("after", `${EXIT_HELP}\n${JSON_HELP}`);
  for (const option of GLOBAL_OPTIONS) program.addOption(option);
  for (const add of COMMANDS) add(program, register);
  return program;
}

function report(error: unknown, io: Io, json: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badUsage; // it has said why
  const code = error instanceof VigieError ? error.code : "COMMAND_FAILED";
  const hint = hintFor(code);
  const exitCode = exitCodeOf(code);
  if (json) io.stderr.write(jsonLine({ error: { code, message: explain(error), hint, exitCode } }));
  else io.stderr.write(`vigie: ${explain(error)}\n${hint === undefined ? "" : `  next: ${hint}\n`}`);
  return exitCode;
}
