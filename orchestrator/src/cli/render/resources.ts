/** `vigie resources`: one line a mirrored disk; the worst first, because that is what is looked for. */
import {
  connectionWord,
  diskWord,
  Health,
  type ListResourcesResponse,
  type ResourceEnd,
  type ResourceStatus,
} from "@vigie/proto";
import { duration, percent, sizeOfKib } from "../../wording/format.js";
import { healthPaint } from "./paints.js";
import type { Screen } from "./screen.js";
import { diskText, shortNames } from "../../wording/subject.js";
import { table, type Column } from "./table.js";
import { healthWord } from "../../wording/words.js";

const ORDER: readonly Health[] = [
  Health.STALLED,
  Health.UNKNOWN,
  Health.UNRECOGNIZED,
  Health.DEGRADED,
  Health.RESYNCING,
  Health.OK,
  Health.UNSPECIFIED,
];

export function renderResources(response: ListResourcesResponse, screen: Screen): string {
  if (response.resources.length === 0) return "No mirrored disks.\n";
  const short = shortNames(response.resources.flatMap((it) => it.ends.map((end) => end.node)));
  const columns: Column<ResourceStatus>[] = [
    { heading: "DISK", cell: (it) => diskText(it.instance, it.diskIndex), cut: 3, least: 20 },
    { heading: "HEALTH", cell: (it) => healthWord(it.health), paint: (it) => healthPaint(it.health, screen) },
    {
      heading: "ENDS",
      cell: (it) => it.ends.map((end) => `${short(end.node)}:${end.minor}`).join(" "),
      cut: 2,
      least: 16,
    },
    { heading: "CS", cell: (it) => bothEnds(it, (end) => connectionOf(end)), leaveOut: 4 },
    { heading: "DS", cell: (it) => bothEnds(it, (end) => diskOf(end)), leaveOut: 3 },
    { heading: "WHAT", cell: whatText, cut: 1, least: 25 },
    { heading: "SIZE", cell: (it) => sizeOfKib(it.sizeMib * 1024), right: true, leaveOut: 2 },
    { heading: "PORT", cell: (it) => String(it.port), right: true, leaveOut: 1 },
  ];
  return `${table(columns, worstFirst(response.resources), screen).join("\n")}\n`;
}

export function worstFirst<T extends { readonly health: Health }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => ORDER.indexOf(a.health) - ORDER.indexOf(b.health));
}

/** One word where both ends say the same. */
function bothEnds(resource: ResourceStatus, of: (end: ResourceEnd) => string): string {
  return [...new Set(resource.ends.map(of))].join(" ");
}

function connectionOf(end: ResourceEnd): string {
  return end.drbd === undefined ? "?" : connectionWord(end.drbd.connection);
}

function diskOf(end: ResourceEnd): string {
  return end.drbd === undefined ? "?" : diskWord(end.drbd.disk);
}

function whatText(resource: ResourceStatus): string {
  const unknown = resource.ends.find((it) => it.unknownReason !== "");
  if (unknown !== undefined) return `${unknown.node}: ${unknown.unknownReason}`;
  const resync = resource.ends.find((it) => it.drbd?.resync !== undefined)?.drbd?.resync;
  if (resync === undefined) return "-";
  const still = Math.min(...resource.ends.map((it) => it.stillMs));
  const moving = `${percent(resync.donePercent)} done, ${sizeOfKib(resync.leftKib)} left`;
  if (resource.health === Health.STALLED && still > 0) return `still for ${duration(still)}, ${moving}`;
  return resync.finishS === undefined ? moving : `${moving}, ${duration(resync.finishS * 1000)} to go`;
}
