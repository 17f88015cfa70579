/** `vigie nodes` */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderNodes } from "../render/nodes.js";

export function addNodes(program: Command, register: Register): void {
  const command = program.command("nodes").description("which nodes report, and what cannot be read on them");
  register(command, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      show(await api.ask("listNodes", {}), renderNodes);
      return EXIT.ok;
    }),
  );
}
