/** When is the cluster up? When its own list of nodes has no unknown left. */
import type { Lab } from "../lab.js";

const READY_TIMEOUT_MS = 120_000;

const WAIT = `
until out=$(gnt-node list --no-headers -o name,dtotal,mfree 2>/dev/null) &&
      [ "$(echo "$out" | wc -l)" -ge "$1" ] && ! echo "$out" | grep -q '?'; do sleep 0.2; done`;

export async function waitForCluster(lab: Lab): Promise<void> {
  await lab.node("h1").script(WAIT, [String(lab.nodes.length)], { timeoutMs: READY_TIMEOUT_MS });
}
