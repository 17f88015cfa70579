import { DrbdEnd, Incident, IncidentKind, Plan, Run } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { modeOf, orchestratorConfigSchema, type PolicyConfig } from "../config.js";
import { decide, type Decision, type PolicyFacts, type RecentRun } from "./policy.js";

const SHIPPED = orchestratorConfigSchema.parse({}).policy;
const FREE: PolicyFacts = {
  leads: true,
  leadReason: "",
  recentRuns: [],
  openRuns: [],
  planRefusals: [],
  twoPrimaries: false,
};
const STALL = Incident.create({ kind: IncidentKind.STALLED_SYNC });

function ask(facts: Partial<PolicyFacts> = {}, config: PolicyConfig = SHIPPED, runbook = "reset"): Decision {
  return decide(STALL, runbook, "d1", ["h1", "h2"], config, { ...FREE, ...facts });
}

function recent(change: Partial<RecentRun>): RecentRun {
  return { resourceKey: "d9", nodes: ["h8", "h9"], agoMs: 1_000, ...change };
}

function openRun(node: string, peer: string): Run {
  const plan = Plan.create({ end: DrbdEnd.create({ node }), peerEnd: DrbdEnd.create({ node: peer }) });
  return Run.create({ id: "r-9", plan });
}

test("as shipped, a stalled resync is healed, and nothing else is touched", () => {
  const kinds = Object.values(IncidentKind);
  expect(kinds.filter((kind) => modeOf(SHIPPED, kind) === "auto")).toEqual([IncidentKind.STALLED_SYNC]);
  expect(kinds.filter((kind) => modeOf(SHIPPED, kind) === "ask")).toEqual([]);
});

test("with nothing in the way a run begins, and the reasons say so", () => {
  expect(ask()).toEqual({
    act: "run",
    reasons: ["policy for this kind is auto", "no limit is reached", "every guard held when it was planned"],
  });
});

test("observe does nothing, whatever else is so", () => {
  expect(ask({}, { ...SHIPPED, stalled_sync: "observe" }).act).toBe("observe");
});

test("ask asks, and shows what would have stopped it too", () => {
  const config: PolicyConfig = { ...SHIPPED, stalled_sync: "ask" };
  expect(ask({}, config)).toEqual({ act: "ask", reasons: ["policy for this kind is ask"] });
  expect(ask({ twoPrimaries: true }, config).reasons).toHaveLength(2);
});

test("a kind without a runbook is a person's, even where it is set to auto", () => {
  expect(ask({}, SHIPPED, "")).toMatchObject({
    act: "observe",
    reasons: [expect.any(String), expect.stringContaining("no runbook")],
  });
});

describe("each of these turns acting into asking, and is the reason that is told", () => {
  test.each<[string, Partial<PolicyFacts>, string]>([
    ["the plan cannot be run", { planRefusals: ["h2 is StandAlone"] }, "h2 is StandAlone"],
    ["this orchestrator does not lead", { leads: false, leadReason: "1 of 3" }, "may not act: 1 of 3"],
    ["both ends are Primary (I8)", { twoPrimaries: true }, "both ends are Primary"],
    [
      "a run for this disk an hour ago",
      { recentRuns: [recent({ resourceKey: "d1", agoMs: 3_599_000 })] },
      "it came back",
    ],
    [
      "a run on the same node five minutes ago (I34)",
      { recentRuns: [recent({ nodes: ["h2", "h9"], agoMs: 299_000 })] },
      "same node",
    ],
    [
      "three runs in the last hour (I34)",
      { recentRuns: [1, 2, 3].map((n) => recent({ agoMs: n * 1_000_000 })) },
      "storm stop",
    ],
    ["a run is open on a node of the pair (I9)", { openRuns: [openRun("h9", "h2")] }, "r-9 is open"],
    ["a run is open on the other way round (I9)", { openRuns: [openRun("h2", "h1")] }, "r-9 is open"],
  ])("%s", (_what, facts, told) => {
    const { act, reasons } = ask(facts);
    expect(act).toBe("ask");
    expect(reasons).toEqual(["policy for this kind is auto", expect.stringContaining(told)]);
  });
});

test("every reason is told, not only the first", () => {
  const facts = { twoPrimaries: true, planRefusals: ["a", "b"], openRuns: [openRun("h1", "h2")] };
  expect(ask(facts).reasons).toHaveLength(5);
});

test("limits that are over do not count", () => {
  const recentRuns = [
    recent({ nodes: ["h1", "h2"], agoMs: 300_000 }),
    recent({ agoMs: 1_000_000 }),
    recent({ resourceKey: "d1", agoMs: 3_600_000 }),
  ];
  expect(ask({ recentRuns }).act).toBe("run");
});

test("a run elsewhere is no obstacle", () => {
  expect(ask({ openRuns: [openRun("h3", "h4")], recentRuns: [recent({})] }).act).toBe("run");
});
