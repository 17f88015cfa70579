/** `vigie incidents` and `vigie incident show ID` */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderIncident } from "../render/incident.js";
import { renderIncidents } from "../render/incidents.js";
import { limitOption } from "./options.js";

export function addIncidents(program: Command, register: Register): void {
  const command = program
    .command("incidents")
    .description("what is wrong, newest first")
    .option("--all", "closed ones too")
    .addOption(limitOption());
  register(
    command,
    ({ withApi, show }: Invocation, { all = false, limit }: { all?: boolean; limit: number }) =>
      withApi(async (api) => {
        show(await api.ask("listIncidents", { includeClosed: all, limit }), renderIncidents);
        return EXIT.ok;
      }),
  );
}

export function addIncident(program: Command, register: Register): void {
  const command = program
    .command("incident")
    .description("one incident")
    .command("show")
    .description("evidence of both ends, reasons of the decision, timeline, and the commands by hand")
    .argument("<id>", "the incident's id, or an unambiguous beginning");
  register(command, ({ withApi, show }: Invocation, id: string) =>
    withApi(async (api) => {
      show(await api.ask("getIncident", { id }), renderIncident);
      return EXIT.ok;
    }),
  );
}
