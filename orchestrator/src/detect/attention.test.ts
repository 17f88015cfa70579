import { Incident, IncidentState, Severity } from "@vigie/proto";
import { expect, test } from "vitest";
import { acknowledged, afterChange, awake, notExpected, snoozed, underMaintenance } from "./attention.js";
import type { Moment } from "./incident-log.js";

const NOW: Moment = { monotonicMs: 0, unixMs: 1_000 };
const ANNA = { person: "anna", reason: "on my way" };
const open = Incident.create({ id: "i-1", state: IncidentState.OPEN, severity: Severity.WARNING });
const texts = ({ events }: Incident): string[] => events.map(({ text }) => text);

test("what is expected asks nobody, and is decided anew when it is expected no longer", () => {
  const asked = { ...open, state: IncidentState.NEEDS_PERSON, decision: ["x"] };
  const quiet = underMaintenance(asked, "h3", 9_000, NOW);
  expect(quiet).toMatchObject({ state: IncidentState.OPEN, maintenance: { node: "h3", untilUnixMs: 9_000 } });
  expect(notExpected({ ...quiet, state: IncidentState.NEEDS_PERSON }, true, NOW)).toMatchObject({
    state: IncidentState.OPEN,
    maintenance: undefined,
  });
});

test("a maintenance that gets another end is no new line of the history", () => {
  const quiet = underMaintenance(open, "h3", 9_000, NOW);
  const longer = underMaintenance(quiet, "h3", 19_000, NOW);
  expect(longer.maintenance?.untilUnixMs).toBe(19_000);
  expect(texts(longer)).toEqual(texts(quiet));
});

test("a run that is at work goes on, and its incident keeps its state", () => {
  const healing = { ...open, state: IncidentState.HEALING, runId: "r-1" };
  expect(underMaintenance(healing, "h3", 9_000, NOW)).toMatchObject({
    state: IncidentState.HEALING,
    runId: "r-1",
  });
});

test("who acknowledged it or snoozed it, why and when, is kept and in its history", () => {
  const both = snoozed(acknowledged(open, ANNA, NOW), { person: "bert", reason: "" }, 14_400_000, NOW);
  expect(both.acknowledgement).toEqual({ ...ANNA, unixMs: 1_000 });
  expect(both.snooze).toEqual({ person: "bert", reason: "", unixMs: 1_000, untilUnixMs: 14_401_000 });
  expect(texts(both)).toEqual(["acknowledged by anna: on my way", "snoozed for 240 min by bert"]);
  expect(awake(both, "woken by anna", NOW)).toMatchObject({ acknowledgement: undefined, snooze: undefined });
});

test("what is about more things than before became worse, though its severity is the same; about fewer, it did not", () => {
  const said = { ...snoozed(open, ANNA, 14_400_000, NOW), things: 6 };
  const { severity } = said;
  expect(afterChange(said, { severity, things: 1 }, NOW).snooze).toBeUndefined();
  expect(afterChange(said, { severity, things: 6 }, NOW)).toBe(said);
  expect(afterChange(said, { severity, things: 7 }, NOW)).toBe(said);
});

test("what becomes worse ends what was said of it; what becomes better does not", () => {
  const said = snoozed(acknowledged(open, ANNA, NOW), ANNA, 14_400_000, NOW);
  const worse = afterChange(
    { ...said, severity: Severity.CRITICAL },
    { severity: Severity.WARNING, things: 0 },
    NOW,
  );
  expect(worse).toMatchObject({ acknowledgement: undefined, snooze: undefined });
  expect(afterChange(said, { severity: Severity.CRITICAL, things: 0 }, NOW)).toBe(said);
  expect(afterChange(said, { severity: Severity.WARNING, things: 0 }, NOW)).toBe(said);
});
