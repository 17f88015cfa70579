/** `vigie nodes`: which nodes report, and below the table what is wrong with one. */
import {
  type HungCommand,
  type ListNodesResponse,
  type NodeStatus,
  type SourceStatus,
  SourceState,
} from "@vigie/proto";
import { count, duration, moment, sizeOfBytes } from "../../wording/format.js";
import { section, type Paint, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";
import { word } from "../../wording/words.js";

export function renderNodes(response: ListNodesResponse, screen: Screen): string {
  if (response.nodes.length === 0) return "No nodes are known yet: no agent has reported.\n";
  const columns: Column<NodeStatus>[] = [
    { heading: "NODE", cell: (it) => it.name },
    { heading: "STATE", cell: nodeState, paint: (it) => statePaint(it, screen) },
    { heading: "REPORT", cell: (it) => (it.neverSeen ? "never" : duration(it.reportAgeMs)), right: true },
    { heading: "ROLE", cell: roleText },
    { heading: "DRBD", cell: (it) => it.drbdVersion || "-", leaveOut: 3 },
    { heading: "MINORS", cell: (it) => String(it.minors), right: true },
    { heading: "PRIMARY", cell: (it) => String(it.instancesPrimary), right: true, leaveOut: 4 },
    { heading: "SECONDARY", cell: (it) => String(it.instancesSecondary), right: true, leaveOut: 4 },
    { heading: "VG FREE", cell: freeText, right: true, leaveOut: 2 },
    { heading: "AGENT", cell: (it) => it.agentVersion || "-", leaveOut: 1 },
  ];
  const troubles = response.nodes.flatMap((it) => troubleLines(it, screen));
  return `${[...table(columns, response.nodes, screen), ...section("Troubles", troubles, screen)].join("\n")}\n`;
}

/** It should report, and does not. A node that Ganeti marks offline, or whose absence is planned, is not expected to. */
export function isSilent(node: NodeStatus): boolean {
  return !node.reporting && !node.offline && node.maintenance === undefined;
}

/** A node that is silent is not "down": nothing is known of it. */
export function nodeState(node: NodeStatus): string {
  if (node.offline) return "offline";
  if (!node.reporting) return "silent";
  if (node.readOnly) return "read-only";
  return node.hung.length > 0 || node.sources.some(isTrouble) ? "partly" : "reporting";
}

function statePaint(node: NodeStatus, { colour }: Screen): Paint {
  const state = nodeState(node);
  if (state === "reporting") return colour.green;
  if (state === "offline") return colour.dim;
  return state === "silent" ? colour.magenta : colour.yellow;
}

const ROLES: Readonly<Record<string, string>> = {
  M: "master",
  C: "candidate",
  R: "regular",
  D: "drained",
  O: "offline",
};

function roleText(node: NodeStatus): string {
  return ROLES[node.role] ?? (node.role || "?");
}

function freeText(node: NodeStatus): string {
  return node.vgSizeBytes === 0
    ? "-"
    : `${sizeOfBytes(node.vgFreeBytes)} of ${sizeOfBytes(node.vgSizeBytes)}`;
}

function isTrouble(source: SourceStatus): boolean {
  return (
    (source.state !== SourceState.OK && source.state !== SourceState.ABSENT) || source.damaged.length > 0
  );
}

function troubleLines(node: NodeStatus, screen: Screen): string[] {
  const name = `  ${screen.colour.bold(node.name)}`;
  const planned =
    node.maintenance === undefined
      ? []
      : [
          `${name}: under maintenance until ${moment(node.maintenance.untilUnixMs, screen.now, screen.timeZone)}`,
        ];
  const readOnly = node.readOnly ? [`${name}: refuses actions: ${node.readOnlyReason}`] : [];
  const hung = node.hung.map((it) => `${name}: ${hungText(it)}`);
  return [
    ...planned,
    ...readOnly,
    ...hung,
    ...node.sources.filter(isTrouble).map((it) => `${name}: ${sourceText(it)}`),
  ];
}

/** Past its deadline and not to be killed: its resource is refused until it ends (I37). */
function hungText({ argv, pid, sinceMs, processState }: HungCommand): string {
  return `${argv.join(" ")} hangs for ${duration(sinceMs)} (pid ${pid}, state ${processState})`;
}

function sourceText(source: SourceStatus): string {
  if (source.damaged.length === 0) return `${word(source.source)} ${word(source.state)}: ${source.reason}`;
  const [first] = source.damaged;
  const where = first === undefined || first.line === 0 ? "" : `line ${first.line}: `;
  return `${word(source.source)}: ${count(source.damaged.length, "damaged line")}, ${where}${first?.reason ?? ""}`;
}
