/** `vigie resources` */
import { Option, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderResources } from "../render/resources.js";
import { healthWord } from "../../wording/words.js";

interface Options {
  readonly node?: string;
  readonly instance?: string;
  readonly health?: string;
}

export function addResources(program: Command, register: Register): void {
  const command = program
    .command("resources")
    .description("every mirrored disk with both its ends, the worst first")
    .option("--node <name>", "only those with an end on this node")
    .option("--instance <name>", "only those of this instance")
    .addOption(
      new Option("--health <word>", "only those in this health").choices([
        "ok",
        "resyncing",
        "degraded",
        "stalled",
        "unknown",
        "inactive",
      ]),
    );
  register(command, ({ withApi, show }: Invocation, options: Options) =>
    withApi(async (api) => {
      const { node = "", instance = "", health } = options;
      const { resources } = await api.ask("listResources", { node, instance });
      show(
        { resources: resources.filter((it) => health === undefined || healthWord(it.health) === health) },
        renderResources,
      );
      return EXIT.ok;
    }),
  );
}
