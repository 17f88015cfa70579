/** `vigie holders`: who keeps a DRBD device open, when Ganeti says "Device is held open by someone". */
import { Argument, InvalidArgumentError, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderHolders } from "../render/holders.js";

export function addHolders(program: Command, register: Register): void {
  const command = program
    .command("holders")
    .description("who holds a DRBD device open on a node, asked of it just now")
    .argument("<node>", "as Ganeti spells it")
    .addArgument(new Argument("<minor>", "45, drbd45 or /dev/drbd45").argParser(parseMinor));
  register(command, ({ withApi, show }: Invocation, node: string, minor: number) =>
    withApi(async (api) => {
      const answer = await api.ask("getHolders", { node, minor });
      show(answer, (it, screen) => renderHolders(it, node, minor, screen));
      return EXIT.ok;
    }),
  );
}

function parseMinor(text: string): number {
  const digits = /^(?:\/dev\/)?(?:drbd)?(?<n>\d{1,7})$/.exec(text)?.groups?.["n"];
  if (digits === undefined) throw new InvalidArgumentError("It must be the N of /dev/drbdN.");
  return Number(digits);
}
