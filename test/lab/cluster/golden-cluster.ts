/** Makes the cluster of the golden state: three nodes, DRBD and plain disks, the fake hypervisor. */
import type { Lab, LabNode } from "../lab.js";
import { CLUSTER } from "../nodes.js";

const INIT_TIMEOUT_MS = 180_000;
const ADD_TIMEOUT_MS = 240_000;

const MINIMUM = "disk-size=16,cpu-count=1,disk-count=1,memory-size=16,nic-count=0,spindle-use=1";
const MAXIMUM = "disk-size=65536,cpu-count=8,disk-count=16,memory-size=32768,nic-count=8,spindle-use=12";
const STANDARD = "disk-size=64,cpu-count=1,disk-count=1,memory-size=64,nic-count=0,spindle-use=1";

/** No ssh and hosts set-up: both are in the image. Bounds that allow instances of a few MiB. */
const INIT_OPTIONS = [
  "--enabled-disk-templates=drbd,plain",
  "--enabled-hypervisors=fake",
  "--no-ssh-init",
  "--no-etc-hosts",
  "--vg-name=kvmvg",
  "-D drbd:metavg=kvmvg",
  "--nic-parameters=mode=bridged,link=br-gnt",
  "--master-netdev=eth0",
  `--ipolicy-bounds-specs=min:${MINIMUM}/max:${MAXIMUM}`,
  `--ipolicy-std-specs=${STANDARD}`,
];

/** On nodes that were started from the base image; about 12 s. */
export async function initialiseCluster(master: LabNode): Promise<void> {
  await master.run(`gnt-cluster init ${INIT_OPTIONS.join(" ")} ${CLUSTER.name}`, {
    timeoutMs: INIT_TIMEOUT_MS,
  });
}

/** Both at once: most of an addition is spent on the new node, before the job that takes the locks. */
export async function joinNodes(master: LabNode, others: readonly LabNode[]): Promise<void> {
  const add = (node: LabNode): Promise<unknown> =>
    master.run(`gnt-node add --no-ssh-key-check ${node.fqdn}`, { timeoutMs: ADD_TIMEOUT_MS });
  await Promise.all(others.map(add));
}

export async function makeCluster(lab: Lab): Promise<void> {
  const [master, ...others] = lab.nodes;
  if (master === undefined) throw new Error("a cluster needs a node");
  await initialiseCluster(master);
  await joinNodes(master, others);
}
