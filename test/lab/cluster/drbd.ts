/** DRBD as the troubles handle it, below Ganeti: /proc/drbd and drbdsetup on one node. */
import type { Lab } from "../lab.js";
import { diskSecret, type DiskSide, type InstanceDisk } from "./configuration.js";

/** `drbdsetup connect` with what Ganeti 3.0 passes (lib/storage/drbd_cmdgen.py), ports and secret apart. */
const NET_OPTIONS =
  "--protocol C --after-sb-0pri discard-zero-changes --after-sb-1pri consensus --cram-hmac-alg md5";

/** The lines of one minor in /proc/drbd, or nothing where the node has no such minor. */
export async function procDrbd(lab: Lab, side: DiskSide): Promise<string> {
  const minor = String(side.minor);
  const command = `awk '/^ *[0-9]+: /{show = ($1 == "${minor}:")} show' /proc/drbd`;
  return (await lab.node(side.node).run(command)).stdout;
}

const WAIT = `
deadline=$(($(date +%s) + $3))
until grep -Eq "^ *$1: $2" /proc/drbd; do
  [ $(date +%s) -ge $deadline ] && { echo "minor $1 is not '$2' after $3 s:"; cat /proc/drbd; exit 1; } >&2
  sleep 0.1
done`;

/** @param state a regular expression (grep -E) for what follows `N: ` on the minor's first line */
export async function waitForMinor(
  lab: Lab,
  side: DiskSide,
  state: string,
  timeoutMs = 60_000,
): Promise<void> {
  const seconds = String(Math.ceil(timeoutMs / 1000));
  const node = lab.node(side.node);
  await node.script(WAIT, [String(side.minor), state, seconds], { timeoutMs: timeoutMs + 10_000 });
}

/** The two addresses of a connection as drbdsetup 8.4 names it, seen from one side. */
export function connectionName(disk: InstanceDisk, side: DiskSide): string {
  const peer = peerOf(disk, side);
  const port = String(disk.port);
  return `ipv4:${side.ip}:${port} ipv4:${peer.ip}:${port}`;
}

export function peerOf(disk: InstanceDisk, side: DiskSide): DiskSide {
  return side.node === disk.primary.node ? disk.secondary : disk.primary;
}

/** Leaves the side StandAlone, without its net configuration; its peer waits in WFConnection. */
export async function disconnect(lab: Lab, disk: InstanceDisk, side: DiskSide): Promise<void> {
  await lab.node(side.node).run(`drbdsetup disconnect ${connectionName(disk, side)}`);
}

/** @param options further options of `drbdsetup connect` */
export async function connectArguments(
  lab: Lab,
  disk: InstanceDisk,
  side: DiskSide,
  options = "",
): Promise<string> {
  const secret = await diskSecret(lab, disk);
  return `${side.resource} ${connectionName(disk, side)} ${NET_OPTIONS} --shared-secret ${secret} ${options}`.trim();
}

/** Connect one side again. Does nothing where it is not StandAlone. */
export async function connect(lab: Lab, disk: InstanceDisk, side: DiskSide, options = ""): Promise<void> {
  const words = await connectArguments(lab, disk, side, options);
  const standalone = `grep -q '^ *${String(side.minor)}: cs:StandAlone' /proc/drbd`;
  await lab.node(side.node).run(`if ${standalone}; then drbdsetup connect ${words}; fi`);
}
