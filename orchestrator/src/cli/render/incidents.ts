/** `vigie incidents`: newest first, one line each. */
import { type Incident, IncidentState, type ListIncidentsResponse } from "@vigie/proto";
import { duration, since } from "../../wording/format.js";
import { incidentStatePaint, severityPaint } from "./paints.js";
import { indent, type Paint, type Screen } from "./screen.js";
import { subjectText } from "../../wording/subject.js";
import { table, type Column } from "./table.js";
import { isQuiet } from "../../wording/quiet.js";
import { word } from "../../wording/words.js";

export function renderIncidents(response: ListIncidentsResponse, screen: Screen): string {
  if (response.incidents.length === 0) return "No incidents.\n";
  const columns: Column<Incident>[] = [
    ...leadingColumns(screen),
    { heading: "FOR", cell: (it) => ageText(it, screen.now), right: true },
    { heading: "SUMMARY", cell: (it) => it.summary, cut: 1, least: 16 },
  ];
  return `${table(columns, response.incidents, screen).join("\n")}\n`;
}

const BRIEF_AT_MOST = 8;

/** For the status screen: the summary is whole, on a line of its own, and a storm does not push all else away. */
export function briefLines(incidents: readonly Incident[], screen: Screen): string[] {
  const shown = incidents.slice(0, BRIEF_AT_MOST);
  const age: Column<Incident> = { heading: "", cell: (it) => `for ${ageText(it, screen.now)}` };
  const lines = table([...leadingColumns(screen), age], shown, screen, 2).slice(1);
  const rest = incidents.length - shown.length;
  return [
    ...lines.flatMap((line, n) => [line, indent(shown[n]?.summary.replaceAll("\n", " ") ?? "", 6)]),
    ...(rest > 0 ? [`  and ${rest} more: vigie incidents`] : []),
  ];
}

function leadingColumns(screen: Screen): Column<Incident>[] {
  return [
    { heading: "INCIDENT", cell: (it) => it.id },
    {
      heading: "SEVERITY",
      cell: (it) => word(it.severity),
      paint: (it) => severityPaint(it.severity, screen),
    },
    { heading: "KIND", cell: (it) => word(it.kind), leaveOut: 1 },
    { heading: "ABOUT", cell: (it) => subjectText(it.subject), cut: 2, least: 14 },
    { heading: "STATE", cell: stateText, paint: (it) => statePaint(it, screen) },
  ];
}

/** `open`; `maintenance`, `snoozed` where it is quiet; `healing, acked`. */
function stateText(incident: Incident): string {
  const { state, maintenance, snooze, acknowledgement } = incident;
  if (state === IncidentState.CLOSED) return word(state);
  if (maintenance !== undefined) return "maintenance";
  if (snooze !== undefined) return "snoozed";
  return acknowledgement === undefined ? word(state) : `${word(state)}, acked`;
}

function statePaint(incident: Incident, screen: Screen): Paint {
  const quiet = incident.state !== IncidentState.CLOSED && isQuiet(incident);
  return quiet ? screen.colour.dim : incidentStatePaint(incident.state, screen);
}

/** How long it has been open, or how long it was. */
function ageText(incident: Incident, now: number): string {
  if (incident.state !== IncidentState.CLOSED) return since(incident.openedUnixMs, now);
  return duration(Math.max(0, incident.closedUnixMs - incident.openedUnixMs));
}
