/**
 * Every value of a request that may reach an argv is matched against its type first (I36): a crafted name must not
 * become an option, a path or another address.
 */
import { BlockList, isIP, SocketAddress } from "node:net";
import { VigieError, type ActionRequest, type DrbdEnd } from "@vigie/proto";

const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;
const RUN_ID = /^r-[a-z0-9-]{1,60}$/;
const STEP_ID = /^[a-z0-9][a-z0-9-]{0,60}$/;
const LV = /^(?!\.\.?\/)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*\/(?!\.\.?$)[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/;
const PORT_MIN = 1024; // never a system service's port: ssh, noded (I18)
const NODED_PORT = 1811;

/** Addresses that are no other host's. */
const NOBODYS = new BlockList();
NOBODYS.addSubnet("0.0.0.0", 8);
NOBODYS.addSubnet("127.0.0.0", 8);
NOBODYS.addSubnet("224.0.0.0", 3); // multicast, reserved, broadcast
NOBODYS.addSubnet("::", 127, "ipv6");
NOBODYS.addSubnet("ff00::", 8, "ipv6");

/** @throws VigieError INVALID_ARGUMENT naming the value */
export function checkArguments(request: ActionRequest): void {
  must(RUN_ID.test(request.runId), "run id", request.runId);
  must(STEP_ID.test(request.stepId), "step id", request.stepId);
  const end = request.action?.value.end;
  if (end === undefined) throw new VigieError("INVALID_ARGUMENT", "the request names no DRBD end");
  checkEnd(end);
}

function checkEnd(end: DrbdEnd): void {
  must(HOST_NAME.test(end.instance), "instance", end.instance);
  must(HOST_NAME.test(end.node), "node", end.node);
  must(HOST_NAME.test(end.peerNode), "peer node", end.peerNode);
  must(isHostAddress(end.localAddress), "own address", end.localAddress);
  must(isHostAddress(end.peerAddress), "peer address", end.peerAddress);
  must(end.peerAddress !== end.localAddress, "peer address", `${end.peerAddress}, which is this node's own`);
  must(
    Number.isInteger(end.port) && end.port >= PORT_MIN && end.port <= 65_535 && end.port !== NODED_PORT,
    "port",
    end.port,
  );
  must(LV.test(end.dataLv), "data volume", end.dataLv);
}

/** Of one host, and spelt as the kernel spells it: what was cut by another spelling would not be found again. */
function isHostAddress(text: string): boolean {
  const family = isIP(text) === 6 ? "ipv6" : "ipv4";
  if (isIP(text) === 0 || text.startsWith("::ffff:") || text.includes("%")) return false;
  return new SocketAddress({ address: text, family }).address === text && !NOBODYS.check(text, family);
}

function must(holds: boolean, what: string, value: string | number): void {
  if (!holds) throw new VigieError("INVALID_ARGUMENT", `the ${what} is not valid: ${JSON.stringify(value)}`);
}
