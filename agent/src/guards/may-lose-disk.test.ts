/**
 * Every pair of what two ends can say (I1): 2 roles, 24 connection states, 9 states of the own disk and 9 of the
 * peer's are 3,888 ends, and these are 15,116,544 pairs, held against a list that was written by hand.
 */
import { ConnectionState, connectionWord, DiskState, diskWord, Role, roleWord } from "@vigie/proto";
import { expect, test } from "vitest";
import { hasLostDisk, mayGoOffline, mayLoseDisk, type EndStates } from "./may-lose-disk.js";

const ROLES = [Role.PRIMARY, Role.SECONDARY];
const CONNECTIONS = Object.values(ConnectionState).filter(
  (state) =>
    state !== ConnectionState.UNSPECIFIED &&
    state !== ConnectionState.UNRECOGNIZED &&
    state !== ConnectionState.UNCONFIGURED, // prints nothing else
);
const DISKS = Object.values(DiskState).filter(
  (state) =>
    state !== DiskState.UNSPECIFIED && state !== DiskState.UNRECOGNIZED && state !== DiskState.DETACHING, // DRBD 9
);

const ENDS: readonly EndStates[] = ROLES.flatMap((role) =>
  CONNECTIONS.flatMap((connection) =>
    DISKS.flatMap((disk) => DISKS.map((peerDisk) => ({ role, connection, disk, peerDisk }))),
  ),
);

/** Own end, then the peer's, as /proc/drbd prints them: role, connection, own disk, what it knows of the other's. */
const DETACHABLE = [
  "Primary Connected UpToDate/UpToDate, Secondary Connected UpToDate/UpToDate",
  "Secondary Connected UpToDate/UpToDate, Primary Connected UpToDate/UpToDate",
  "Secondary Connected UpToDate/UpToDate, Secondary Connected UpToDate/UpToDate",
];
const LOST_ALREADY = [
  "Primary Connected Diskless/UpToDate, Secondary Connected UpToDate/Diskless",
  "Secondary Connected Diskless/UpToDate, Primary Connected UpToDate/Diskless",
  "Secondary Connected Diskless/UpToDate, Secondary Connected UpToDate/Diskless",
];

function printed({ role, connection, disk, peerDisk }: EndStates): string {
  return `${roleWord(role)} ${connectionWord(connection)} ${diskWord(disk)}/${diskWord(peerDisk)}`;
}

function allowedOf(may: (own: EndStates, peer: EndStates) => boolean): { pairs: number; allowed: string[] } {
  const allowed: string[] = [];
  let pairs = 0;
  for (const own of ENDS)
    for (const peer of ENDS) {
      pairs += 1;
      if (may(own, peer)) allowed.push(`${printed(own)}, ${printed(peer)}`);
    }
  return { pairs, allowed: allowed.toSorted() };
}

test("of all pairs of states, exactly the written ones let an end give its disk up (I1)", () => {
  expect(allowedOf(mayLoseDisk)).toEqual({ pairs: 3_888 ** 2, allowed: DETACHABLE.toSorted() });
});

test("of all pairs of states, exactly the written ones let the disk below an end go offline (I1, I2)", () => {
  const written = [...DETACHABLE, ...LOST_ALREADY].toSorted();
  expect(allowedOf(mayGoOffline)).toEqual({ pairs: 15_116_544, allowed: written });
});

test("a word that is not one of these at either end lets nothing go (I11)", () => {
  const whole: EndStates = {
    role: Role.SECONDARY,
    connection: ConnectionState.CONNECTED,
    disk: DiskState.UP_TO_DATE,
    peerDisk: DiskState.UP_TO_DATE,
  };
  const odd: Partial<EndStates>[] = [
    ...[Role.UNSPECIFIED, Role.UNKNOWN, Role.UNRECOGNIZED].map((role) => ({ role })),
    ...[ConnectionState.UNSPECIFIED, ConnectionState.UNCONFIGURED, ConnectionState.UNRECOGNIZED].map(
      (connection) => ({ connection }),
    ),
    ...[DiskState.UNSPECIFIED, DiskState.DETACHING, DiskState.UNRECOGNIZED].flatMap((disk) => [
      { disk },
      { peerDisk: disk },
    ]),
  ];
  expect(mayGoOffline(whole, whole)).toBe(true);
  for (const change of odd) {
    expect(mayGoOffline({ ...whole, ...change }, whole), JSON.stringify(change)).toBe(false);
    expect(mayGoOffline(whole, { ...whole, ...change }), JSON.stringify(change)).toBe(false);
  }
});

test("a disk that is given up already is not detached again, and its peer is not detached at all", () => {
  const own = ENDS.filter((end) => printed(end) === "Secondary Connected Diskless/UpToDate");
  const peer = ENDS.filter((end) => printed(end) === "Primary Connected UpToDate/Diskless");
  expect([own.length, peer.length]).toEqual([1, 1]);
  const [a, b] = [own[0] as EndStates, peer[0] as EndStates];
  expect([hasLostDisk(a, b), mayLoseDisk(a, b), mayGoOffline(b, a)]).toEqual([true, false, false]);
});
