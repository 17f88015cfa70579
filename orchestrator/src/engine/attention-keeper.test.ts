import {
  ConnectionState,
  DiskState,
  Incident,
  IncidentKind,
  IncidentState,
  Maintenance,
  type Clock,
} from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import { cluster, NOW_MS, onH1, onH2, type Says } from "../view/testing.js";
import { createAttentionKeeper, type AttentionKeeper } from "./attention-keeper.js";

const AWAY: Says = { offline: true, ageMs: 60_000, minors: [onH2()] };
const alone = (disk: DiskState): Says => ({
  minors: [onH1({ connection: ConnectionState.WF_CONNECTION, peerDisk: DiskState.D_UNKNOWN, disk })],
});
const GOOD = cluster({ h1: alone(DiskState.UP_TO_DATE), h2: AWAY });
const BAD = cluster({ h1: alone(DiskState.OUTDATED), h2: AWAY });
const degraded = Incident.create({
  id: "i-1",
  kind: IncidentKind.DEGRADED,
  state: IncidentState.OPEN,
  subject: { instance: "web1", diskIndex: 0, node: "h1", minor: 0 },
});

let on: Maintenance[];
let keeper: AttentionKeeper;
beforeEach(() => {
  on = [Maintenance.create({ node: "h2", begunUnixMs: 1, untilUnixMs: 9_000 })];
  const clock: Clock = { monotonicMs: () => NOW_MS, wallUnixMs: () => 1_000, sleep: async () => undefined };
  keeper = createAttentionKeeper({ clock, maintenances: () => on, snoozeMaxMs: () => 1_000 });
});

/** @param laterMs the view stays of NOW_MS */
function at(incident: Incident, view: typeof GOOD, laterMs = 0, isSeen = true): Incident {
  const moment = { monotonicMs: NOW_MS, unixMs: 1_000 + laterMs };
  if (laterMs === 0) return keeper.after(incident, view, isSeen, moment);
  const shifted = cluster({
    h1: { ...alone(view === GOOD ? DiskState.UP_TO_DATE : DiskState.OUTDATED), ageMs: -laterMs },
    h2: AWAY,
  });
  return keeper.after(incident, shifted, isSeen, { ...moment, monotonicMs: NOW_MS + laterMs });
}

test("what a maintenance explains is quiet at once, and nothing is written again for it", () => {
  const quiet = at(degraded, GOOD);
  expect(quiet.maintenance).toEqual({ node: "h2", untilUnixMs: 9_000 });
  expect(at(quiet, GOOD, 1_000)).toBe(quiet);
});

test("what it does not explain is never quiet", () => {
  expect(at(degraded, BAD)).toBe(degraded);
});

test("what it explains no more is told when that has stood for 15 s, as with any mirror that is degraded", () => {
  const quiet = at(degraded, GOOD);
  expect(at(quiet, BAD, 1_000)).toBe(quiet);
  expect(at(quiet, GOOD, 10_000)).toBe(quiet); // it was the moment in which the ends met
  expect(at(quiet, BAD, 11_000)).toBe(quiet);
  expect(at(quiet, BAD, 25_000)).toBe(quiet);
  expect(at(quiet, BAD, 26_000).maintenance).toBeUndefined();
});

test("when it is over, or has another end, that counts at once", () => {
  const quiet = at(degraded, GOOD);
  on = [Maintenance.create({ node: "h2", begunUnixMs: 1, untilUnixMs: 19_000 })];
  expect(at(quiet, GOOD).maintenance?.untilUnixMs).toBe(19_000);
  on = [];
  expect(at(quiet, GOOD).maintenance).toBeUndefined();
});

test("an incident of an earlier life stays as it was until it is seen again, and no longer than the maintenance", () => {
  const quiet = at(degraded, GOOD);
  expect(at(quiet, cluster({}), 0, false)).toBe(quiet);
  on = [];
  expect(at(quiet, cluster({}), 0, false).maintenance).toBeUndefined();
});

test("a snooze ends at its time, and one of a clock that was set back since ends now", () => {
  const snooze = { person: "anna", reason: "", unixMs: 1_000, untilUnixMs: 2_000 };
  const snoozed = { ...degraded, snooze };
  on = [];
  expect(at(snoozed, GOOD)).toBe(snoozed);
  const ahead = { ...degraded, id: "i-2", snooze: { ...snooze, unixMs: 900_000, untilUnixMs: 901_000 } };
  expect(at(ahead, GOOD).snooze).toBeUndefined();
});
