/** What a person may say of an open incident, and of planned work on a node: whom it makes quiet, and until when. */
import {
  IncidentVerb,
  VigieError,
  type BeginMaintenanceRequest,
  type BeginMaintenanceResponse,
  type ControlIncidentRequest,
  type ControlIncidentResponse,
  type EndMaintenanceRequest,
  type EndMaintenanceResponse,
  type Incident,
  type ListMaintenancesResponse,
} from "@vigie/proto";
import { acknowledged, awake, snoozed, type Word } from "../detect/attention.js";
import type { Orchestrator } from "../orchestrator.js";
import { nodeNamed } from "../runbooks/parameters.js";
import { maintenanceWarnings } from "./maintenance-warnings.js";
import { onlyOne } from "./only-one.js";
import { unawareOf } from "./unaware.js";

const HOUR_MS = 3_600_000;

export function createAttentionService(orchestrator: Orchestrator) {
  const { clock, config, desk, keeper, leader, maintenance, recorder } = orchestrator;
  return { controlIncident, beginMaintenance, endMaintenance, listMaintenances };

  async function controlIncident(
    { id, verb, forMs, reason }: ControlIncidentRequest,
    person: string,
  ): Promise<ControlIncidentResponse> {
    const open = desk.open().filter((it) => id !== "" && it.id.startsWith(id));
    const before = onlyOne(open, "open incident", id);
    const incident = said(before, verb, forMs, { person, reason: reason.trim() });
    const audit = {
      unixMs: clock.wallUnixMs(),
      actor: person,
      action: `incident.${ACTIONS[verb]}`,
      subject: incident.id,
      detail: { reason: reason.trim(), untilUnixMs: incident.snooze?.untilUnixMs ?? 0 },
    };
    await recorder.record([...desk.update(incident), { record: "audit", audit }]);
    return { incident };
  }

  function said(incident: Incident, verb: IncidentVerb, forMs: number, word: Word): Incident {
    const now = desk.now();
    switch (verb) {
      case IncidentVerb.ACKNOWLEDGE:
        return acknowledged(incident, word, now);
      case IncidentVerb.SNOOZE: {
        const maxH = config().incidents.snooze_max_h;
        if (!(forMs >= 1_000 && forMs <= maxH * HOUR_MS))
          throw new VigieError(
            "INVALID_ARGUMENT",
            `a snooze has an end: at most ${maxH} h from now (incidents.snooze_max_h in orchestrator.toml)`,
          );
        return snoozed(incident, word, Math.round(forMs), now);
      }
      case IncidentVerb.WAKE: {
        if ((incident.acknowledgement ?? incident.snooze) === undefined)
          throw new VigieError("CONFLICT", `${incident.id} is neither acknowledged nor snoozed`);
        const why = word.reason === "" ? "" : `: ${word.reason}`;
        return awake(incident, `woken by ${word.person}${why}`, now);
      }
      case IncidentVerb.UNSPECIFIED:
      case IncidentVerb.UNRECOGNIZED:
        throw new VigieError("INVALID_ARGUMENT", "this orchestrator does not know that verb");
    }
  }

  /** Only who leads: it makes quiet what the cluster's orchestrator would tell. */
  async function beginMaintenance(
    { node: named, forMs, reason }: BeginMaintenanceRequest,
    person: string,
  ): Promise<BeginMaintenanceResponse> {
    const node = nodeNamed(keeper.view(), named);
    if (leader.epoch() === 0) throw new VigieError("NOT_LEADING", leader.status().reason);
    const warnings = maintenanceWarnings(orchestrator, node);
    const begun = await maintenance.begin(node, forMs, person, reason.trim());
    return { maintenance: begun, warnings, unawareNodes: await unaware() };
  }

  /** Whoever is asked: it only lets more be told. */
  async function endMaintenance(
    { node: named, reason }: EndMaintenanceRequest,
    person: string,
  ): Promise<EndMaintenanceResponse> {
    const node = maintenance.on().find((it) => it.node === named)?.node ?? nodeNamed(keeper.view(), named);
    const ids = explainedBy(node).map(({ id }) => id);
    const ended = await maintenance.end(node, person, reason.trim());
    const stillOpen = desk.open().filter(({ id }) => ids.includes(id));
    return { maintenance: ended, stillOpen, unawareNodes: await unaware() };
  }

  async function listMaintenances(): Promise<ListMaintenancesResponse> {
    return {
      maintenances: maintenance
        .on()
        .map((it) => ({ maintenance: it, incidents: explainedBy(it.node).length })),
    };
  }

  function explainedBy(node: string): Incident[] {
    return desk.open().filter((incident) => incident.maintenance?.node === node);
  }

  function unaware(): Promise<string[]> {
    const { number } = maintenance.newest();
    return unawareOf(orchestrator, (node) => node.maintenanceNumber >= number);
  }
}

const ACTIONS: Readonly<Record<IncidentVerb, string>> = {
  [IncidentVerb.UNSPECIFIED]: "",
  [IncidentVerb.ACKNOWLEDGE]: "acknowledged",
  [IncidentVerb.SNOOZE]: "snoozed",
  [IncidentVerb.WAKE]: "woken",
  [IncidentVerb.UNRECOGNIZED]: "",
};
