/** /proc of one node: DRBD's minors, what is mounted, and processes that hold a device open. */
import { procDrbdText } from "./proc-drbd-text.js";
import type { NodeModel, ProcessModel } from "./node-model.js";
import { minorsAt, type World } from "./world.js";

export function procFile(world: World, node: NodeModel, path: string): string | undefined {
  switch (path) {
    case "/proc/drbd":
      return procDrbd(world, node);
    case "/proc/sys/kernel/random/boot_id":
      return `${node.bootId}\n`;
    case "/proc/mounts":
      return mounts(node, ({ device, mountPoint }) => `${device} ${mountPoint} ext4 rw 0 0`);
    case "/proc/self/mountinfo":
    case "/proc/1/mountinfo":
      return mounts(node, ({ device, mountPoint }) => `36 35 0:99 / ${mountPoint} rw - ext4 ${device} rw`);
    case "/proc/swaps":
      return "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
    default:
      return processFile(node, path);
  }
}

function procDrbd(world: World, node: NodeModel): string {
  const text = procDrbdText(minorsAt(world, node));
  if (node.damagedMinor === undefined) return text;
  return text.replace(new RegExp(`^( *${node.damagedMinor}: cs:)\\w+`, "m"), "$1Conn3cted");
}

function mounts(node: NodeModel, line: (mount: NodeModel["mounts"][number]) => string): string {
  const all = [{ device: "/dev/vda1", mountPoint: "/" }, ...node.mounts];
  return all.map((mount) => `${line(mount)}\n`).join("");
}

const OF_PROCESS = /^\/proc\/(?<pid>\d+)\/(?<what>.+)$/;

function processOf(node: NodeModel, path: string): readonly [ProcessModel, string] | undefined {
  const { pid, what = "" } = OF_PROCESS.exec(path)?.groups ?? {};
  const found = node.processes.find((each) => each.pid === Number(pid));
  return found === undefined ? undefined : [found, what];
}

function processFile(node: NodeModel, path: string): string | undefined {
  const [process, what] = processOf(node, path) ?? [];
  if (process === undefined) return undefined;
  if (what === "comm") return `${process.command.split(" ")[0]}\n`;
  if (what === "cmdline") return process.command.replaceAll(" ", "\0");
  return what === "mountinfo" ? procMountinfo(node) : undefined;
}

function procMountinfo(node: NodeModel): string {
  return mounts(node, ({ device, mountPoint }) => `36 35 0:99 / ${mountPoint} rw - ext4 ${device} rw`);
}

export function procFolder(node: NodeModel, path: string): string[] | undefined {
  if (path === "/proc") return ["1", ...node.processes.map(({ pid }) => String(pid))];
  if (path === "/proc/1/fd") return ["0"];
  const [, what] = processOf(node, path) ?? [];
  return what === "fd" ? ["3"] : undefined;
}

export function procLink(node: NodeModel, path: string): string | undefined {
  if (/^\/proc\/(?:\d+|self)\/ns\/mnt$/.test(path)) return "mnt:[4026531840]";
  if (path === "/proc/1/fd/0") return "/dev/null";
  const [process, what] = processOf(node, path) ?? [];
  return what === "fd/3" ? process?.opens : undefined;
}
