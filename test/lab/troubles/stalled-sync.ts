/**
 * The wiki's stalled resync, in the form that only a reset heals: from the moment that the resync began,
 * the data packets of these two connections are lost, while keep-alives pass. The rules are bound to the
 * connections' ephemeral ports, so a new connection is free of them: they may stay while Vigie heals.
 */
import { waitForHealthy } from "../cluster/instance.js";
import { BULK, layChain, removeRules } from "./packet-rules.js";
import { NEVER_GIVE_UP, standardResync, startResync } from "./resync.js";
import { standsStill } from "./stands-still.js";
import { diskOf, type Trouble } from "./trouble.js";

/** Of each connection, the end that is not the DRBD port names it. */
const DROP_BULK = `
${layChain("LAB-STALL")}
ss -tnH state established dst $peer |
  awk -v end=":$port$" '$4 ~ end { print "sport", $3 } $3 ~ end { print "dport", $4 }' |
  while read -r which address; do
    iptables -w -A LAB-STALL -p tcp -d $peer --$which \${address##*:} ${BULK} -j DROP
  done
`;

export const stalledSync: Trouble = {
  name: "stalled-sync",
  about: "a resync stands still until its connections are reset; healed for good by a cut",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const onceSyncing = `${DROP_BULK}\n${standsStill()}`;
    return startResync(lab, disk, { rateKib: 1024, net: NEVER_GIVE_UP, onceSyncing });
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    const primary = lab.node(disk.primary.node);
    await removeRules(primary, "LAB-STALL");
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk); // TCP sends the lost packets again, with up to two minutes between tries
  },
};
