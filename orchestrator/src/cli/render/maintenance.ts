/** `vigie maintenance`, and its lines on the status screen. */
import type {
  BeginMaintenanceResponse,
  EndMaintenanceResponse,
  ListMaintenancesResponse,
  Maintenance,
  MaintenanceStatus,
} from "@vigie/proto";
import { aligned } from "../../wording/command-line.js";
import { count, dateTime, duration, moment } from "../../wording/format.js";
import { briefLines } from "./incidents.js";
import { indent, section, wrapped, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";

export function renderBegun(response: BeginMaintenanceResponse, screen: Screen): string {
  const { maintenance, warnings, unawareNodes } = response;
  if (maintenance === undefined) return "The orchestrator sent no maintenance.\n";
  const { node, untilUnixMs } = maintenance;
  const left = duration(Math.max(0, untilUnixMs - screen.now));
  const lines = [
    `${screen.colour.bold(node)} is under maintenance until ${dateTime(untilUnixMs, screen.timeZone)} (${left}).`,
    "What is expected of its absence notifies nobody until then; all else is told as ever.",
    ...section(
      "Before it goes",
      warnings.map((it) => indent(`- ${screen.colour.yellow(it)}`)),
      screen,
    ),
    ...unawareLines(unawareNodes, "tell all the same"),
    ...section(
      "Next",
      aligned([
        { command: `vigie maintenance end ${node}`, why: "it is done" },
        { command: `vigie maintenance begin ${node} --for 1h`, why: "it takes longer" },
      ]).map((it) => indent(it)),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

export function renderEnded(response: EndMaintenanceResponse, screen: Screen): string {
  const { maintenance, stillOpen, unawareNodes } = response;
  const node = maintenance?.node ?? "?";
  const lines = [
    `The maintenance of ${screen.colour.bold(node)} is over.`,
    ...(stillOpen.length === 0 ? [`Nothing that it explained is open.`] : []),
    ...section(
      `Still open, and told from now on (${stillOpen.length})`,
      briefLines(stillOpen, screen),
      screen,
    ),
    ...unawareLines(unawareNodes, "still be quiet"),
  ];
  return `${lines.join("\n")}\n`;
}

export function renderMaintenances({ maintenances }: ListMaintenancesResponse, screen: Screen): string {
  if (maintenances.length === 0) return "No node is under maintenance.\n";
  const columns: Column<MaintenanceStatus>[] = [
    { heading: "NODE", cell: (it) => it.maintenance?.node ?? "?" },
    { heading: "UNTIL", cell: (it) => untilText(it.maintenance, screen) },
    { heading: "LEFT", cell: (it) => leftText(it.maintenance, screen), right: true },
    { heading: "BY", cell: (it) => it.maintenance?.person ?? "?" },
    { heading: "INCIDENTS", cell: (it) => String(it.incidents), right: true },
    { heading: "REASON", cell: (it) => it.maintenance?.reason ?? "", cut: 1, least: 16 },
  ];
  return `${table(columns, maintenances, screen).join("\n")}\n`;
}

/** For the status screen: above the incidents that it explains. */
export function maintenanceLines(
  maintenances: readonly Maintenance[],
  quiet: number,
  screen: Screen,
): string[] {
  const about = maintenances.map((it) => {
    const why = it.reason === "" ? "" : `: ${it.reason}`;
    return `${it.node} until ${untilText(it, screen)} (${leftText(it, screen)} left), by ${it.person}${why}`;
  });
  return [
    ...about.flatMap((text, n) => wrapped(text, screen, n === 0 ? "maintenance " : "            ")),
    ...(quiet === 0 ? [] : [`quiet       ${count(quiet, "incident")} that nobody is told of now`]),
  ];
}

/** @param what such a node would do */
function unawareLines(nodes: readonly string[], what: string): string[] {
  return nodes.length === 0
    ? []
    : ["", `Not confirmed by ${nodes.join(", ")}, which would, as master, ${what}.`];
}

function untilText(maintenance: Maintenance | undefined, screen: Screen): string {
  return maintenance === undefined ? "?" : moment(maintenance.untilUnixMs, screen.now, screen.timeZone);
}

function leftText(maintenance: Maintenance | undefined, screen: Screen): string {
  return maintenance === undefined ? "?" : duration(Math.max(0, maintenance.untilUnixMs - screen.now));
}
