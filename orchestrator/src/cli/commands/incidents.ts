/** `vigie incidents`; `vigie incident`: one is shown, and a person says whether somebody works on it or it can wait. */
import type { Command } from "commander";
import { IncidentVerb, VigieError } from "@vigie/proto";
import { EXIT } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { renderIncident } from "../render/incident.js";
import { renderIncidents } from "../render/incidents.js";
import { forOption, limitOption } from "./options.js";

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
  const incident = program.command("incident").description("one incident");
  addShow(incident, register);
  for (const verb of VERBS) addVerb(incident, register, verb);
}

function addShow(incident: Command, register: Register): void {
  const command = incident
    .command("show")
    .description("evidence of both ends, reasons of the decision, timeline, and the commands by hand")
    .argument("<id>", ID);
  register(command, ({ withApi, show }: Invocation, id: string) =>
    withApi(async (api) => {
      show(await api.ask("getIncident", { id }), renderIncident);
      return EXIT.ok;
    }),
  );
}

const ID = "the incident's id, or an unambiguous beginning";

interface Verb {
  readonly name: string;
  readonly verb: IncidentVerb;
  readonly about: string;
  readonly takesTime: boolean;
}

const VERBS: readonly Verb[] = [
  {
    name: "ack",
    verb: IncidentVerb.ACKNOWLEDGE,
    about: "somebody works on it: it is not repeated, but told again if it becomes worse",
    takesTime: false,
  },
  {
    name: "snooze",
    verb: IncidentVerb.SNOOZE,
    about: "it can wait: quiet for a while, unless it becomes worse",
    takesTime: true,
  },
  {
    name: "wake",
    verb: IncidentVerb.WAKE,
    about: "take an acknowledgement or a snooze back",
    takesTime: false,
  },
];

function addVerb(incident: Command, register: Register, { name, verb, about, takesTime }: Verb): void {
  const command = incident.command(name).description(about).argument("<id>", ID);
  if (takesTime) command.addOption(forOption("how long from now"));
  command.option("--reason <why>", "kept in its history and the audit log, with your name");
  register(
    command,
    (
      { withApi, show }: Invocation,
      id: string,
      { for: forMs = 0, reason = "" }: { for?: number; reason?: string },
    ) =>
      withApi(async (api) => {
        const answer = await api.ask("controlIncident", { id, verb, forMs, reason });
        if (answer.incident === undefined)
          throw new VigieError("COMMAND_FAILED", `the orchestrator sent no incident for ${id}`);
        show(answer, ({ incident }, screen) => renderIncident({ incident, now: [] }, screen));
        return EXIT.ok;
      }),
  );
}
