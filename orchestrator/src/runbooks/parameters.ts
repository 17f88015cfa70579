/** What a person or a rule gave, made into what the view knows; or a sentence that says what to give instead. */
import { VigieError, type BlockDevice, type GanetiInstance, Source, nearestWord } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import { factsOf } from "../view/node-view.js";
import type { Runbook, RunbookRequest } from "./runbook.js";

const MINOR_MAX = 2 ** 20 - 1; // of a device number in the kernel

/** @throws INVALID_ARGUMENT for a parameter that the runbook does not have, or one that is missing */
export function given(runbook: Runbook, request: RunbookRequest): Readonly<Record<string, string>> {
  const known = runbook.parameters.map(({ name }) => name);
  for (const name of Object.keys(request.parameters))
    if (!known.includes(name))
      throw wrong(`${runbook.name} has no parameter "${name}": ${known.join(", ") || "it takes none"}`);
  for (const { name, summary, required } of runbook.parameters)
    if (required && (request.parameters[name] ?? "") === "")
      throw wrong(`${runbook.name} needs ${name}: ${summary}`);
  return request.parameters;
}

/** By its name in full, or the beginning of it up to a dot. */
export function instanceNamed(view: ClusterView, name: string): GanetiInstance {
  const found = view.instances.get(nameOf("instance", name, [...view.instances.keys()]));
  if (found === undefined) throw new VigieError("NOT_FOUND", `there is no instance "${name}"`);
  return found;
}

/** By its name in full, or the beginning of it up to a dot. */
export function nodeNamed(view: ClusterView, name: string): string {
  const ganetis = (view.inventory?.nodes ?? []).map((node) => node.name);
  return nameOf("node", name, [...new Set([...ganetis, ...view.nodes.keys()])]);
}

function nameOf(what: string, name: string, known: readonly string[]): string {
  if (known.includes(name)) return name;
  const begun = known.filter((it) => it.startsWith(`${name}.`));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  if (begun.length > 1)
    throw wrong(`"${name}" may be ${begun.join(" or ")}: give the ${what}'s name in full`);
  throw new VigieError("NOT_FOUND", `there is no ${what} "${name}"${suggestion(name, known)}`, {
    details: { [what]: name },
  });
}

function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return ": Ganeti's configuration is not known yet, ask again";
  const short = nearestWord(
    name,
    known.map((it) => it.split(".")[0] ?? it),
  );
  const near = nearestWord(name, known) ?? known.find((it) => it.split(".")[0] === short);
  return near === undefined ? `: there are ${listed(known)}` : `: did you mean ${near}?`;
}

const LISTED_MAX = 8;

function listed(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, LISTED_MAX).join(", ");
  return names.length > LISTED_MAX ? `${shown} and ${names.length - LISTED_MAX} more` : shown;
}

export function minorNumber(text: string): number {
  const digits = /^(?:\/dev\/drbd|drbd)?(?<n>\d{1,7})$/.exec(text)?.groups?.["n"];
  if (digits === undefined || Number(digits) > MINOR_MAX)
    throw wrong(`"${text}" is no minor: give the N of /dev/drbdN`);
  return Number(digits);
}

/** A whole disk of a node, by "sdb" or "/dev/sdb". */
export function diskNamed(view: ClusterView, node: string, text: string): BlockDevice {
  const name = text.replace(/^\/dev\//, "").replaceAll("/", "!");
  const disks = disksOf(view, node);
  const found = disks.find((disk) => disk.name === name);
  if (found !== undefined) return found;
  const whole = disks.find((disk) => disk.partitions.includes(name));
  if (whole !== undefined) throw wrong(`${name} is a partition: give the whole disk, ${whole.name}`);
  const elsewhere = [...view.nodes.keys()].filter((other) =>
    disksOf(view, other).some((d) => d.name === name),
  );
  const there = disks.map((disk) => disk.name).filter((it) => !VIRTUAL.test(it));
  const hint =
    elsewhere.length > 0 && elsewhere.length <= 3 ? `; there is one in ${elsewhere.join(" and ")}` : "";
  const known = there.length === 0 ? "its disks are not known: ask again" : `it has ${listed(there)}`;
  throw new VigieError("NOT_FOUND", `${node} has no disk "${name}": ${known}${hint}`, {
    details: { node, disk: name },
  });
}

const VIRTUAL = /^(?:dm-|drbd|loop|md|ram|zram|sr|nbd|ubd)/;

function disksOf(view: ClusterView, node: string): readonly BlockDevice[] {
  return factsOf(view.nodes.get(node), Source.BLOCK_DEVICES, "blockDevices")?.devices ?? [];
}

/** The mirrored disks of an instance, in the order of their numbers. */
export function mirrorsOf(view: ClusterView, instance: GanetiInstance): Resource[] {
  return instance.disks
    .map((disk) => view.resources.get(disk.uuid || `${instance.name}/${disk.index}`))
    .filter((resource) => resource !== undefined)
    .toSorted((a, b) => a.diskIndex - b.diskIndex);
}

/** Of one copy of each. */
export function sizeKib(disks: readonly Resource[]): number {
  return disks.reduce((sum, { sizeMib }) => sum + sizeMib * 1024, 0);
}

export function yesOrNo(name: string, text: string | undefined, none = false): boolean {
  if (text === undefined || text === "") return none;
  if (text === "yes" || text === "no") return text === "yes";
  throw wrong(`${name}=${text}: say yes or no`);
}

export function wholeNumber(
  name: string,
  text: string | undefined,
  none: number,
  least: number,
  most: number,
) {
  if (text === undefined || text === "") return none;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw wrong(`${name}=${text}: give a number from ${least} to ${most}`);
}

export function wrong(message: string): VigieError {
  return new VigieError("INVALID_ARGUMENT", message);
}
