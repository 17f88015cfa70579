/**
 * The lab's network: a namespace with a bridge and one tap a node. Programs that talk to the nodes by
 * address run inside the namespace; there is no route between it and the host's own network.
 */
import { BRIDGE, HOST_IP, NODES } from "../nodes.js";
import { runHost } from "./exec.js";
import { explaining } from "./problem.js";
import { LAB_NAME as NAMESPACE } from "./paths.js";

/** Words that run a command inside the lab's network namespace. */
export const INSIDE = ["ip", "netns", "exec", NAMESPACE] as const;

export async function createNetwork(): Promise<void> {
  await explaining([], NOT_ALLOWED, create);
}

const NOT_ALLOWED = {
  problem: "the lab's network cannot be made",
  remedy: "run it where root may make namespaces, bridges and taps; a container needs --privileged",
};

async function create(): Promise<void> {
  await runHost(["ip", "netns", "add", NAMESPACE]);
  const taps = NODES.flatMap((node) => [
    `tuntap add mode tap name ${node.tap}`,
    `link set ${node.tap} master ${BRIDGE} up`,
  ]);
  const lines = [
    "link set lo up",
    `link add ${BRIDGE} type bridge`,
    `addr add ${HOST_IP}/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
    ...taps,
  ];
  await runHost(["ip", "-n", NAMESPACE, "-batch", "-"], { input: lines.join("\n") });
}

export async function hasNetwork(): Promise<boolean> {
  const { stdout } = await runHost(["ip", "netns", "list"], { allowFailure: true });
  return stdout.split("\n").some((line) => line.split(" ")[0] === NAMESPACE);
}

/** The bridge and the taps live in the namespace and go with it. Safe to run twice. */
export async function removeNetwork(): Promise<void> {
  if (await hasNetwork()) await runHost(["ip", "netns", "delete", NAMESPACE]);
}
