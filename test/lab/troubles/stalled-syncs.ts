/**
 * What a switch or a firewall does to a pair of nodes: resyncs of several disks stand still from one moment on. Each is
 * healed by a reset of its own connections, as in stalled-sync.
 */
import type { InstanceDisk } from "../cluster/configuration.js";
import { bringHome, ensureInstance, waitForHealthy } from "../cluster/instance.js";
import type { Lab } from "../lab.js";
import { BULK, layChain, removeRules } from "./packet-rules.js";
import { NEVER_GIVE_UP, standardResync, startResync } from "./resync.js";
import { standsStill } from "./stands-still.js";
import type { Trouble } from "./trouble.js";

/** As many as a node of the lab has room for: what is beyond its memory would lie over what is there. */
export const STALLED_INSTANCES = [1, 2, 3].map((n) => `web${n}.lab.example`);

export const stalledSyncs: Trouble = {
  name: "stalled-syncs",
  about: "resyncs of three disks between h2 and h3 stand still at one moment; each is healed by a cut",

  async make(lab) {
    const disks = await disksOf(lab);
    await Promise.all(disks.map((disk) => startResync(lab, disk, { rateKib: 200, net: NEVER_GIVE_UP })));
    const [first] = disks;
    if (first === undefined) throw new Error("no instance");
    const minors = disks.map(({ primary }) => `minor=${primary.minor}\n${standsStill()}`);
    const script = [layChain("LAB-STALL"), dropBulk(disks), ...minors].join("\n");
    return (await lab.node(first.primary.node).script(script, [], { timeoutMs: 90_000 })).stdout;
  },

  async mend(lab) {
    const disks = await disksOf(lab);
    for (const node of new Set(disks.map(({ primary }) => primary.node)))
      await removeRules(lab.node(node), "LAB-STALL");
    await Promise.all(disks.map((disk) => standardResync(lab, disk)));
    await Promise.all(disks.map((disk) => waitForHealthy(lab, disk)));
  },
};

async function disksOf(lab: Lab): Promise<InstanceDisk[]> {
  const disks: InstanceDisk[] = [];
  for (const name of STALLED_INSTANCES) disks.push(await bringHome(lab, await ensureInstance(lab, name)));
  return disks;
}

/** Data packets of all their connections of now; a new connection is free of it. */
function dropBulk(disks: readonly InstanceDisk[]): string {
  const ports = disks.map(({ port }) => String(port)).join("|");
  return `
ss -tnH state established |
  awk '$4 ~ /:(${ports})$/ { print "sport", $3, $4 } $3 ~ /:(${ports})$/ { print "dport", $4, $4 }' |
  while read -r which named peer; do
    echo "iptables -w -A LAB-STALL -p tcp -d \${peer%:*} --$which \${named##*:} ${BULK} -j DROP"
  done > /run/lab-stall
sh /run/lab-stall`;
}
