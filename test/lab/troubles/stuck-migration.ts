/**
 * The wiki's migration that does not end. When the memory is copied, Ganeti takes the disks apart for a moment to connect
 * them with one Primary, and then waits for the resync without a limit (lib/cmdlib/instance_migration.py,
 * _WaitUntilSync). The guest wrote meanwhile, on its new node, and the data packets of that resync are lost. (Ganeti 3.0
 * gives up by itself, after two minutes, where the disks do not get whole before the memory is copied.)
 *
 * The rules are first of the DRBD port, for the connection does not exist yet; once the resync began they are bound to
 * the ephemeral ports of these two connections, so a new one is free of them. The former go when the latter are there:
 * eight MiB pass in the moment between.
 */
import { masterNode } from "../cluster/configuration.js";
import { waitForHealthy } from "../cluster/instance.js";
import type { Lab } from "../lab.js";
import { BULK, layChain, removeRules } from "./packet-rules.js";
import { NEVER_GIVE_UP, standardResync } from "./resync.js";
import { standsStill } from "./stands-still.js";
import { diskOf, type Trouble } from "./trouble.js";

const SCRIPT_TIMEOUT_MS = 180_000;
const JOB_TIMEOUT_MS = 120_000;

export const stuckMigration: Trouble = {
  name: "stuck-migration",
  about: "a live migration waits for a resync that stands still until its connections are reset",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const { primary: source, secondary: target } = disk;
    const master = await masterNode(lab);
    await master.run(`gnt-instance start ${disk.instance}`, {
      timeoutMs: JOB_TIMEOUT_MS,
      allowFailure: true, // it runs already
    });
    await waitForHealthy(lab, disk);
    await connectWith(lab, NEVER_GIVE_UP);
    const script = `
set -e
minor=${String(target.minor)} port=${String(disk.port)} peer=${source.ip}
line() { grep "^ *$minor: cs:" /proc/drbd || true; }
${layChain("LAB-STALL")}
until line | grep -q "ro:Primary/Secondary"; do sleep 0.05; done
( until line | grep -q cs:StandAlone; do sleep 0.02; done
  dd if=/dev/urandom of=${target.device} bs=1M count=8 oflag=direct conv=notrunc status=none
) >/dev/null 2>&1 </dev/null &
until line | grep -q cs:StandAlone; do sleep 0.02; done
for end in sport dport; do
  iptables -w -A LAB-STALL -p tcp -d $peer --$end $port ${BULK} -j DROP
done
until line | grep -q cs:SyncSource; do sleep 0.05; done
ss -tnH state established dst $peer |
  awk -v end=":$port$" '$4 ~ end { print "sport", $3 } $3 ~ end { print "dport", $4 }' |
  while read -r which address; do
    iptables -w -A LAB-STALL -p tcp -d $peer --$which \${address##*:} ${BULK} -j DROP
  done
for end in sport dport; do
  iptables -w -D LAB-STALL -p tcp -d $peer --$end $port ${BULK} -j DROP
done
${standsStill()}`;
    const seen = lab.node(target.node).script(script, [], { timeoutMs: SCRIPT_TIMEOUT_MS });
    await master.run(`gnt-instance migrate -f --submit ${disk.instance}`);
    return (await seen).stdout;
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    for (const side of [disk.primary, disk.secondary]) await removeRules(lab.node(side.node), "LAB-STALL");
    await connectWith(lab, "");
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk);
  },
};

/** Further options of every connection that Ganeti makes from now on. */
async function connectWith(lab: Lab, options: string): Promise<void> {
  const master = await masterNode(lab);
  await master.run(`gnt-cluster modify -D drbd:net-custom='${options}'`, { timeoutMs: JOB_TIMEOUT_MS });
}
