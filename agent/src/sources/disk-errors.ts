/**
 * How often each disk failed since boot, by its world-wide name, apart from the lines that tell of it: a flood of other
 * lines does not push it out, and a disk that drops off the bus and comes back, under whatever name, has it still. So
 * that a disk which is gone can be named, each is learned while it is there.
 *
 * After a restart of the agent the kernel's log is read again from its beginning. What it holds of a name counts to the
 * disk that has the name now, but not what is older than its last "plugged in": nobody can say whose that was, and it
 * is most often the disk that was replaced.
 */
import type { DiskErrors, KernelLogLine } from "@vigie/proto";
import type { Host } from "../host.js";
import { parseLabel, parseScsiAddress } from "./block-device-attributes.js";
import type { LogRecord } from "./kernel-log-line.js";

const VIRTUAL = /^(?:dm-|drbd|loop|md|z?ram|nbd|sr)\d/;

interface Disk {
  readonly wwid: string; // empty: it has none
  readonly address: string; // of a SCSI disk
  readonly dev: string; // "8:0"
}

export interface DiskErrorLog {
  /**
   * Counts what was read, in its order: by the names at once, and by the disks when it was looked who has them, which
   * the reading does not wait for.
   * @param isAll nothing more is in the log for now; before that, what is there now may have been plugged in later
   */
  readonly note: (records: readonly LogRecord[], isAll: boolean, host: Host) => void;
  readonly all: () => DiskErrors[];
}

export function createDiskErrorLog(): DiskErrorLog {
  const disks = new Map<string, Disk>(); // by name: those that are there, and those that were there last
  const byName = new Map<string, DiskErrors>(); // whose is not known yet
  const byWwid = new Map<string, DiskErrors>();
  let isNews = true; // at first, all is
  let learning = Promise.resolve();
  return { note, all: () => [...byWwid.values(), ...byName.values()] };

  function note(records: readonly LogRecord[], isAll: boolean, host: Host): void {
    for (const { newDisk, diskError } of records) {
      if (newDisk !== undefined) replace(newDisk.name, newDisk.address);
      if (diskError !== undefined) count(diskError);
      isNews ||= newDisk !== undefined || diskError !== undefined;
    }
    if (!isAll || !isNews) return;
    isNews = false;
    learning = learning.then(() => learn(host)).then(settleAll);
  }

  /** Who has each name now: what was told within the last second is of that one. Of one that is gone, the last. */
  async function learn(host: Host): Promise<void> {
    const names = await host.listFolder("/sys/block").catch(() => []);
    for (const name of names.filter((each) => !VIRTUAL.test(each))) {
      const disk = await diskOf(host, name);
      if (disk !== undefined) disks.set(name, disk);
    }
  }

  /** Another disk has the name now, or the same again: what was told before is of the last one, or nobody's. */
  function replace(name: string, address: string): void {
    for (const key of [name, address]) {
      settle(key);
      byName.delete(key);
      disks.delete(key);
    }
  }

  function count(line: KernelLogLine): void {
    if (VIRTUAL.test(line.device)) return; // the disks below it are told of by themselves
    const name = nameOf(line.device);
    byName.set(name, { wwid: "", name, count: (byName.get(name)?.count ?? 0) + 1, last: line });
  }

  function settleAll(): void {
    for (const name of byName.keys()) settle(name);
  }

  function settle(key: string): void {
    const each = byName.get(key);
    const name = nameOf(key);
    const wwid = disks.get(name)?.wwid ?? "";
    if (each === undefined || wwid === "") return;
    byName.delete(key);
    byWwid.set(wwid, { ...each, wwid, name, count: each.count + (byWwid.get(wwid)?.count ?? 0) });
  }

  /** "sda1", "0:0:0:0", "8:0" and "nvme0c1n1", a path, are of the disk that has the name. */
  function nameOf(device: string): string {
    for (const [name, { address, dev }] of disks) if (device === address || device === dev) return name;
    const name = device.replace(/^(nvme\d+)c\d+(n\d+)/, "$1$2");
    return /^(?:nvme|mmcblk)/.test(name) ? name.replace(/p\d+$/, "") : name.replace(/^([a-z]+)\d+$/, "$1");
  }
}

/** @returns undefined where it is gone already */
async function diskOf(host: Host, name: string): Promise<Disk | undefined> {
  const folder = `/sys/block/${name}`;
  const read = (file: string): Promise<string> => host.readFile(`${folder}/${file}`).catch(() => "");
  const wwid = parseLabel((await read("device/wwid")) || (await read("wwid")));
  const address = parseScsiAddress(await host.readLink(`${folder}/device`).catch(() => ""));
  const dev = (await read("dev")).trim();
  return dev === "" ? undefined : { wwid, address, dev };
}
