/** `vigie watch`: one readable line an event, in the order of the stream. */
import {
  type Leadership,
  type NodeChange,
  type RunChange,
  type Incident,
  type WatchResponse,
} from "@vigie/proto";
import { timeOfDay } from "../../wording/format.js";
import { incidentStatePaint, runStatePaint, severityPaint, yesPaint } from "./paints.js";
import { runEventText } from "./run-events.js";
import type { Screen } from "./screen.js";
import { subjectText } from "../../wording/subject.js";
import { word } from "../../wording/words.js";

const KIND_WIDTH = 10;

export function renderWatchEvent(response: WatchResponse, screen: Screen): string {
  const time = screen.colour.dim(timeOfDay(response.unixMs, screen.timeZone));
  return `${time}  ${eventText(response, screen).replaceAll(/\s*\n\s*/g, " ")}\n`;
}

function eventText({ event }: WatchResponse, screen: Screen): string {
  switch (event?.$case) {
    case "incident":
      return `${"incident".padEnd(KIND_WIDTH)}  ${incidentText(event.value, screen)}`;
    case "run":
      return `${"run".padEnd(KIND_WIDTH)}  ${runText(event.value, screen)}`;
    case "leadership":
      return `${"leadership".padEnd(KIND_WIDTH)}  ${leadershipText(event.value, screen)}`;
    case "node":
      return `${"node".padEnd(KIND_WIDTH)}  ${nodeText(event.value, screen)}`;
    case undefined:
      return "an event of a kind that this vigie does not know";
  }
  return "";
}

function incidentText(incident: Incident, screen: Screen): string {
  const severity = severityPaint(incident.severity, screen)(word(incident.severity));
  const state = incidentStatePaint(incident.state, screen)(word(incident.state));
  const latest = incident.events.at(-1)?.text ?? incident.summary;
  return `${incident.id}  ${severity} ${word(incident.kind)} ${subjectText(incident.subject)}  ${state}: ${latest}`;
}

function runText(change: RunChange, screen: Screen): string {
  const { event } = change;
  const state = runStatePaint(change.state, screen)(word(change.state));
  if (event === undefined) return `${change.runId}  ${change.runbook}  ${state}`;
  return `${change.runId}  ${change.runbook}  ${state}  ${runEventText(event, [], screen)}`;
}

export function leadershipText(leadership: Leadership, screen: Screen): string {
  const verdict = leadership.leads ? `leads with epoch ${leadership.epoch}` : "does not lead";
  const votes = `${leadership.votes} of ${leadership.voters} votes`;
  const reason = leadership.reason === "" ? "" : `: ${leadership.reason}`;
  return `${yesPaint(leadership.leads, screen)(verdict)}, ${votes}${reason}`;
}

function nodeText(change: NodeChange, screen: Screen): string {
  const state = change.reporting ? screen.colour.green("reports") : screen.colour.magenta("is silent");
  return `${change.node} ${state}${change.text === "" ? "" : `: ${change.text}`}`;
}
