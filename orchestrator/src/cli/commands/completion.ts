/** `vigie completion`: a script for the shell, made from the command tree, so that it cannot fall behind. */
import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.js";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";

export function addCompletion(program: Command, register: Register): void {
  const command = program
    .command("completion")
    .description('print a completion script: eval "$(vigie completion bash)"')
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS));
  register(command, async ({ show }: Invocation, shell: Shell) => {
    show({ shell, script: completionScript(program, shell) }, (it) => it.script);
    return Promise.resolve(EXIT.ok);
  });
}
