/** iptables and xt_recent of one node: what it cuts is in NodeModel.cuts, until the kernel ends it or a command does. */
import { fakeFirewall, type FakeFirewall } from "../../agent/src/fake-firewall.js";
import type { NodeModel } from "./node-model.js";
import type { World } from "./world.js";

export function firewallOf({ clock }: World, node: NodeModel): FakeFirewall {
  node.firewall ??= fakeFirewall(clock.monotonicMs, ({ peerAddress, port, ttlS, runId }, begun) => {
    const entry = `${peerAddress},tcp:${port}`;
    if (begun) node.cuts.set(entry, { expiresAtMs: clock.monotonicMs() + ttlS * 1000, runId });
    else node.cuts.delete(entry);
  });
  return node.firewall;
}
