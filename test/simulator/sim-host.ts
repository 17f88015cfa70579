/** A node of the simulated cluster as the agent's Host: files with the texts that a kernel prints, and tools. */
import type { Command, CommandOutcome, Host } from "@vigie/agent";
import { dmsetup, kpartx } from "./dmsetup.js";
import { drbdsetup } from "./drbd-commands.js";
import { firewallOf } from "./fence-commands.js";
import { daemonFile, ganetiFile, guestFiles } from "./ganeti-files.js";
import { luxiReply } from "./ganeti-luxi.js";
import { gntCommand, restartDaemons } from "./gnt-commands.js";
import { lvmCommand, signatures } from "./lvm-model.js";
import { logRecord, type BlockDiskModel, type NodeModel } from "./node-model.js";
import { errno, hung, notInstalled, outcome } from "./outcome.js";
import { procFile, procFolder, procLink } from "./proc-files.js";
import { isFolder, isLink, isText, openDevice, sysfsEntry } from "./sysfs.js";
import { noteRun, type World } from "./world.js";

const GUESTS = "/var/run/ganeti/fake-hypervisor";
/** A system with room. */
const ROOM = { sizeBytes: 20e9, inodes: 1_200_000, inodesFree: 1_000_000 };
const LUXI_ANSWERS_MS = 0;

export function createSimHost(world: World, node: NodeModel): Host {
  let told = 0;
  return {
    ...world.clock,
    readFile: async (path) => readFile(world, node, path),
    listFolder: async (path) => listFolder(world, node, path),
    statFilesystem: async () => ({ ...ROOM, availableBytes: node.roomBytes }),
    readLink: async (path) => readLink(world, node, path),
    writeFile: async (path, text) => writeFile(world, node, path, text),
    run: async (command) => run(world, node, command),
    exchange: async (socket, request) => {
      if (world.ganeti.luxiDown || node.name !== world.master) throw errno("ECONNREFUSED", socket);
      if (LUXI_ANSWERS_MS > 0) await world.clock.sleep(LUXI_ANSWERS_MS);
      return luxiReply(world, request);
    },
    claim: async (path) => claim(node, path),
    openDevice: async (name) => openDevice(world, node, name),
    newKernelLogRecords: async () => {
      const records = node.kernelLog.slice(told);
      told = node.kernelLog.length;
      return records;
    },
  };
}

function readFile(world: World, node: NodeModel, path: string): string {
  const given = node.extraFiles.get(path);
  if (given !== undefined) return given;
  const text = node.removedFiles.has(path) ? undefined : textOf(world, node, path);
  if (text === undefined) throw errno("ENOENT", `no such file or directory, open '${path}'`);
  return text;
}

function textOf(world: World, node: NodeModel, path: string): string | undefined {
  const ofDaemon = daemonFile(path);
  if (ofDaemon !== undefined) return ofDaemon;
  if (path.startsWith("/proc/")) return firewallOf(world, node).readFile(path) ?? procFile(world, node, path);
  if (!path.startsWith("/sys/block")) return ganetiFile(world, node, path);
  const entry = sysfsEntry(world, node, path);
  return isText(entry) ? entry : undefined;
}

/** A disk's files are written through its handle. */
function writeFile(world: World, node: NodeModel, path: string, text: string): void {
  const argv = ["echo", text, ">", path];
  noteRun(world, node, argv);
  const trouble = world.trouble(node, argv);
  if (trouble === "fails" || !firewallOf(world, node).writeFile(path, text)) throw errno("ENOENT", path);
}

function listFolder(world: World, node: NodeModel, path: string): string[] {
  if (path === GUESTS) return guestFiles(node);
  const lists = firewallOf(world, node).listFolder(path);
  if (lists !== undefined) return lists;
  const inSysfs = path.startsWith("/sys/block") ? sysfsEntry(world, node, path) : undefined;
  const names = isFolder(inSysfs) ? [...inSysfs] : procFolder(node, path);
  if (names === undefined) throw errno("ENOENT", path);
  return names;
}

function readLink(world: World, node: NodeModel, path: string): string {
  if (path === "/etc/alternatives/iptables") return "/usr/sbin/iptables-legacy";
  const inSysfs = path.startsWith("/sys/block") ? sysfsEntry(world, node, path) : undefined;
  const target = isLink(inSysfs) ? inSysfs.link : procLink(node, path);
  if (target === undefined) throw errno("ENOENT", path);
  return target;
}

/** Their own words for "nothing is changed": what else is run is kept, and may meet trouble. */
const QUESTION =
  /^\/usr\/sbin\/(?:lvs|vgs|pvs|wipefs|smartctl|xl|dmsetup (?:info|table)|drbdsetup (?:show|get-gi|status)|ledctl --version|sfdisk --disk-id|gnt-\w+ list)\b|tables .*(?:-C|-S)\b/;

async function run(world: World, node: NodeModel, command: Command): Promise<CommandOutcome> {
  const argv = [command.file, ...command.args];
  if (QUESTION.test(argv.join(" "))) return perform(world, node, command);
  const begunMs = world.clock.monotonicMs();
  const takesMs = world.takesMs(node, argv);
  if (takesMs > 0) await world.clock.sleep(takesMs);
  noteRun(world, node, argv, begunMs);
  const trouble = world.trouble(node, argv);
  if (trouble === "fails") return outcome(1, "", "injected: it failed\n");
  if (trouble === "hangs") return hung();
  const done = await perform(world, node, command);
  if (trouble === "killed") return { ...done, end: "timed-out", exitCode: -1, stdout: "" };
  return trouble === "silent" ? { ...done, stdout: "" } : done;
}

async function perform(world: World, node: NodeModel, command: Command): Promise<CommandOutcome> {
  const { file, args } = command;
  const [, tool = ""] = /^\/usr\/s?bin\/([\w-]+)$/.exec(file) ?? [];
  const firewall = firewallOf(world, node).run(command);
  if (firewall !== undefined) return outcome(firewall.exitCode, firewall.stdout, firewall.stderr);
  switch (tool) {
    case "ss":
      return outcome(0); // a kernel that cannot end connections: each end hears at its next packet
    case "drbdsetup":
      return drbdsetup(world, node, args);
    case "dmsetup":
      return dmsetup(world, node, args);
    case "kpartx":
      return kpartx(world, node, args);
    case "lvs":
    case "vgs":
    case "pvs":
    case "pvcreate":
    case "vgcreate":
    case "vgextend":
    case "lvcreate":
      return lvmCommand(node, tool, args);
    case "wipefs":
      return wipefs(node, args.at(-1) ?? "");
    case "sfdisk":
      return sfdisk(node, args, command.input ?? "");
    case "udevadm":
      return outcome(0);
    case "gnt-instance":
    case "gnt-node":
    case "gnt-cluster":
    case "gnt-job":
    case "hbal":
      return gntCommand(world, node, tool, args, command.endedBy);
    case "service":
      return restartDaemons(world);
    default:
      return notInstalled(file);
  }
}

function wipefs(node: NodeModel, path: string): CommandOutcome {
  const disk = diskAt(node, path);
  return disk === undefined
    ? outcome(1, "", `wipefs: error: ${path}: probing initialization failed: No such file or directory\n`)
    : outcome(0, signatures(disk, path));
}

/** By its path or a partition's; one that is offline cannot be opened. */
function diskAt(node: NodeModel, path: string): BlockDiskModel | undefined {
  const disk = node.disks.find(({ name, partitions }) =>
    [name, ...partitions].some((part) => path === `/dev/${part}`),
  );
  return disk?.state === "running" ? disk : undefined;
}

/** The kernel gives a part to nobody else while a map, a mount or swap has it; nor the disk while it gave a part. */
function claim(node: NodeModel, path: string): void {
  const disk = diskAt(node, path);
  if (disk === undefined) throw errno("ENXIO", path);
  const [major = "", minor = ""] = disk.dev.split(":");
  const devOf = (part: string): string => `${major}:${Number(minor) + Number(part.slice(disk.name.length))}`;
  const isGiven = (part: string): boolean => {
    const dev = part === disk.name ? disk.dev : devOf(part);
    return (
      node.maps.some(({ on }) => on === dev) || node.mounts.some(({ device }) => device === `/dev/${part}`)
    );
  };
  const asked = path === `/dev/${disk.name}` ? [disk.name, ...disk.partitions] : [disk.name, path.slice(5)];
  if (asked.some(isGiven)) throw errno("EBUSY", path);
}

/** `sfdisk --disk-id PATH` tells; `sfdisk --wipe never PATH` makes what its input says. */
function sfdisk(node: NodeModel, args: readonly string[], input: string): CommandOutcome {
  const path = args.at(-1) ?? "";
  const disk = node.disks.find(({ name }) => path === `/dev/${name}`);
  if (disk === undefined) return outcome(1, "", `sfdisk: cannot open ${path}\n`);
  if (args[0] === "--disk-id") return outcome(0, `${disk.tableId}\n`);
  disk.tableId = /label-id: (\S+)/.exec(input)?.[1] ?? "0x00000001";
  disk.partitions.splice(0, disk.partitions.length, `${disk.name}1`);
  return outcome(0);
}

/** As the kernel tells of a disk whose reads fail. */
export function readFails(node: NodeModel, name: string): void {
  const disk = node.disks.find((each) => each.name === name);
  if (disk !== undefined) disk.ioErrors += 1;
  logRecord(node, `I/O error, dev ${name}, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`);
}
