/** The lab's machines and their addresses. A private network in its own namespace: nothing leaves it. */
export const DOMAIN = "lab.example";
export const BRIDGE = "br0";
export const HOST_IP = "10.77.0.1";

export type NodeName = "h1" | "h2" | "h3";

export interface NodeFacts {
  readonly name: NodeName;
  readonly fqdn: string;
  readonly ip: string;
  readonly mac: string;
  readonly tap: string; // the host's end of the node's only cable
}

/** h1 is the Ganeti master of the golden state. */
export const NODES: readonly NodeFacts[] = [nodeFacts("h1", 1), nodeFacts("h2", 2), nodeFacts("h3", 3)];

export const CLUSTER = { name: `cluster.${DOMAIN}`, ip: "10.77.0.20" };

/** Names that resolve inside the lab and are free for instances. */
export const INSTANCES = [1, 2, 3, 4, 5, 6].map((n) => ({
  name: `web${String(n)}.${DOMAIN}`,
  ip: `10.77.0.${String(30 + n)}`,
}));

function nodeFacts(name: NodeName, index: number): NodeFacts {
  const digit = String(index);
  return {
    name,
    fqdn: `${name}.${DOMAIN}`,
    ip: `10.77.0.1${digit}`,
    mac: `5e:77:00:00:00:1${digit}`,
    tap: `tap-${name}`,
  };
}

export function isNodeName(text: string): text is NodeName {
  return NODES.some((node) => node.name === text);
}

export function factsOf(name: NodeName): NodeFacts {
  const found = NODES.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return found;
}

/** /etc/hosts of every node: the cluster needs no name server. */
export function hostsFile(): string {
  const machines = NODES.map((node) => `${node.ip} ${node.fqdn} ${node.name}`);
  const instances = INSTANCES.map((instance) => `${instance.ip} ${instance.name}`);
  const fixed = ["127.0.0.1 localhost", `${HOST_IP} host.${DOMAIN} host`, `${CLUSTER.ip} ${CLUSTER.name}`];
  return [...fixed, ...machines, ...instances, ""].join("\n");
}
