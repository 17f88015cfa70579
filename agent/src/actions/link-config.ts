/**
 * The kernel's configuration of a link that is to be cut. `drbdsetup show` waits in the kernel while a resync hangs
 * badly enough (the wiki's "No response from the DRBD driver!"), and that is when the cut is needed. Then the last answer
 * of this boot counts, if the kernel's own list of TCP connections shows this very link: its addresses and its port,
 * with a socket at either end of it, as DRBD has them. Nothing else can use that port while it does.
 */
import { Source, type DrbdConfig, type DrbdEnd } from "@vigie/proto";
import { parseProcNetTcp, type TcpConnection } from "../sources/proc-net-tcp.js";
import type { Look } from "./action.js";

const FILES = ["/proc/net/tcp", "/proc/net/tcp6"];

export async function linkConfig(
  end: DrbdEnd | undefined,
  look: Look,
): Promise<DrbdConfig | "unknown" | undefined> {
  const minor = end?.minor ?? -1;
  const fresh = await look.drbdConfig(minor);
  if (fresh !== "unknown") return fresh;
  const known = look.lastGood(Source.DRBD_CONFIG)?.facts;
  const configs = known?.$case === "drbdConfig" ? known.value.resources : [];
  const [config, second] = configs.filter((resource) => resource.minor === minor);
  if (config === undefined || second !== undefined) return "unknown";
  return (await connections(look)).some((one) => isOf(one, config)) ? config : "unknown";
}

async function connections({ host }: Look): Promise<TcpConnection[]> {
  const texts = await Promise.all(FILES.map((path) => host.readFile(path).catch(() => "")));
  return texts.flatMap(parseProcNetTcp);
}

/** Either end may have connected: the DRBD port is one of the two, and the other one is anything. */
function isOf(one: TcpConnection, { localAddress, localPort, peerAddress, peerPort }: DrbdConfig): boolean {
  const same = one.ownAddress === localAddress && one.peerAddress === peerAddress;
  return same && (one.ownPort === localPort || one.peerPort === peerPort);
}
