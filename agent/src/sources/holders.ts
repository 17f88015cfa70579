/**
 * Who keeps /dev/drbdN open, so that it cannot be taken down (W3)? Everything that the kernel can tell from here:
 * what stands on it, what is mounted from it in any mount namespace, loops, swap, and the processes that have it open.
 */
import { explain, HolderKind, Source, VigieError, type Damaged, type Holder } from "@vigie/proto";
import { stackAbove, type StackedDevice } from "../disk-stack.js";
import type { Host } from "../host.js";
import { readDmsetup } from "./device-mapper.js";
import { isOver, processesWith } from "./holders-processes.js";
import { parseMountinfo, parseSwaps, type MountedDevice } from "./mountinfo.js";
import { isMissing } from "./reading.js";
import { NOTHING_ASKED, type Reading, type SourceDefinition } from "./source.js";

const MAX_DETAIL_LENGTH = 300;
const LOOP = /^loop\d+$/;

export const holders: SourceDefinition = {
  source: Source.HOLDERS,
  periodMs: undefined,
  about: "minor",
  deadlineMs: 10_000,
  read: async (host, { minor } = NOTHING_ASKED) => {
    const dev = await host.readFile(`/sys/block/drbd${minor}/dev`).catch(emptyIfMissing);
    if (dev === "") return { state: "absent", reason: `there is no /dev/drbd${minor}` };
    return read(host, minor, dev.trim());
  },
};

/** What may be held: the device itself and everything above it. */
interface Held {
  readonly devs: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
}

/** @throws VigieError or as node:fs does: what is there, and cannot be looked at, is not absent (I11) */
async function read(host: Host, minor: number, dev: string): Promise<Reading> {
  const name = `drbd${minor}`;
  const above = await stackAbove(host, name);
  const held: Held = {
    devs: new Set([dev, ...above.map((device) => device.dev)]),
    paths: new Set([`/dev/${name}`, ...above.flatMap(pathsOf)]),
  };
  const damaged: Damaged[] = [];
  const opens = await openCounts(host, above, damaged);
  const found = [
    ...maps(above, opens),
    ...(await mounts(host, held, damaged)),
    ...(await loops(host, held)),
    ...(await swaps(host, held)),
    ...(await processesWith(host, held.paths, damaged)),
  ];
  const value = { minor, holders: found.map(cut) };
  return { state: "ok", facts: { $case: "holders", value }, damaged };
}

function pathsOf({ name, dmName }: StackedDevice): string[] {
  return dmName === "" ? [`/dev/${name}`] : [`/dev/${name}`, `/dev/mapper/${dmName}`];
}

/** How often each map is open, by its name; without dmsetup's word they are unknown, and damaged. */
async function openCounts(
  host: Host,
  above: readonly StackedDevice[],
  damaged: Damaged[],
): Promise<ReadonlyMap<string, number>> {
  if (above.every(({ dmName }) => dmName === "")) return new Map();
  try {
    const { devices } = await readDmsetup(host);
    return new Map(devices.map(({ name, openCount }) => [name, openCount]));
  } catch (error) {
    damaged.push({ line: 0, reason: explain(error), minor: undefined, object: "dmsetup" });
    return new Map();
  }
}

/** A volume group inside the guest's disk is told once, and not by its volumes. */
function maps(above: readonly StackedDevice[], opens: ReadonlyMap<string, number>): Holder[] {
  const groups = new Map<string, string[]>();
  const found: Holder[] = [];
  for (const { name, dmName, dmUuid } of above) {
    if (dmName === "") found.push(holder(HolderKind.OTHER, name, ""));
    else if (dmUuid.startsWith("LVM-")) {
      const vg = groupOf(dmName);
      groups.set(vg, [...(groups.get(vg) ?? []), dmName]);
    } else
      found.push({
        ...holder(HolderKind.MAP, dmName, dmUuid),
        kpartx: /^part\d+-/.test(dmUuid),
        openCount: Math.max(0, opens.get(dmName) ?? 0),
      });
  }
  const inside = [...groups].map(([vg, volumes]) => holder(HolderKind.GUEST_VG, vg, volumes.join(", ")));
  return [...found, ...inside];
}

/** "my--vg-root" is the volume root of my-vg: a single dash parts them, and within a name it is doubled. */
export function groupOf(dmName: string): string {
  return (/^((?:[^-]|--)+)-(?!-)/.exec(dmName)?.[1] ?? dmName).replaceAll("--", "-");
}

/** In every mount namespace, each mount once. */
async function mounts(host: Host, held: Held, damaged: Damaged[]): Promise<Holder[]> {
  const seen = new Set<string>();
  const found = new Map<string, Holder>();
  for (const pid of ["self", ...(await pidsOf(host))]) {
    try {
      const namespace = await host.readLink(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) continue;
      seen.add(namespace);
      for (const mount of parseMountinfo(await host.readFile(`/proc/${pid}/mountinfo`)))
        if (isHeld(mount, held))
          found.set(mount.mountPoint, holder(HolderKind.MOUNT, mount.mountPoint, mount.source));
    } catch (error) {
      if (isOver(error) && pid !== "self") continue;
      damaged.push({ line: 0, reason: explain(error), minor: undefined, object: `/proc/${pid}/mountinfo` });
    }
  }
  return [...found.values()];
}

function isHeld({ dev, source }: MountedDevice, { devs, paths }: Held): boolean {
  return devs.has(dev) || paths.has(source);
}

/** Loops whose data is one of these devices'. */
export async function loops(host: Host, { paths }: Pick<Held, "paths">): Promise<Holder[]> {
  const names = (await host.listFolder("/sys/block")).filter((name) => LOOP.test(name)).sort();
  const found: Holder[] = [];
  for (const name of names) {
    const backing = await host.readFile(`/sys/block/${name}/loop/backing_file`).catch(emptyIfMissing);
    const path = withoutDeleted(backing.trim());
    if (paths.has(path)) found.push(holder(HolderKind.LOOP, name, path));
  }
  return found;
}

async function swaps(host: Host, { paths }: Held): Promise<Holder[]> {
  const swapped = parseSwaps(await host.readFile("/proc/swaps").catch(emptyIfMissing));
  return swapped.filter((path) => paths.has(path)).map((path) => holder(HolderKind.SWAP, path, ""));
}

async function pidsOf(host: Host): Promise<string[]> {
  return (await host.listFolder("/proc")).filter((name) => /^\d+$/.test(name));
}

/** The kernel adds it to the name of a device node that is gone while it is open. */
function withoutDeleted(path: string): string {
  return path.replace(/ \(deleted\)$/, "");
}

function emptyIfMissing(error: unknown): string {
  if (isMissing(error)) return "";
  throw new VigieError("SOURCE_FAILED", "who holds the device could not be read", { cause: error });
}

function holder(kind: HolderKind, name: string, detail: string): Holder {
  return { kind, name, pid: 0, detail, kpartx: false, openCount: 0 };
}

function cut(each: Holder): Holder {
  return { ...each, detail: each.detail.slice(0, MAX_DETAIL_LENGTH) };
}
