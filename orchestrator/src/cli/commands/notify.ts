/** `vigie notify`: who is told, and whether it arrives; `vigie notify test` tries it now. */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderChannels, renderTests } from "../render/channels.js";

export function addNotify(program: Command, register: Register): void {
  const command = program
    .command("notify")
    .description("the channels that tell people: what each last delivered, and what waits");
  register(command, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      show(await api.ask("listChannels", {}), renderChannels);
      return EXIT.ok;
    }),
  );
  const test = command
    .command("test")
    .argument("[channel]", "only this one")
    .description("send a test message now, and print what the receiver answers");
  register(test, ({ withApi, show }: Invocation, channel: string | undefined) =>
    withApi(async (api) => {
      const answer = await api.ask("testChannels", { channel: channel ?? "" });
      show(answer, renderTests);
      return answer.tests.every((it) => it.delivered) ? EXIT.ok : EXIT.failed;
    }),
  );
}
