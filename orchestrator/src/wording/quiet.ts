/** Whether an open incident is quiet, and how that is said. Screens, messages and the exit code agree by it. */
import { IncidentState, type Incident } from "@vigie/proto";
import { moment } from "./format.js";

type About = Pick<Incident, "maintenance" | "snooze">;

/** It notifies nobody for now: a planned maintenance explains it, or a person snoozed it. */
export function isQuiet({ maintenance, snooze }: About): boolean {
  return maintenance !== undefined || snooze !== undefined;
}

/** It is not repeated: it is quiet, or somebody works on it. */
export function isInHand(incident: Pick<Incident, "maintenance" | "snooze" | "acknowledgement">): boolean {
  return isQuiet(incident) || incident.acknowledgement !== undefined;
}

/** `h3 is under maintenance until 14:05 UTC`, one line for each that is so; none where nobody said anything of it. */
export function attentionTexts(incident: Incident, now: number, timeZone?: string): string[] {
  const { maintenance, snooze, acknowledgement, state } = incident;
  if (state === IncidentState.CLOSED) return [];
  const at = (unixMs: number): string => moment(unixMs, now, timeZone);
  return [
    ...(maintenance === undefined
      ? []
      : [`${maintenance.node} is under maintenance until ${at(maintenance.untilUnixMs)}: this is expected`]),
    ...(snooze === undefined
      ? []
      : [
          `snoozed until ${at(snooze.untilUnixMs)} by ${snooze.person}, at ${at(snooze.unixMs)}${because(snooze.reason)}`,
        ]),
    ...(acknowledgement === undefined
      ? []
      : [
          `acknowledged by ${acknowledgement.person}, at ${at(acknowledgement.unixMs)}${because(acknowledgement.reason)}`,
        ]),
  ];
}

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}
