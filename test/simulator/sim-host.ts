/** A node of the simulated cluster as the agent's Host: files with the texts that a kernel prints, and tools. */
import type { Command, CommandOutcome, Host } from "@vigie/agent";
import { ganetiFiles, luxiReply } from "./ganeti-model.js";
import { minorOf } from "./drbd-model.js";
import { procDrbdText } from "./proc-drbd-text.js";
import type { NodeModel, World } from "./world.js";

const FENCE_TOOLS = new Set(["/usr/sbin/iptables", "/usr/sbin/ip6tables"]);

export function createSimHost(world: World, node: NodeModel): Host {
  return {
    ...world.clock,
    readFile: async (path) => readFile(world, node, path),
    listFolder: async (path) => listFolder(path),
    readLink: async () => "/usr/sbin/iptables-legacy",
    run: async (command) => run(world, node, command),
    exchange: async (_socket, request) => luxiReply(world, request),
    newKernelLogRecords: async () => [],
  };
}

function readFile(world: World, node: NodeModel, path: string): string {
  const files: Record<string, string> = {
    "/proc/drbd": procDrbd(world, node),
    "/proc/sys/kernel/random/boot_id": `${node.bootId}\n`,
    "/proc/mounts": "/dev/vda1 / ext4 rw 0 0\n",
    "/sys/block/sda/device/state": `${node.diskState}\n`,
    "/sys/block/sda/size": "50331648\n",
    "/sys/block/sda/dev": "8:0\n",
    ...ganetiFiles(world),
    ...Object.fromEntries(node.extraFiles),
  };
  const text = node.removedFiles.has(path) ? undefined : files[path];
  if (text === undefined)
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
  return text;
}

function listFolder(path: string): string[] {
  if (path === "/sys/block") return ["sda"];
  if (path.startsWith("/sys/block/sda")) return [];
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
}

function procDrbd(world: World, node: NodeModel): string {
  const own = world.disks.flatMap((disk) =>
    disk.ends.filter((e) => e.node === node.name).map((end) => minorOf(disk, end)),
  );
  const text = procDrbdText(own.toSorted((a, b) => a.minor - b.minor));
  if (node.damagedMinor === undefined) return text;
  return text.replace(new RegExp(`^( *${node.damagedMinor}: cs:)\\w+`, "m"), "$1Conn3cted");
}

function run(world: World, node: NodeModel, command: Command): CommandOutcome {
  if (command.file === "/usr/sbin/ipset") return ipset(world, node, command.args);
  if (command.file === "/usr/sbin/drbdsetup") return outcome(0, drbdsetupShow(world, node));
  if (FENCE_TOOLS.has(command.file))
    return outcome(command.args.includes("-C") || command.args.includes("-S") ? 1 : 0, "");
  if (command.file === "/usr/sbin/dmsetup") return outcome(0, "No devices found\n");
  if (/\/(?:lvs|vgs|pvs)$/.test(command.file))
    return outcome(0, JSON.stringify({ report: [{ [command.file.slice(-3, -1)]: [] }] }));
  return outcome(127, "", `${command.file}: no such tool in the simulator`);
}

function ipset(world: World, node: NodeModel, args: readonly string[]): CommandOutcome {
  const [verb = "", set = "", entry = ""] = args;
  const after = (option: string): string => args[args.indexOf(option) + 1] ?? "";
  if (set === "vigie-cut6" && verb === "list")
    return outcome(1, "", "ipset: The set with the given name does not exist\n");
  switch (verb) {
    case "add":
      node.cuts.set(entry, {
        expiresAtMs: world.clock.monotonicMs() + Number(after("timeout")) * 1000,
        runId: after("comment"),
      });
      return outcome(0, "");
    case "del":
      node.cuts.delete(entry);
      return outcome(0, "");
    case "flush":
      node.cuts.clear();
      return outcome(0, "");
    case "list":
      return outcome(
        0,
        [...node.cuts]
          .map(
            ([e, { expiresAtMs, runId }]) =>
              `add ${set} ${e} timeout ${Math.ceil((expiresAtMs - world.clock.monotonicMs()) / 1000)} comment "${runId}"\n`,
          )
          .join(""),
      );
    default:
      return outcome(0, "");
  }
}

function drbdsetupShow(world: World, node: NodeModel): string {
  const address = (name: string): string => world.nodes.get(name)?.address ?? "";
  return world.disks
    .flatMap((disk) =>
      disk.ends
        .filter((e) => e.node === node.name)
        .map((own) => ({ disk, own, peer: disk.ends.find((e) => e !== own) })),
    )
    .map(
      ({ disk, own, peer }) => `resource resource${own.minor} {
    options {
    }
    net {
        cram-hmac-alg   	"md5";
        shared-secret   	"simulated";
    }
    _remote_host {
        address			ipv4 ${address(peer?.node ?? "")}:${disk.port};
    }
    _this_host {
        address			ipv4 ${address(own.node)}:${disk.port};
        volume 0 {
            device			minor ${own.minor};
            disk			"/dev/kvmvg/${disk.uuid}.disk0_data";
            meta-disk			"/dev/kvmvg/${disk.uuid}.disk0_meta";
        }
    }
}
`,
    )
    .join("");
}

function outcome(exitCode: number, stdout: string, stderr = ""): CommandOutcome {
  return { end: "exited", exitCode, stdout, stderr, truncated: false, durationMs: 1 };
}
