/**
 * `vigie status`: the screen for 3 a.m. From top to bottom: is the lookout itself well, how are the disks, what is
 * wrong, what is being done about it, and what to type next.
 */
import { Health, type Run } from "@vigie/proto";
import { checkedText, faultText } from "./audit.js";
import { channelLines } from "./channels.js";
import { count, dateTime } from "../../wording/format.js";
import { briefLines } from "./incidents.js";
import { maintenanceLines } from "./maintenance.js";
import { nextSteps } from "./next-steps.js";
import { isSilent, nodeState } from "./nodes.js";
import { healthPaint, runStatePaint, yesPaint } from "./paints.js";
import { forwardSteps } from "../../wording/progress.js";
import { askedOf, currentStep, finishText, progressText } from "../../wording/progress.js";
import { indent, section, wrapped, type Screen } from "./screen.js";
import { runText } from "../../wording/subject.js";
import type { StatusView } from "./status-view.js";
import { leadershipText } from "./watch.js";
import { word } from "../../wording/words.js";

export function renderStatus(view: StatusView, screen: Screen): string {
  const { status } = view;
  const { colour } = screen;
  const lines = [
    `${colour.bold(status.cluster || "cluster not known yet")}  vigie ${status.version} on ${status.orchestratorNode}  ${colour.dim(dateTime(screen.now, screen.timeZone))}`,
    "",
    ...stoppedLines(status.killSwitch, screen),
    `leadership  ${status.leadership === undefined ? colour.magenta("unknown") : leadershipText(status.leadership, screen)}`,
    `nodes       ${nodesText(view, screen)}`,
    `disks       ${disksText(view, screen)}`,
    ...(view.resyncedUnixMs === 0 ? [] : [`resyncs     ${finishText(view.resyncedUnixMs, screen)}`]),
    `audit       ${yesPaint(status.auditIntact, screen)(status.auditIntact ? `intact${checkedText(status)}` : `BROKEN: ${faultText(status)}`)}`,
    ...channelLines(status.channels, screen),
    ...maintenanceLines(status.maintenances, status.incidentsQuiet, screen),
    ...section(`Open incidents (${status.incidentsOpen})`, briefLines(view.incidents, screen), screen),
    ...section(
      `Open runs (${Math.max(status.runsOpen, view.runs.length)})`,
      view.runs.flatMap((it) => runLines(it, screen)),
      screen,
    ),
    ...section(
      "Next",
      nextSteps(view).map((it) => `  ${it}`),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function nodesText({ status, nodes }: StatusView, screen: Screen): string {
  const all = status.nodesTotal > 0 && !nodes.some(isSilent);
  const counts = `${status.nodesReporting} of ${status.nodesTotal} reporting`;
  const odd = nodes
    .filter((it) => nodeState(it) !== "reporting" || it.maintenance !== undefined)
    .map((it) => `${it.name} ${nodeState(it)}${it.maintenance === undefined ? "" : ", under maintenance"}`);
  const paint = all ? screen.colour.green : screen.colour.magenta;
  return `${paint(counts)}${odd.length === 0 ? "" : ` (${odd.join(", ")})`}, ${count(status.instancesTotal, "instance")}`;
}

const HEALTH_ORDER = [
  ["ok", "healthy", Health.OK],
  ["resyncing", "resyncing", Health.RESYNCING],
  ["degraded", "degraded", Health.DEGRADED],
  ["stalled", "stalled", Health.STALLED],
  ["unknown", "unknown", Health.UNKNOWN],
  ["inactive", "inactive", Health.UNSPECIFIED],
] as const;

/** A zero has no colour: only what is there catches the eye. Inactive ones are told where there are any. */
function disksText({ status, health }: StatusView, screen: Screen): string {
  const told = HEALTH_ORDER.filter(([key]) => key !== "inactive" || health[key] > 0);
  const parts = told.map(([key, text, kind]) => {
    const paint = health[key] === 0 ? screen.colour.dim : healthPaint(kind, screen);
    return paint(`${health[key]} ${text}`);
  });
  return `${status.resourcesTotal} mirrored: ${parts.join(", ")}`;
}

/** Above all else: while it is thrown, Vigie only watches. */
function stoppedLines(killSwitch: string, screen: Screen): string[] {
  if (killSwitch === "") return [];
  const text = wrapped(`every action is stopped by ${killSwitch}`, screen, "STOPPED     ");
  return [...text.map((it) => screen.colour.red(it)), ""];
}

function runLines(run: Run, screen: Screen): string[] {
  const state = runStatePaint(run.state, screen)(word(run.state));
  const asked = askedOf(run);
  const more =
    asked === undefined ? progressText(run.progress, screen) : `waits for a person: ${asked.question}`;
  return [
    `  ${run.id}  ${runText(run.plan)}  ${state}${stepText(run)}`,
    ...(more === "" ? [] : [indent(more, 6)]),
  ];
}

function stepText(run: Run): string {
  const step = currentStep(run);
  const steps = run.plan === undefined ? [] : forwardSteps(run.plan);
  const index = step === undefined ? -1 : steps.indexOf(step);
  const which = index < 0 ? "" : ` ${index + 1} of ${steps.length}`;
  return step === undefined ? "" : `, step${which}: ${step.title}`;
}
