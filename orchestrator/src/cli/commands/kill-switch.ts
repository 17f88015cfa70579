/** `vigie stop` and `vigie go`: the one kill switch at the orchestrator (I33). */
import type { Command } from "commander";
import type { SetKillSwitchResponse } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import type { Screen } from "../render/screen.js";

export function addStop(program: Command, register: Register): void {
  const about = "stop every action at once: nothing more is sent, but what takes a cut back";
  addSwitch(program, register, "stop", true, about);
}

export function addGo(program: Command, register: Register): void {
  addSwitch(program, register, "go", false, "let actions go on after vigie stop");
}

function addSwitch(
  program: Command,
  register: Register,
  name: string,
  stopped: boolean,
  about: string,
): void {
  const command = program
    .command(name)
    .description(about)
    .requiredOption("--reason <why>", "kept in the audit log with your name");
  register(command, ({ withApi, show }: Invocation, { reason }: { reason: string }) =>
    withApi(async (api) => {
      const answer = await api.ask("setKillSwitch", { stopped, reason });
      show(answer, renderSwitch);
      return answer.stopped === stopped && answer.confirmed ? EXIT.ok : EXIT.failed;
    }),
  );
}

function renderSwitch(answer: SetKillSwitchResponse, { colour }: Screen): string {
  const { stopped, confirmed, unconfirmedReason, unawareNodes } = answer;
  const unsure = [
    ...(confirmed
      ? []
      : [`${colour.red("NOT CONFIRMED")}: ${unconfirmedReason}. Say it on the master, too.`]),
    ...(unawareNodes.length === 0
      ? []
      : [
          `Not known to ${unawareNodes.join(", ")}${stopped ? ": there, touch /etc/vigie/stop stops it" : ""}.`,
        ]),
  ].map((line) => `${line}\n`);
  if (!stopped)
    return `${colour.green("Actions go on.")} What was stopped half-way: vigie runs --open\n${unsure.join("")}`;
  const what = "This orchestrator sends nothing more to any agent, but what takes a cut or a pause back.";
  return `${colour.red("STOPPED.")} ${what}\n${unsure.join("")}Let it go on: vigie go --reason WHY\n`;
}
