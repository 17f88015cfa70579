/**
 * `vigie incident show`: all that a person needs to agree or disagree with the machine – what both ends said, why it
 * decided so, what was done when, and what one would type by hand.
 */
import { type GetIncidentResponse, type Incident, IncidentState, type ResourceStatus } from "@vigie/proto";
import { endLines, evidenceLines } from "./drbd-facts.js";
import { dateTime, duration, offset, since } from "../../wording/format.js";
import { healthPaint, incidentStatePaint, severityPaint } from "./paints.js";
import { indent, section, type Screen } from "./screen.js";
import { diskText, subjectText } from "../../wording/subject.js";
import { attentionTexts } from "../../wording/quiet.js";
import { healthWord, word } from "../../wording/words.js";

export function renderIncident({ incident, now }: GetIncidentResponse, screen: Screen): string {
  if (incident === undefined) return "The orchestrator sent no incident.\n";
  const lines = [
    ...headLines(incident, screen),
    ...section("Evidence when it was opened", evidenceLines(incident.evidence, screen), screen),
    ...now.flatMap((it) => nowLines(it, screen)),
    ...section("Why it was decided so", bullets(incident.decision), screen),
    ...section("Timeline", timeline(incident), screen),
    ...section(
      "By hand",
      incident.manualCommands.map((it) => indent(it)),
      screen,
    ),
    ...section("Next", nextLines(incident), screen),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines(incident: Incident, screen: Screen): string[] {
  const { colour } = screen;
  const states = [
    severityPaint(incident.severity, screen)(word(incident.severity)),
    incidentStatePaint(incident.state, screen)(word(incident.state)),
  ];
  return [
    `${colour.bold(incident.id)}  ${word(incident.kind)}  ${states.join("  ")}`,
    `${colour.bold(subjectText(incident.subject))}: ${incident.summary}`,
    `opened ${dateTime(incident.openedUnixMs, screen.timeZone)}, ${lasting(incident, screen)}`,
    ...attentionTexts(incident, screen.now, screen.timeZone),
  ];
}

function lasting(incident: Incident, screen: Screen): string {
  const parts =
    incident.state === IncidentState.CLOSED
      ? [`closed after ${duration(incident.closedUnixMs - incident.openedUnixMs)}`]
      : [`${since(incident.openedUnixMs, screen.now)} ago`];
  if (incident.lastProgressUnixMs > 0 && incident.state !== IncidentState.CLOSED) {
    parts.push(`last progress ${since(incident.lastProgressUnixMs, screen.now)} ago`);
  }
  if (incident.runId !== "") parts.push(`run ${incident.runId}`);
  return parts.join(", ");
}

function nowLines(resource: ResourceStatus, screen: Screen): string[] {
  const health = healthPaint(resource.health, screen)(healthWord(resource.health));
  const heading = `Now: ${diskText(resource.instance, resource.diskIndex)} is ${health}`;
  return section(heading, endLines(resource.ends, screen), screen);
}

/** Seconds since the incident was opened. */
function timeline(incident: Incident): string[] {
  const times = incident.events.map((it) => offset(it.unixMs, incident.openedUnixMs));
  const width = Math.max(0, ...times.map((it) => it.length));
  return incident.events.map((it, n) => `  ${(times[n] ?? "").padStart(width)}  ${it.text}`);
}

function bullets(texts: readonly string[]): string[] {
  return texts.map((it) => indent(`- ${it.replaceAll("\n", "\n  ")}`));
}

function nextLines(incident: Incident): string[] {
  const lines = incident.runId === "" ? [] : [`  vigie run show ${incident.runId}`];
  if (incident.state === IncidentState.NEEDS_PERSON) lines.unshift("  This one waits for a person.");
  return lines;
}
