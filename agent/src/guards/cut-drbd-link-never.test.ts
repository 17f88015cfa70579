/** What may never be cut, whatever else is so: cases made from a stall that may be, by chance. */
import { ConnectionState, DiskState, DrbdMinor, PeerReport, Role } from "@vigie/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allowed, stall, type Case } from "./testing.js";

const RUNS = Number(process.env["VIGIE_FUZZ_RUNS"] ?? 3_000);
const BASE = stall();

/** Mostly as it is in the stall. */
function mostly<T>(usual: T, others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
}

function anyMinor(base: DrbdMinor | undefined): fc.Arbitrary<DrbdMinor | undefined> {
  const usual = DrbdMinor.create(base);
  const roles = Object.values(Role);
  const minor = fc
    .record({
      connection: mostly(usual.connection, Object.values(ConnectionState)),
      role: mostly(usual.role, roles),
      peerRole: mostly(usual.peerRole, roles),
      disk: mostly(usual.disk, Object.values(DiskState)),
      outOfSyncKib: fc.constantFrom(0, 4, undefined),
      resyncPausedByUser: mostly(false, [true]),
    })
    .map((some) => ({ ...usual, ...some }));
  return fc.oneof({ weight: 20, arbitrary: minor }, fc.constant(undefined));
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    own: anyMinor(BASE.seen.own),
    drbd: anyMinor(BASE.params.peer?.drbd),
    reported: mostly(true, [false]),
    migrateJobId: fc.constantFrom(0, 7),
    peerAgeMs: mostly<number | undefined>(500, [0, 2_000, 2_001, 60_000, undefined]),
    ownAgeMs: mostly(20, [2_000, 2_001]),
    ownStillMs: mostly<number | undefined>(8_000, [100, undefined]),
  })
  .map(({ own, drbd, reported, migrateJobId, ...seen }) => {
    const peer = reported ? PeerReport.create({ ...BASE.params.peer, drbd }) : undefined;
    return { params: { ...BASE.params, peer, migrateJobId }, seen: { ...BASE.seen, ...seen, own } };
  });

const ends = ({ params, seen }: Case): (DrbdMinor | undefined)[] => [seen.own, params.peer?.drbd];

const NEVER: readonly [string, (it: Case) => boolean][] = [
  ["an end that is not known is never cut (I7, I11)", (it) => ends(it).includes(undefined)],
  [
    "a peer whose report is missing or older than two seconds is never cut off (I7)",
    ({ params, seen }) => params.peer === undefined || seen.peerAgeMs === undefined || seen.peerAgeMs > 2_000,
  ],
  [
    "a StandAlone end is left to a person (I8)",
    (it) => ends(it).some((end) => end?.connection === ConnectionState.STAND_ALONE),
  ],
  [
    "two Primaries without a migration are left to a person (I8)",
    (it) => it.params.migrateJobId === 0 && ends(it).every((end) => end?.role === Role.PRIMARY),
  ],
  [
    "a Primary without UpToDate data keeps its link (I1)",
    (it) => ends(it).some((end) => end?.role === Role.PRIMARY && end.disk !== DiskState.UP_TO_DATE),
  ],
];

test.each(NEVER)("%s", (_what, dangerous) => {
  let met = 0;
  fc.assert(
    fc.property(anyCase, (it) => {
      if (!dangerous(it)) return;
      met += 1;
      expect(allowed(it)).toBe(false);
    }),
    { numRuns: RUNS },
  );
  expect(met).toBeGreaterThan(RUNS / 1_000); // by chance: some five times fewer than usual still count
});

test("the cases also hold some that may be cut, or nothing above could fail", () => {
  const made = fc.sample(anyCase, { numRuns: 2_000, seed: 1 });
  expect(made.filter(allowed).length).toBeGreaterThan(20);
});
