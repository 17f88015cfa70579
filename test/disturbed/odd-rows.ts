/** One row of what an agent reads is not understood: cut, or with an odd field. All other rows are as they are. */
import type { Random } from "./random.js";
import type { Scene } from "./scene.js";
import { volumeNames } from "../simulator/world.js";

export type OddRow =
  | { readonly what: "guest"; readonly name: string } // its process is not known to be it
  | { readonly what: "volume"; readonly name: string }
  | { readonly what: "disks"; readonly name: string } // of an instance, in config.data
  | { readonly what: "instance"; readonly name: string } // in LUXI's answer
  | { readonly what: "node"; readonly name: string }; // likewise

const FAKE = "/var/run/ganeti/fake-hypervisor";
const KVM = "/var/run/ganeti/kvm-hypervisor/pid";
const PID = "4711";
const LISTINGS = /\/(?:lvs|vgs|pvs)$/;

/** Of something that the run is about, where there is one. @returns what to give to the node's faults */
export function drawOddRow(
  { world, random }: Pick<Scene, "world" | "random">,
  locks: readonly string[],
): { readonly node: string; readonly row: OddRow } | undefined {
  const isMeant = (instance: string): boolean => locks.includes(`instance ${instance}`);
  const placed = world.ganeti.instances.flatMap(({ name, primary, disks }) =>
    [primary, ...(disks[0]?.ends ?? []).map((end) => end.node)].map((node) => ({ name, node, disks })),
  );
  const meant = placed.filter(({ name }) => isMeant(name));
  if (placed.length === 0) return undefined;
  const { name, node, disks } = random.pick(meant.length > 0 && random.chance(0.7) ? meant : placed);
  const [disk] = random.shuffled(disks);
  const kinds: readonly (OddRow["what"] | "volume")[] = [
    "guest",
    "guest",
    "volume",
    "volume",
    "disks",
    "instance",
    "node",
  ];
  const what = random.pick(kinds);
  if (what === "guest") {
    const runsOn = [...world.nodes.values()].find(({ guests }) => guests.has(name))?.name;
    return { node: runsOn ?? node, row: { what, name } };
  }
  if (what === "volume")
    return disk === undefined ? undefined : { node, row: { what, name: volumeNames(disk).data } };
  return { node: world.master, row: { what, name: what === "node" ? node : name } };
}

/** @param names what the folder holds */
export function oddFolder(
  row: OddRow | undefined,
  path: string,
  guests: () => Promise<readonly string[]>,
): Promise<string[]> | undefined {
  if (row?.what !== "guest" || (path !== FAKE && path !== KVM)) return undefined;
  return guests().then((names) =>
    path === FAKE ? names.filter((name) => name !== row.name) : names.filter((name) => name === row.name),
  );
}

/** Where the hypervisor of the simulated nodes keeps its guests. */
export const GUESTS_FOLDER = FAKE;

/** @returns undefined: it is no file of the odd guest's */
export function oddFile(row: OddRow | undefined, path: string): string | undefined {
  if (row?.what !== "guest") return undefined;
  if (path === `${KVM}/${row.name}`) return `${PID}\n`;
  return path === `/proc/${PID}/cmdline` ? "/usr/local/bin/wrapper\0-x" : undefined;
}

export function oddText(row: OddRow | undefined, of: string, text: string, random: Random): string {
  if (row === undefined) return text;
  if (row.what === "volume" && LISTINGS.test(of)) return oddVolume(text, row.name, random);
  if (row.what === "disks" && of.endsWith("/config.data")) return oddDisks(text, row.name);
  if ((row.what === "instance" || row.what === "node") && of.includes("query"))
    return oddCell(text, row.name, random);
  return text;
}

const ODD_FIELDS = [
  ["lv_attr", "?"],
  ["lv_uuid", "cut"],
  ["lv_size", "1.0g"],
  ["seg_size", ""],
] as const;

function oddVolume(text: string, name: string, random: Random): string {
  const [field, value] = random.pick(ODD_FIELDS);
  return edited(text, (document) => {
    for (const report of (document as LvmDocument).report ?? [])
      for (const row of report.lv ?? []) if (row["lv_name"] === name) row[field] = value;
  });
}

function oddDisks(text: string, instance: string): string {
  return edited(text, (document) => {
    const { instances = {}, disks = {} } = document as ConfigDocument;
    for (const uuid of instances[instance]?.disks ?? []) Object.assign(disks[uuid] ?? {}, { dev_type: 7 });
  });
}

/** "no data", in the place of what the configuration says of it. */
function oddCell(text: string, name: string, random: Random): string {
  return edited(text, (document) => {
    const { result } = document as LuxiDocument;
    for (const row of result?.data ?? [])
      if (row[0]?.[1] === name) row.splice(random.int(1, row.length - 1), 1, [1, null]);
  });
}

interface LvmDocument {
  readonly report?: readonly { readonly lv?: readonly Record<string, string>[] }[];
}

interface ConfigDocument {
  readonly instances?: Readonly<Record<string, { readonly disks?: readonly string[] }>>;
  readonly disks?: Readonly<Record<string, object>>;
}

interface LuxiDocument {
  readonly result?: { readonly data?: (readonly [number, unknown])[][] };
}

function edited(text: string, edit: (document: unknown) => void): string {
  try {
    const document: unknown = JSON.parse(text);
    edit(document);
    return JSON.stringify(document);
  } catch {
    return text; // it is damaged as a whole
  }
}
