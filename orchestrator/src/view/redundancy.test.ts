import { ConnectionState, DiskState } from "@vigie/proto";
import { expect, test } from "vitest";
import { redundancyOf, type Redundancy } from "./redundancy.js";
import { cluster, NOW_MS, onH1, onH2, type Says } from "./testing.js";

const NONE: ReadonlySet<string> = new Set();
const h2 = { minors: [onH2()] };

function seen(says: Readonly<Record<string, Says>>, except = NONE): Redundancy {
  return redundancyOf(cluster(says), NOW_MS, except);
}

test("a disk whose both ends are whole is one with two copies", () => {
  expect(seen({ h1: { minors: [onH1()] }, h2 })).toEqual({ active: 1, single: 0 });
});

test.each<[string, Readonly<Record<string, Says>>]>([
  ["one end has lost its disk", { h1: { minors: [onH1({ disk: DiskState.DISKLESS })] }, h2 }],
  [
    "one end waits for the other",
    { h1: { minors: [onH1({ connection: ConnectionState.WF_CONNECTION })] }, h2 },
  ],
  ["one end is not active", { h1: { minors: [] }, h2 }],
  ["one agent never spoke", { h2 }],
  ["one agent's word is old", { h1: { minors: [onH1()], ageMs: 60_000 }, h2 }],
  ["something is out of sync", { h1: { minors: [onH1({ outOfSyncKib: 4 })] }, h2 }],
])("not one where %s", (_what, says) => {
  const withMaster = { h1: { minors: [], ageMs: 60_000 }, ...says };
  expect(seen(withMaster)).toEqual({ active: 1, single: 1 });
});

test("a disk of a stopped instance is not counted, nor one that is left out, nor a minor that is not Ganeti's", () => {
  expect(seen({ h1: { minors: [] }, h2: { minors: [] } })).toEqual({ active: 0, single: 0 });
  expect(seen({ h1: { minors: [] }, h2 }, new Set(["d1"]))).toEqual({ active: 0, single: 0 });
  const stranger = { minors: [onH2(), onH2({ minor: 77, connection: ConnectionState.STAND_ALONE })] };
  expect(seen({ h1: { minors: [onH1()] }, h2: stranger })).toEqual({ active: 1, single: 0 });
});
