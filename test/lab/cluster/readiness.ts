/**
 * When is the cluster up? When Ganeti has live figures of every node. It is asked over LUXI, in half a second: its own
 * `gnt-node list` costs three on a node that is busy starting.
 */
import type { Lab } from "../lab.js";

const READY_TIMEOUT_MS = 120_000;

const ASK = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect("/var/run/ganeti/socket/ganeti-query")
ask = {"method": "Query", "args": ["node", ["name", "dtotal", "mfree"], None], "version": 3000000}
s.sendall(json.dumps(ask).encode() + b"\\3")
answer = b""
while not answer.endswith(b"\\3"):
    more = s.recv(65536)
    if not more: sys.exit(1)
    answer += more
rows = json.loads(answer[:-1])["result"]["data"]
live = [row for row in rows if all(status == 0 for status, value in row)]
sys.exit(0 if len(live) >= int(sys.argv[1]) else 1)
`;

const WAIT = `
until [ -S /var/run/ganeti/socket/ganeti-query ]; do sleep 0.2; done
until python3 -S -c '${ASK}' "$1" 2>/dev/null; do sleep 0.2; done`;

export async function waitForCluster(lab: Lab): Promise<void> {
  await lab.node("h1").script(WAIT, [String(lab.nodes.length)], { timeoutMs: READY_TIMEOUT_MS });
}
