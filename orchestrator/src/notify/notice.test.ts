import {
  Condition,
  Incident,
  IncidentState,
  NoticeCause,
  Plan,
  Run,
  RunEventKind,
  RunState,
  Severity,
} from "@vigie/proto";
import { expect, test } from "vitest";
import { isAsked, newsOfIncident, newsOfRun, whatStands, whatWaits } from "./notice.js";

const incident = (state: IncidentState, severity = Severity.WARNING): Incident =>
  Incident.create({ id: "i-1", state, severity });
const causes = (before: Incident | undefined, after: Incident, asked = false): NoticeCause[] =>
  newsOfIncident(before, after, asked).map(({ cause }) => cause);

test("that an incident opens, becomes worse, is left to a person and is over is news; all else is not", () => {
  const open = incident(IncidentState.OPEN);
  expect(causes(undefined, open)).toEqual([NoticeCause.OPENED]);
  expect(causes(open, { ...open, decision: ["waits its turn"] })).toEqual([]);
  expect(causes(open, incident(IncidentState.HEALING))).toEqual([]);
  expect(causes(open, incident(IncidentState.OPEN, Severity.CRITICAL))).toEqual([NoticeCause.WORSE]);
  expect(causes(incident(IncidentState.OPEN, Severity.CRITICAL), open)).toEqual([]);
  expect(causes(open, incident(IncidentState.NEEDS_PERSON))).toEqual([NoticeCause.NEEDS_PERSON]);
  expect(causes(incident(IncidentState.HEALING), incident(IncidentState.CLOSED))).toEqual([
    NoticeCause.CLOSED,
  ]);
});

const until = { node: "h3", untilUnixMs: 9 };
const snooze = { person: "anna", reason: "", unixMs: 1, untilUnixMs: 9 };
const acknowledgement = { person: "anna", reason: "", unixMs: 1 };

test.each([
  ["that a maintenance explains", { maintenance: until }],
  ["that is snoozed", { snooze }],
])("nothing that happens to an incident %s is news; that it is still open afterwards is", (_name, how) => {
  const open = incident(IncidentState.OPEN);
  const quiet = { ...open, ...how };
  expect(causes(undefined, quiet)).toEqual([]);
  expect(causes(open, quiet)).toEqual([]);
  expect(causes(quiet, { ...quiet, state: IncidentState.NEEDS_PERSON })).toEqual([]);
  expect(causes(quiet, { ...quiet, severity: Severity.CRITICAL })).toEqual([]);
  expect(causes(quiet, open)).toEqual([NoticeCause.STILL_OPEN]);
  expect(causes(quiet, incident(IncidentState.NEEDS_PERSON))).toEqual([
    NoticeCause.STILL_OPEN,
    NoticeCause.NEEDS_PERSON,
  ]);
  expect(causes(quiet, incident(IncidentState.OPEN, Severity.CRITICAL))).toEqual([NoticeCause.WORSE]);
  expect(causes(quiet, { ...quiet, state: IncidentState.CLOSED })).toEqual([NoticeCause.CLOSED]);
  expect(isAsked({ ...quiet, state: IncidentState.NEEDS_PERSON }, false)).toBe(false);
});

test("what somebody has in hand does not wait, nor does its run; what is quiet does not stand", () => {
  const asked = incident(IncidentState.NEEDS_PERSON);
  const frozen = run(RunState.FROZEN);
  for (const how of [{ maintenance: until }, { snooze }, { acknowledgement }])
    expect(whatWaits([{ ...asked, ...how }], [frozen])).toEqual([]);
  expect(
    whatStands(
      [
        { ...asked, maintenance: until },
        { ...asked, snooze },
      ],
      [],
    ),
  ).toEqual([]);
  expect(whatStands([{ ...asked, acknowledgement }], [])).toHaveLength(1);
});

test("that an acknowledged incident becomes worse is news, and so is that it is over", () => {
  const acked = { ...incident(IncidentState.OPEN), acknowledgement };
  expect(causes(acked, incident(IncidentState.OPEN, Severity.CRITICAL))).toEqual([NoticeCause.WORSE]);
  expect(causes(acked, incident(IncidentState.CLOSED))).toEqual([NoticeCause.CLOSED]);
});

test("a plan that is made anew every quarter of an hour is no news; a heal that did not help is", () => {
  const states = [
    IncidentState.NEEDS_PERSON,
    IncidentState.OPEN, // the plan was too old
    IncidentState.NEEDS_PERSON,
    IncidentState.HEALING, // somebody approved
    IncidentState.NEEDS_PERSON,
  ].map((state) => incident(state));
  let [before, asked] = [incident(IncidentState.OPEN), false];
  const told = states.map((after) => {
    const news = causes(before, after, asked);
    [before, asked] = [after, isAsked(after, asked)];
    return news.length;
  });
  expect(told).toEqual([1, 0, 0, 0, 1]);
});

const plan = Plan.create({
  incidentId: "i-1",
  steps: [
    {
      id: "plug",
      condition: Condition.create({ what: { $case: "personSays", value: { question: "is it in?" } } }),
    },
  ],
});
const run = (state: RunState, ...events: Run["events"]): Run =>
  Run.create({ id: "r-1", state, plan, events });
const row = (kind: RunEventKind, actor = "engine", stepId = "plug") =>
  Run.fromPartial({ events: [{ kind, actor, stepId }] }).events;

test("a run is news when it stops for a person who need not be looking at it", () => {
  const asks = run(RunState.WAITING, ...row(RunEventKind.STEP_WAITING));
  expect(newsOfRun(false, run(RunState.FROZEN))).toHaveLength(1);
  expect(newsOfRun(false, asks)).toHaveLength(1);
  expect(newsOfRun(true, asks)).toEqual([]);
  expect(newsOfRun(false, run(RunState.PAUSED, ...row(RunEventKind.PAUSE_ASKED)))).toHaveLength(1);
  expect(newsOfRun(false, run(RunState.PAUSED, ...row(RunEventKind.PAUSE_ASKED, "anna")))).toEqual([]);
  expect(newsOfRun(false, run(RunState.AWAITING_APPROVAL))).toEqual([]);
  expect(newsOfRun(false, run(RunState.RUNNING))).toEqual([]);
});

test("what waits is an incident that was left to a person, and what is critical and nothing works on", () => {
  const asked = incident(IncidentState.NEEDS_PERSON);
  const critical = { ...incident(IncidentState.OPEN, Severity.CRITICAL), id: "i-2" };
  const healing = { ...incident(IncidentState.HEALING, Severity.CRITICAL), id: "i-3" };
  const minor = { ...incident(IncidentState.OPEN), id: "i-4" };
  expect(whatWaits([asked, critical, healing, minor], []).map((it) => [it.about, it.asked])).toEqual([
    ["i-1", true],
    ["i-2", false],
  ]);
});

test("a frozen run is not told beside its incident, and is where that does not wait", () => {
  const frozen = run(RunState.FROZEN);
  expect(whatWaits([incident(IncidentState.NEEDS_PERSON)], [frozen])).toHaveLength(1);
  expect(whatWaits([incident(IncidentState.HEALING)], [frozen]).map(({ about }) => about)).toEqual(["r-1"]);
});
