/** Every combination of what the two ends may say, against a table written by hand (I1). */
import { ConnectionState, connectionWord, DiskState, DrbdMinor, PeerReport, Role } from "@vigie/proto";
import { expect, test } from "vitest";
import { allowed, stall, withOwn, withPeer, type Case } from "./testing.js";

const STATES = Object.values(ConnectionState).filter((state) => state !== ConnectionState.UNRECOGNIZED);
const { SYNC_SOURCE, SYNC_TARGET, CONNECTED } = ConnectionState;

/**
 * The pairs of own and peer's state that may be cut, by what the ends say is out of sync. Everything else refuses,
 * "not printed" (8.0) included where the pair needs a zero.
 */
const ALLOWED_PAIRS: readonly { own: ConnectionState; peer: ConnectionState; nothingLeft: boolean }[] = [
  { own: SYNC_SOURCE, peer: SYNC_TARGET, nothingLeft: false },
  { own: SYNC_TARGET, peer: SYNC_SOURCE, nothingLeft: false },
  { own: SYNC_SOURCE, peer: SYNC_SOURCE, nothingLeft: true }, // the wiki's: both at 100.0 %
  { own: SYNC_SOURCE, peer: CONNECTED, nothingLeft: true }, // ganeti#1868: the peer is done
];

test("of all pairs of connection states and sizes out of sync, exactly the written ones may be cut", () => {
  const sizes = [0, 4, undefined];
  const wrong: string[] = [];
  let cases = 0;
  for (const own of STATES)
    for (const peer of STATES)
      for (const ownOos of sizes)
        for (const peerOos of sizes) {
          cases += 1;
          const { params, seen } = withOwn({ connection: own, outOfSyncKib: ownOos });
          const drbd = DrbdMinor.create({
            ...params.peer?.drbd,
            connection: peer,
            disk: DiskState.UP_TO_DATE,
            outOfSyncKib: peerOos,
          });
          const report = PeerReport.create({ ...params.peer, drbd });
          const nothingLeft = ownOos === 0 && peerOos === 0;
          const expected = ALLOWED_PAIRS.some(
            (pair) => pair.own === own && pair.peer === peer && (nothingLeft || !pair.nothingLeft),
          );
          const actual = allowed({ params: { ...params, peer: report }, seen });
          if (actual !== expected)
            wrong.push(`${connectionWord(own)} ${ownOos}, ${connectionWord(peer)} ${peerOos}: ${actual}`);
        }
  expect(wrong).toEqual([]);
  expect(cases).toBe(26 * 26 * 9);
});

test("a peer that says it is done and whose disk is not UpToDate is not done", () => {
  const { seen } = withOwn({ outOfSyncKib: 0 });
  const done = (disk: DiskState): Case => {
    const drbd = DrbdMinor.create({
      ...stall().params.peer?.drbd,
      connection: CONNECTED,
      disk,
      outOfSyncKib: 0,
    });
    return { params: { ...stall().params, peer: PeerReport.create({ ...stall().params.peer, drbd }) }, seen };
  };
  expect(allowed(done(DiskState.UP_TO_DATE))).toBe(true);
  expect(
    Object.values(DiskState)
      .filter((disk) => disk !== DiskState.UP_TO_DATE)
      .filter((disk) => allowed(done(disk))),
  ).toEqual([]);
});

test("of all roles and disks of both ends, a Primary without UpToDate data is never cut off (I1)", () => {
  const wrong: string[] = [];
  for (const role of Object.values(Role))
    for (const disk of Object.values(DiskState)) {
      const holds = role === Role.SECONDARY || (role === Role.PRIMARY && disk === DiskState.UP_TO_DATE);
      const { params } = withPeer({ peerRole: role });
      const own = allowed({ params, seen: withOwn({ role, disk }).seen });
      if (own !== holds) wrong.push(`own ${role} ${disk}: ${own}`);
    }
  expect(wrong).toEqual([]);
});
