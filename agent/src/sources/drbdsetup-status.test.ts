import { ConnectionState, DiskState, Role } from "@vigie/proto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDrbdsetupStatus } from "./drbdsetup-status.js";
import { damagedCopies, FUZZ_RUNS, sample } from "./testing.js";

const STATUS = sample("sources/drbdsetup-status.json");

function changed(...pairs: [string, string][]): ReturnType<typeof parseDrbdsetupStatus> {
  return parseDrbdsetupStatus(pairs.reduce((text, [from, to]) => text.replace(from, to), STATUS));
}

test("a resyncing volume of DRBD 9 is given in the words of 8.4, with its progress in KiB", () => {
  const { minors, damaged } = parseDrbdsetupStatus(STATUS);
  expect(damaged).toEqual([]);
  expect(minors).toMatchObject([
    {
      minor: 2,
      connection: ConnectionState.SYNC_SOURCE,
      role: Role.PRIMARY,
      peerDisk: DiskState.INCONSISTENT,
      outOfSyncKib: 204800,
      openCount: 1,
      resync: { leftKib: 204800, totalKib: 409600, donePercent: 50, speedKibPerS: 1024, finishS: 200 },
    },
  ]);
});

test.each([
  ['"connection-state": "Connected"', '"connection-state": "Connecting"', ConnectionState.WF_CONNECTION],
  ['"connection-state": "Connected"', '"connection-state": "StandAlone"', ConnectionState.STAND_ALONE],
  ['"replication-state": "SyncSource"', '"replication-state": "Established"', ConnectionState.CONNECTED],
  ['"replication-state": "SyncSource"', '"replication-state": "Off"', ConnectionState.WF_REPORT_PARAMS],
])("%s printed as %s is %s", (from, to, connection) => {
  expect(changed([from, to]).minors).toMatchObject([{ connection }]);
});

test("a volume with two peers is unknown: no pair of states says how it is", () => {
  const resources = JSON.parse(STATUS) as { connections: unknown[] }[];
  resources[0]?.connections.push(resources[0].connections[0]);
  const { minors, damaged } = parseDrbdsetupStatus(JSON.stringify(resources));
  expect(minors).toEqual([]);
  expect(damaged).toEqual([{ line: 0, reason: "more than one peer", minor: 2, object: "" }]);
});

test.each([
  ['"UpToDate"', '"UpToDat3"', 'unknown disk-state "UpToDat3"'],
  ['"minor": 2,', '"minor": 2, "written": -1,', undefined],
  ['"out-of-sync": 204800', '"out-of-sync": 1e300', '"out-of-sync" is not a whole number'],
  ['"role": "Primary"', '"role": "toString"', 'unknown role "toString"'],
  ['"pending": 3', '"pending": 4294967296', '"pending" is not a whole number'],
])("%s printed as %s damages the minor", (from, to, reason) => {
  const { minors, damaged } = changed([from, to]);
  if (reason === undefined) return expect(minors).toHaveLength(1); // the later "written" counts
  expect(minors).toEqual([]);
  expect(damaged).toEqual([{ line: 0, reason, minor: 2, object: "" }]);
});

test("a rate that is wanted is printed in MiB/s, and a strange one damages nothing", () => {
  const wanting = (want: string) =>
    changed(['"out-of-sync": 204800', `"out-of-sync": 204800, "want": ${want}`]);
  expect(wanting("62.91").minors[0]?.resync?.wantKibPerS).toBe(64_420);
  expect(wanting("-1").minors[0]?.resync?.wantKibPerS).toBeUndefined();
  expect(wanting("-1").damaged).toEqual([]);
});

test("of a verify what is left is what it has not compared, in sectors", () => {
  const { minors } = changed(
    ['"has-online-verify-details": false', '"has-online-verify-details": true'],
    ['"out-of-sync": 204800', '"ov-left": 25428469, "out-of-sync": 204800'],
  );
  expect(minors[0]?.resync).toMatchObject({ verify: true, leftKib: 12_714_234 });
});

test("a count that is below zero for a moment is printed as if it could not be, and is read as it is", () => {
  expect(changed(['"pending": 3', '"pending": 4294967294']).minors).toMatchObject([{ pending: -2 }]);
});

test("a resource without devices is named, and the others still parse", () => {
  const [resource] = JSON.parse(STATUS) as object[];
  const { minors, damaged } = parseDrbdsetupStatus(JSON.stringify([{ name: "web2" }, resource]));
  expect(minors).toHaveLength(1);
  expect(damaged).toMatchObject([{ object: "web2" }]);
});

test("the same minor in two resources is unknown", () => {
  const [resource] = JSON.parse(STATUS) as object[];
  const { minors, damaged } = parseDrbdsetupStatus(JSON.stringify([resource, resource]));
  expect(minors).toEqual([]);
  expect(damaged.map(({ minor }) => minor)).toEqual([2, 2]);
});

test("text that is no JSON is refused as a whole", () => {
  expect(() => parseDrbdsetupStatus(STATUS.slice(0, 200))).toThrow("the status is not JSON");
  expect(() => parseDrbdsetupStatus("{}")).toThrow('"the status" is not a list');
});

test("whatever happens to the text, it is parsed or refused, and a double is never healthy", () => {
  fc.assert(
    fc.property(damagedCopies([STATUS]), (text) => {
      try {
        const { minors, damaged } = parseDrbdsetupStatus(text);
        for (const { minor } of damaged) expect(minors.some((each) => each.minor === minor)).toBe(false);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
