/**
 * Starts a node: a Linux kernel that is an ordinary process of the host (Debian's user-mode-linux). It runs with the
 * libraries of its own release: in a mount namespace, which ends with it, and in that release's small root.
 */
import { availableParallelism } from "node:os";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NODES, type NodeFacts } from "../nodes.js";
import { startDetached } from "./exec.js";
import { INSIDE } from "./network.js";
import { cacheRoot, KERNEL, memoryFolder, RUN_DIR, UML_DIR } from "./paths.js";
import { identify, type ProcessIdentity } from "./process-identity.js";
import { kernelEnvironment } from "./wide-registers.js";

const MEMORY = "1536M"; // of which scsi_debug takes 768 for the disk; Ganeti and an agent fit in the rest

/** Text that every process of a lab's kernel has on its command line. */
export const KERNEL_MARK = `uml_dir=${UML_DIR}`;

/** Root, folders of the host that are there under their own names, "--", command. */
const ENTER_ROOT = `root=$1; shift
until [ "$1" = -- ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done
shift; exec chroot "$root" "$@"`;

export interface NodeDisk {
  readonly base: string; // the shared image, never written
  readonly changes: string; // this node's changed blocks; made by the kernel when absent
}

/** @returns the kernel's process; SIGKILL of its session is a power cut */
export async function startKernel(
  node: NodeFacts,
  disk: NodeDisk,
  kernelRoot: string,
): Promise<ProcessIdentity> {
  mkdirSync(UML_DIR, { recursive: true });
  const shared = ["/proc", "/dev", "/dev/shm", RUN_DIR, cacheRoot()];
  const inRoot = ["unshare", "--mount", "sh", "-ec", ENTER_ROOT, "sh", kernelRoot, ...shared, "--"];
  const memory = `TMPDIR=${memoryFolder()}`;
  const pinned = ["taskset", "--cpu-list", String(processorOf(node))];
  const argv = [
    ...INSIDE,
    "env",
    memory,
    ...(await kernelEnvironment()),
    ...pinned,
    ...inRoot,
    ...kernelArguments(node, disk),
  ];
  const pid = startDetached(argv, join(RUN_DIR, `${node.name}.console`), RUN_DIR);
  const started = identify(pid);
  if (started === undefined) throw new Error(`the kernel of ${node.name} did not start`);
  return started;
}

function kernelArguments(node: NodeFacts, disk: NodeDisk): string[] {
  return [
    KERNEL,
    `umid=${node.name}`,
    KERNEL_MARK,
    `mem=${MEMORY}`,
    `ubda=${disk.changes},${disk.base}`,
    "root=/dev/ubda",
    "rw",
    `eth0=tuntap,${node.tap},${node.mac}`,
    "con=null",
    "con0=null,fd:1",
    "quiet",
    "selinux=0",
    "sysctl.kernel.io_uring_disabled=2", // 6.12 panics in it ("Bad page map … file:[io_uring]"); 6.1 does not know it
    `systemd.hostname=${node.fqdn}`,
    "systemd.show_status=0",
  ];
}

/**
 * One processor a node. The kernel and the processes that it traces hand over to each other at every
 * system call; on one processor that costs a tenth (5 µs against 51 measured).
 */
function processorOf(node: NodeFacts): number {
  const processors = allowedProcessors();
  const index = NODES.indexOf(node);
  return processors[Math.min(index, processors.length - 1)] ?? 0;
}

function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if (list === undefined) return Array.from({ length: availableParallelism() }, (_, index) => index);
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
