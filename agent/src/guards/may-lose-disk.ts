/**
 * The core of I1, over what both ends say of themselves and of each other: may this end lose its copy, and a volume
 * with an UpToDate one that can be reached is left all the same? The kernel does not ask that of a Secondary (F1),
 * and nobody asks it before a disk goes offline (F3). Everything that is not listed here is no.
 */
import { ConnectionState, DiskState, Role, type DrbdMinor } from "@vigie/proto";

export type EndStates = Pick<DrbdMinor, "role" | "connection" | "disk" | "peerDisk">;

/** Its disk may be detached: both ends are whole, and say so of each other. */
export function mayLoseDisk(own: EndStates, peer: EndStates): boolean {
  return (
    linked(own, peer) &&
    own.disk === DiskState.UP_TO_DATE &&
    own.peerDisk === DiskState.UP_TO_DATE &&
    peer.disk === DiskState.UP_TO_DATE &&
    peer.peerDisk === DiskState.UP_TO_DATE
  );
}

/** Its disk is given up already, and the peer serves it: what happens to the disk takes nothing more away. */
export function hasLostDisk(own: EndStates, peer: EndStates): boolean {
  return (
    linked(own, peer) &&
    own.disk === DiskState.DISKLESS &&
    own.peerDisk === DiskState.UP_TO_DATE &&
    peer.disk === DiskState.UP_TO_DATE &&
    peer.peerDisk === DiskState.DISKLESS
  );
}

/** What is below it may go offline. */
export function mayGoOffline(own: EndStates, peer: EndStates): boolean {
  return mayLoseDisk(own, peer) || hasLostDisk(own, peer);
}

/** Connected at both ends, each with a role, and at most one Primary (I8). */
function linked(own: EndStates, peer: EndStates): boolean {
  return (
    own.connection === ConnectionState.CONNECTED &&
    peer.connection === ConnectionState.CONNECTED &&
    hasRole(own) &&
    hasRole(peer) &&
    !(own.role === Role.PRIMARY && peer.role === Role.PRIMARY)
  );
}

function hasRole({ role }: EndStates): boolean {
  return role === Role.PRIMARY || role === Role.SECONDARY;
}
