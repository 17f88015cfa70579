/** `vigie runbook list` and `vigie runbook show NAME` */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderRunbook, renderRunbooks } from "../render/runbooks.js";
import { runbookNamed } from "./parameters.js";

export function addRunbook(program: Command, register: Register): void {
  const runbook = program.command("runbook").description("what Vigie can do");
  register(
    runbook.command("list").description("every runbook, with its parameters"),
    ({ withApi, show }: Invocation) =>
      withApi(async (api) => {
        show(await api.ask("listRunbooks", {}), renderRunbooks);
        return EXIT.ok;
      }),
  );
  const one = runbook
    .command("show")
    .description("what it does and refuses, how to call it, and how it is done by hand")
    .argument("<name>", "the runbook's name");
  register(one, ({ withApi, show }: Invocation, name: string) =>
    withApi(async (api) => {
      show(await runbookNamed(api, name), renderRunbook);
      return EXIT.ok;
    }),
  );
}
