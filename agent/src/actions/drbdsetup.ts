/**
 * The drbdsetup command lines, in the syntax of 8.4 (drbdsetup(8), and ganeti's lib/storage/drbd_cmdgen.py). None has
 * a forced form here (I5), and there is no `primary` (I6).
 */
import { isIPv6 } from "node:net";
import type { DrbdEnd } from "@vigie/proto";
import type { Command } from "../host.js";

const FILE = "/usr/sbin/drbdsetup";
const TIMEOUT_MS = 10_000; // a detach from a frozen disk never returns (F2): then it hangs, and its minor is left alone

export function detach(minor: number): Command {
  return drbdsetup("detach", String(minor));
}

/** Ganeti's name of the resource; a name that does not exist is a success without effect (F5). */
export function down(minor: number): Command {
  return drbdsetup("down", resourceOf(minor));
}

export function secondary(minor: number): Command {
  return drbdsetup("secondary", String(minor));
}

export function disconnect({ localAddress, peerAddress, port }: DrbdEnd): Command {
  return drbdsetup("disconnect", addressOf(localAddress, port), addressOf(peerAddress, port));
}

/** All of this end's data is given up; it gets all from the peer when they connect. */
export function invalidate(minor: number): Command {
  return drbdsetup("invalidate", String(minor));
}

export function resourceOf(minor: number): string {
  return `resource${minor}`;
}

function addressOf(address: string, port: number): string {
  return isIPv6(address) ? `ipv6:[${address}]:${port}` : `ipv4:${address}:${port}`;
}

function drbdsetup(...args: string[]): Command {
  return { file: FILE, args, timeoutMs: TIMEOUT_MS };
}
