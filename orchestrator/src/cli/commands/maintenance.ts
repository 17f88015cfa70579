/** `vigie maintenance`: planned work on a node is announced, so that what is expected of it wakes nobody. */
import type { Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderBegun, renderEnded, renderMaintenances } from "../render/maintenance.js";
import { forOption } from "./options.js";

const KEPT = "kept in the audit log with your name";

export function addMaintenance(program: Command, register: Register): void {
  const maintenance = program
    .command("maintenance")
    .description("planned work on a node: what is expected of its absence notifies nobody");
  addBegin(maintenance, register);
  addEnd(maintenance, register);
  addList(maintenance, register);
}

function addBegin(maintenance: Command, register: Register): void {
  const command = maintenance
    .command("begin")
    .description("announce it, or give it another end; it always has one")
    .argument("<node>", "the node that will be away")
    .addOption(forOption("how long from now"))
    .option("--reason <why>", KEPT);
  register(
    command,
    (
      { withApi, show }: Invocation,
      node: string,
      { for: forMs, reason = "" }: { for: number; reason?: string },
    ) =>
      withApi(async (api) => {
        show(await api.ask("beginMaintenance", { node, forMs, reason }), renderBegun);
        return EXIT.ok;
      }),
  );
}

function addEnd(maintenance: Command, register: Register): void {
  const command = maintenance
    .command("end")
    .description("it is done: what is still wrong there is told from now on")
    .argument("<node>", "the node")
    .option("--reason <why>", KEPT);
  register(command, ({ withApi, show }: Invocation, node: string, { reason = "" }: { reason?: string }) =>
    withApi(async (api) => {
      show(await api.ask("endMaintenance", { node, reason }), renderEnded);
      return EXIT.ok;
    }),
  );
}

function addList(maintenance: Command, register: Register): void {
  const command = maintenance
    .command("list")
    .description("which nodes, until when, by whom, and what it explains");
  register(command, ({ withApi, show }: Invocation) =>
    withApi(async (api) => {
      show(await api.ask("listMaintenances", {}), renderMaintenances);
      return EXIT.ok;
    }),
  );
}
