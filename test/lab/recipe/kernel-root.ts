/**
 * The user-mode kernel of a node's release, in a small root of its own with the libraries that it was built for. So a
 * host of another release starts it as well as its own (host/user-mode-kernel.ts).
 */
import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runHost } from "../host/exec.js";
import { KERNEL } from "../host/paths.js";

const MODULES = "usr/lib/uml/modules"; // as its package has them, with their dependencies

/** Takes the kernel and its libraries out of a node's root file system, where the package brought them. */
export async function moveKernel(root: string, kernelRoot: string): Promise<void> {
  const unfinished = `${kernelRoot}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const { stdout } = await runHost(["chroot", root, "ldd", KERNEL]);
  for (const path of [KERNEL, ...librariesOf(stdout)]) {
    mkdirSync(dirname(join(unfinished, path)), { recursive: true });
    copyFileSync(join(root, await targetIn(root, path)), join(unfinished, path));
  }
  rmSync(join(root, KERNEL));
  rmSync(kernelRoot, { recursive: true, force: true });
  renameSync(unfinished, kernelRoot);
}

/** Behind links: an absolute one, as the loader of Debian 12 has, would lead out of the root to the host's. */
async function targetIn(root: string, path: string): Promise<string> {
  return (await runHost(["chroot", root, "readlink", "--canonicalize-existing", path])).stdout.trim();
}

/** Where the running kernel of a node looks for them. */
export function moveModules(root: string): void {
  rmSync(join(root, "usr/lib/modules"), { recursive: true, force: true });
  renameSync(join(root, MODULES), join(root, "usr/lib/modules"));
}

/** "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", and the loader, which has no arrow. */
export function librariesOf(lddOutput: string): readonly string[] {
  return [...lddOutput.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map(([, path = ""]) => path);
}
