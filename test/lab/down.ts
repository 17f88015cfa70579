/** Ends the running lab, or what a crashed one left, and removes all that is not cache. Safe to run twice. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasNetwork, removeNetwork } from "./host/network.js";
import { diskFolder, RUN_DIR } from "./host/paths.js";
import { killSession } from "./host/process-identity.js";
import { endConnection } from "./host/ssh.js";
import { readState } from "./host/state.js";
import { KERNEL_MARK } from "./host/user-mode-kernel.js";
import { NODES } from "./nodes.js";

export async function takeDown(): Promise<void> {
  const state = readState();
  if (await hasNetwork()) {
    const keyFile = join(state?.cacheFolder ?? "", "id_rsa");
    await Promise.all(NODES.map((node) => endConnection({ node, keyFile })));
  }
  const kernels = Object.values(state?.kernels ?? {});
  await Promise.all(kernels.map((kernel) => killSession(kernel, KERNEL_MARK)));
  await removeNetwork();
  if (existsSync(diskFolder())) rmSync(diskFolder(), { recursive: true, force: true });
  rmSync(RUN_DIR, { recursive: true, force: true });
}
