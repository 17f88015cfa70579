/**
 * The wiki's own line, `SyncSource … sync'ed:100.0% (0/…)K … oos:0`: the target has written the last block and says
 * Connected, UpToDate, and the source never hears of it. Made so: the target's disk is held while the last blocks are
 * under way, what it sends on the data connection is lost from then on, and its disk goes on.
 */
import { waitForHealthy } from "../cluster/instance.js";
import { layChain, removeRules } from "./packet-rules.js";
import { NEVER_GIVE_UP, standardResync, startResync } from "./resync.js";
import { diskOf, type Trouble } from "./trouble.js";

const RATE_KIB = 500; // the last half MiB must last longer than a look and a suspend
const TIMEOUT_MS = 240_000;

export const finishedAndNeverLeft: Trouble = {
  name: "finished-and-never-left",
  about: "a resync is finished on its target and never left by its source; healed for good by a cut",

  async make(lab, params) {
    const disk = await diskOf(lab, params);
    const { primary, secondary, port } = disk;
    await startResync(lab, disk, { rateKib: RATE_KIB, net: NEVER_GIVE_UP });
    const words = [String(secondary.minor), primary.ip, String(port), disk.dataVolume];
    await lab.node(secondary.node).script(LOSE_THE_END, words, { timeoutMs: TIMEOUT_MS });
    return (await lab.node(primary.node).run(`grep -A4 '^ *${primary.minor}:' /proc/drbd`)).stdout;
  },

  async mend(lab, params) {
    const disk = await diskOf(lab, params);
    await removeRules(lab.node(disk.secondary.node), "LAB-STALL");
    await lab.node(disk.secondary.node).run(`dmsetup resume ${disk.dataVolume}`, { allowFailure: true });
    await standardResync(lab, disk);
    await waitForHealthy(lab, disk);
  },
};

/** On the target's node. Of its two connections the one that received most carries the data. */
const LOSE_THE_END = `
set -e
minor=$1 peer=$2 port=$3 volume=$4
${layChain("LAB-STALL")}
left() { awk -v minor="$minor:" '/^ *[0-9]+: /{mine = ($1 == minor)} mine && match($0, /oos:[0-9]+/) { print substr($0, RSTART + 4, RLENGTH - 4) }' /proc/drbd; }
until [ "$(left)" -lt 500 ]; do sleep 0.05; done
trap 'dmsetup resume "$volume"' EXIT
dmsetup suspend --noflush --nolockfs "$volume"
sleep 3
set -- $(ss -tniHO state established dst "$peer" | awk -v end=":$port$" '
  $3 ~ end || $4 ~ end {
    match($0, /bytes_received:[0-9]+/)
    received = substr($0, RSTART + 15, RLENGTH - 15) + 0
    if (received >= most) { most = received; line = $3 " " $4 }
  }
  END { print line }')
iptables -w -A LAB-STALL -p tcp --sport "\${1##*:}" -d "$peer" --dport "\${2##*:}" -j DROP
dmsetup resume "$volume"
trap - EXIT
until grep -q "^ *$minor: cs:Connected ro:[A-Za-z/]* ds:UpToDate/UpToDate" /proc/drbd; do sleep 0.2; done
`;
