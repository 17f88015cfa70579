/** `vigie locks` */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderLocks } from "../render/locks.js";

export function addLocks(program: Command, register: Register): void {
  const command = program
    .command("locks")
    .description("what open runs hold, so that no other run may touch it");
  register(command, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      show(await api.ask("listLocks", {}), renderLocks);
      return EXIT.ok;
    }),
  );
}
