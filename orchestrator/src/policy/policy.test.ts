import { Incident, IncidentKind, Lock } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { modeOf, orchestratorConfigSchema, type PolicyConfig } from "../config.js";
import { decide, type Decision, type PolicyFacts, type RecentRun } from "./policy.js";

const SHIPPED = orchestratorConfigSchema.parse({}).policy;
const FREE: PolicyFacts = {
  leads: true,
  leadReason: "",
  locks: ["disk d1", "instance web1", "node h1", "node h2", "pair h1 h2"],
  recentRuns: [],
  lockInTheWay: undefined,
  planRefusals: [],
  destructive: false,
  rung: "none",
  tags: [],
  stopped: "",
  typedWord: "",
  twoPrimaries: false,
  elsewhere: { active: 100, single: 34 },
  nowUnixMs: Date.parse("2026-11-22T12:00:00Z"), // a Sunday
};
const HELD = Lock.create({ name: "node h2", runId: "r-9", expiresUnixMs: 1 });
const STALL = Incident.create({ kind: IncidentKind.STALLED_SYNC });

function ask(facts: Partial<PolicyFacts> = {}, config: PolicyConfig = SHIPPED, runbook = "reset"): Decision {
  return decide(STALL, runbook, config, { ...FREE, ...facts });
}

function recent(change: Partial<RecentRun>): RecentRun {
  const locks = ["disk d9", "node h8", "node h9"];
  return { locks, agoMs: 1_000, destructive: false, sent: true, refused: false, end: "helped", ...change };
}

test("as shipped, a stalled resync is healed, and nothing else is touched", () => {
  const kinds = Object.values(IncidentKind);
  expect(kinds.filter((kind) => modeOf(SHIPPED, kind) === "auto")).toEqual([IncidentKind.STALLED_SYNC]);
  expect(kinds.filter((kind) => modeOf(SHIPPED, kind) === "ask")).toEqual([]);
});

test("with nothing in the way a run begins, and the reasons say so", () => {
  expect(ask()).toMatchObject({
    act: "run",
    reasons: ["policy for this kind is auto", "no limit is reached", "every guard held when it was planned"],
  });
});

test("observe does nothing, whatever else is so", () => {
  expect(ask({ twoPrimaries: true }, { ...SHIPPED, stalled_sync: "observe" })).toMatchObject({
    act: "observe",
    reasons: ["policy for this kind is observe"],
  });
});

test("ask asks, and shows what would have stopped it too", () => {
  const config: PolicyConfig = { ...SHIPPED, stalled_sync: "ask" };
  expect(ask({}, config)).toMatchObject({ act: "ask", reasons: ["policy for this kind is ask"] });
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
    ["both ends are Primary (I8)", { twoPrimaries: true }, "both ends are Primary"],
    [
      "a plan that wants a typed word, which nobody but a person can give",
      { typedWord: "lose-h3" },
      "its plan asks a person to type the word lose-h3",
    ],
    [
      "a run for this disk an hour ago",
      { recentRuns: [recent({ locks: ["disk d1"], agoMs: 3_599_000 })] },
      "it came back: a run for this disk began 3599 s ago, and one an 1 h is allowed",
    ],
    [
      "a run for this disk a moment ago",
      { recentRuns: [recent({ locks: ["disk d1"], agoMs: 0 })] },
      "it came back: a run for this disk began 0 s ago, and one an 1 h is allowed",
    ],
    [
      "three destructive runs in the last hour (I34)",
      {
        destructive: true,
        recentRuns: [1, 2, 3].map((n) => recent({ destructive: true, agoMs: n * 1_000_000 })),
      },
      "3 automatic runs in the last hour: the storm stop",
    ],
    [
      "three heals in the last hour that did not help",
      { recentRuns: [1, 2, 3].map((n) => recent({ end: "did not help", agoMs: n * 1_000_000 })) },
      "3 of the last hour's 3 heals did not help",
    ],
    [
      "as many heals in an hour as are allowed",
      { recentRuns: Array.from({ length: 200 }, () => recent({})) },
      "200 heals in the last hour: the storm stop",
    ],
    [
      "Ganeti's ladder of repairs",
      { rung: "migrate", tags: [[["ganeti:watcher:autorepair:fix-storage"]]] },
      "up to fix-storage",
    ],
  ])("%s", (_what, facts, told) => {
    const { act, reasons } = ask(facts);
    expect(act).toBe("ask");
    expect(reasons).toEqual(["policy for this kind is auto", expect.stringContaining(told)]);
  });
});

describe("each of these is waited for, and is the reason that is shown", () => {
  test.each<[string, Partial<PolicyFacts>, string]>([
    ["this orchestrator does not lead", { leads: false, leadReason: "1 of 3" }, "may not act: 1 of 3"],
    ["everything is stopped (I33)", { stopped: "anna: maintenance" }, "anna: maintenance"],
    [
      "another run is at work there (I9)",
      { lockInTheWay: HELD },
      "waits for its turn: r-9 is at work on node h2 (I9)",
    ],
    [
      "a destructive run on the same node five minutes ago (I34)",
      {
        destructive: true,
        recentRuns: [recent({ destructive: true, locks: ["node h2", "node h9"], agoMs: 299_000 })],
      },
      "a run on the same node began less than 300 s ago",
    ],
  ])("%s", (_what, facts, shown) => {
    const { act, reasons } = ask(facts);
    expect(act).toBe("wait");
    expect(reasons).toEqual(["policy for this kind is auto", expect.stringContaining(shown)]);
  });

  test("a run that waits for a person is in the way until a person acts, and that is said", () => {
    expect(ask({ lockInTheWay: HELD }).needsPerson).toBe(false);
    expect(ask({ lockInTheWay: { ...HELD, expiresUnixMs: 0 } })).toEqual({
      act: "wait",
      needsPerson: true,
      reasons: [
        "policy for this kind is auto",
        "r-9 holds node h2, and waits for a person: vigie run show r-9 (I9)",
      ],
    });
  });

  test("what a person must decide is asked at once, whatever is waited for beside it", () => {
    expect(ask({ lockInTheWay: HELD, twoPrimaries: true }).act).toBe("ask");
  });

  test("a reason does not change while it is waited for: an incident gets no new row each second", () => {
    const facts = (agoMs: number): Partial<PolicyFacts> => ({
      destructive: true,
      recentRuns: [recent({ destructive: true, locks: ["node h2"], agoMs })],
    });
    expect(ask(facts(1_000)).reasons).toEqual(ask(facts(9_000)).reasons);
  });
});

test("a heal is not held back by what other runs did on its nodes, nor by how many there were (I34 is for what is destructive)", () => {
  const recentRuns = [1, 2, 3, 4, 5].map((n) =>
    recent({ destructive: n > 3, locks: ["node h1", "node h2"], agoMs: n * 1_000 }),
  );
  expect(ask({ recentRuns }).act).toBe("run");
});

test("while over a third of the other mirrored disks have one copy only, what is destructive is asked for (I9)", () => {
  const elsewhere = { active: 100, single: 35 };
  expect(ask({ elsewhere, destructive: true })).toMatchObject({
    act: "ask",
    reasons: [expect.any(String), expect.stringContaining("35 of 100 mirrored disks have one copy only")],
  });
  expect(ask({ elsewhere, destructive: false }).act).toBe("run"); // a heal of a link makes it better
  expect(ask({ destructive: true }).act).toBe("run");
  expect(ask({ elsewhere: { active: 0, single: 0 }, destructive: true }).act).toBe("run");
  expect(ask({ elsewhere, destructive: true }, { ...SHIPPED, storm_percent: 35 }).act).toBe("run");
});

test("every reason is told, not only the first", () => {
  const facts = { twoPrimaries: true, planRefusals: ["a", "b"], lockInTheWay: HELD };
  expect(ask(facts).reasons).toHaveLength(5);
});

test("limits that are over do not count", () => {
  const recentRuns = [
    recent({ locks: ["node h1", "node h2"], agoMs: 300_000 }),
    recent({ agoMs: 1_000_000 }),
    recent({ locks: ["disk d1"], agoMs: 3_600_000 }),
  ];
  expect(ask({ recentRuns }).act).toBe("run");
});

test("a run elsewhere is no obstacle", () => {
  expect(ask({ recentRuns: [recent({})] }).act).toBe("run");
});

test("a tag on the nearest object overrules the configuration, in both directions", () => {
  expect(ask({ tags: [[["vigie:observe"], ["vigie:auto"]]] }).act).toBe("observe");
  expect(
    ask({ tags: [[[], ["vigie:auto:stalled-sync"]]] }, { ...SHIPPED, stalled_sync: "observe" }),
  ).toMatchObject({
    act: "run",
    reasons: [
      "policy for this kind is auto, by a tag in Ganeti",
      "no limit is reached",
      "every guard held when it was planned",
    ],
  });
});

test("outside of the maintenance windows what is destructive waits for one, and the rest goes on", () => {
  const config: PolicyConfig = { ...SHIPPED, windows: ["Sat 01:00-05:00"] };
  expect(ask({ destructive: true }, config)).toMatchObject({
    act: "wait",
    reasons: [expect.any(String), expect.stringContaining("Sat 01:00-05:00")],
  });
  expect(ask({ destructive: false }, config).act).toBe("run");
  expect(ask({ destructive: true }, { ...SHIPPED, windows: ["Sun 11:00-13:00"] }).act).toBe("run");
});

test("a run for this disk is asked about, though its node's five minutes would pass", () => {
  const own = recent({ destructive: true, locks: ["disk d1", "node h1"], agoMs: 1_000 });
  expect(ask({ destructive: true, recentRuns: [own] }).act).toBe("ask");
});

test("a tag of Ganeti's that suspends repairs is over when its time is", () => {
  const until = (unixS: number): Partial<PolicyFacts> => ({
    rung: "migrate",
    tags: [[[`ganeti:watcher:autorepair:suspend:${unixS}`, "ganeti:watcher:autorepair:reinstall"]]],
  });
  const nowS = FREE.nowUnixMs / 1000;
  expect(ask(until(nowS + 60)).act).toBe("ask");
  expect(ask(until(nowS - 60)).act).toBe("run");
});

test("a stall of the resync that a rebuild waits for is no stall that came back, and a heal stands in no rebuild's way", () => {
  const locks = ["disk d1", "pair h1 h2"];
  const rebuild = recent({ destructive: true, locks, agoMs: 16_000, end: "at work" });
  expect(ask({ locks, recentRuns: [rebuild] }).act).toBe("run");
  const heal = recent({ destructive: false, locks, agoMs: 16_000, end: "helped" });
  expect(ask({ locks, recentRuns: [heal] }).act).toBe("ask");
  expect(ask({ destructive: true, locks, recentRuns: [heal] }).act).toBe("run");
});

test("what touches several instances is done as the most careful word on any of them allows", () => {
  const auto = [["vigie:auto"]];
  expect(ask({ tags: [auto, [["vigie:observe"]]] }).act).toBe("observe");
  expect(ask({ tags: [auto, [[], ["vigie:ask"]]] }).act).toBe("ask");
  expect(ask({ tags: [auto, [[]]] }, { ...SHIPPED, stalled_sync: "observe" }).act).toBe("observe");
  expect(ask({ tags: [[[]], [["ganeti:watcher:autorepair:suspend"]]] }).act).toBe("ask");
});

test("a run that copies between two nodes is one on both of them, though it holds neither as a whole", () => {
  const rebuild = recent({ destructive: true, locks: ["disk d7", "pair h1 h2"], agoMs: 1_000 });
  const locks = ["disk d1", "pair h2 h3"];
  expect(ask({ destructive: true, locks, recentRuns: [rebuild] }).act).toBe("wait");
  const elsewhere = { ...rebuild, locks: ["disk d7", "pair h3 h4"] };
  expect(ask({ destructive: true, locks: ["pair h1 h2"], recentRuns: [elsewhere] }).act).toBe("run");
});

test("of many stalls between two nodes one is healed first, and the others side by side once that helped", () => {
  const locks = ["disk d1", "node h1", "node h2", "pair h1 h2"];
  const own = (end: RecentRun["end"], n: number, pair = "pair h1 h2") =>
    recent({ locks: [`disk d${n}`, "node h1", pair], end });
  const asked = (...recentRuns: RecentRun[]) => ask({ locks, recentRuns });
  expect(asked(own("at work", 2))).toMatchObject({
    act: "wait",
    reasons: [expect.any(String), "waits until the first heal between these nodes is seen to have helped"],
  });
  expect(asked(own("at work", 2, "pair h1 h3")).act).toBe("run");
  expect(asked(own("helped", 2), own("at work", 3)).act).toBe("run");
  expect(asked(own("helped", 2, "pair h1 h3"), own("at work", 3)).act).toBe("wait");
  expect(asked(own("did not help", 2), own("at work", 3)).act).toBe("wait");
  const many = Array.from({ length: 30 }, (_, n) => own("at work", n + 10));
  expect(asked(own("helped", 2), ...many.slice(1)).act).toBe("run");
  expect(asked(own("helped", 2), ...many)).toMatchObject({
    act: "wait",
    reasons: [expect.any(String), "waits for its turn: 30 heals between these nodes are at work"],
  });
});

test("a heal that helped more than ten minutes ago says nothing of what stalls now", () => {
  const locks = ["disk d1", "pair h1 h2"];
  const before = (agoMs: number) => recent({ locks: ["disk d8", "pair h1 h2"], agoMs });
  const atWork = recent({ locks: ["disk d9", "pair h1 h2"], end: "at work" });
  expect(ask({ locks, recentRuns: [atWork, before(600_000)] }).act).toBe("wait");
  expect(ask({ locks, recentRuns: [atWork, before(599_999)] }).act).toBe("run");
});

test("a run that could not be begun is no try: it counts for no limit, and is begun again, later each time", () => {
  const own = (agoMs: number) => recent({ locks: ["disk d1"], sent: false, end: "did not help", agoMs });
  expect(ask({ recentRuns: [own(59_000)] })).toMatchObject({
    act: "wait",
    reasons: [
      expect.any(String),
      "a run that could not be begun is tried again after 1 min, and later each time",
    ],
  });
  expect(ask({ recentRuns: [60_000].map(own) }).act).toBe("run");
  expect(ask({ recentRuns: [179_000, 240_000, 400_000].map(own) }).act).toBe("wait");
  expect(ask({ recentRuns: [180_000, 240_000, 400_000].map(own) }).act).toBe("run");
});
