import {
  ConnectionState,
  Damaged,
  Evidence,
  GanetiFacts,
  IncidentKind,
  Severity,
  Subject,
  SsconfFacts,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import {
  fold,
  judgeGone,
  judgeNode,
  judgeSubject,
  subjectOf,
  type DetectState,
  type Judged,
} from "./detect.js";
import type { Answer, Finding, NodeRule } from "./rule.js";
import { RULES } from "./rules/index.js";
import { SETTINGS } from "./testing.js";
import { joined } from "../view/cluster-view.js";
import { cluster, INVENTORY, NOW_MS, onH1, onH2, SSCONF, stalled } from "../view/testing.js";

const RULE: NodeRule = {
  about: "node",
  kind: IncidentKind.DISK_OFFLINE,
  holdDownMs: 2_000,
  clearMs: 3_000,
  judge: () => [],
};

function finding(key: string): Finding {
  const subject = Subject.create({ node: "h1", device: key });
  return {
    key,
    subject,
    summary: `disk ${key}`,
    severity: Severity.CRITICAL,
    evidence: [Evidence.create({})],
  };
}

function judged(answer: Answer, name = "h1"): Judged {
  return { scope: `${RULE.kind}|${name}|`, rule: RULE, answer };
}

/** One answer a second, from second 0. @returns what changed, "SECOND CHANGE KEY" */
function play(answers: readonly Answer[], isHeld?: (key: string) => boolean): string[] {
  let state: DetectState = new Map();
  return answers.flatMap((answer, second) => {
    const folded = fold(state, [judged(answer)], second * 1_000, isHeld);
    state = folded.state;
    return folded.changes.map(({ change, standing }) => `${second} ${change} ${standing.finding.key}`);
  });
}

const bad = [finding("sda")];
const times = (count: number, answer: Answer): Answer[] => Array.from({ length: count }, () => answer);

test("a finding opens an incident once it has stood for the hold-down, and not again", () => {
  expect(play(times(6, bad))).toEqual(["2 open sda"]);
});

test("a finding that is expected to pass opens later, and at once when that is not expected any more", () => {
  const passing = [{ ...finding("sda"), holdDownMs: 10_000 }];
  expect(play(times(12, passing))).toEqual(["10 open sda"]);
  expect(play([...times(5, passing), ...times(3, bad)])).toEqual(["5 open sda"]);
});

test("a finding that goes before its hold-down is over opens nothing, and starts anew", () => {
  expect(play([bad, bad, [], bad, bad, []])).toEqual([]);
});

test("an incident closes once it has been clear for a while", () => {
  expect(play([...times(3, bad), ...times(5, [])])).toEqual(["2 open sda", "6 close sda"]);
});

test("a finding that comes back while it was clearing stays the same incident", () => {
  expect(play([...times(3, bad), [], [], bad, [], [], [], []])).toEqual(["2 open sda", "9 close sda"]);
});

test("unknown neither opens nor closes, however long it lasts (I11)", () => {
  expect(play(times(20, "unknown"))).toEqual([]);
  expect(play([...times(3, bad), ...times(20, "unknown" as const)])).toEqual(["2 open sda"]);
});

test("an unknown in between does not start the hold-down anew", () => {
  expect(play([bad, "unknown", bad])).toEqual(["2 open sda"]);
});

test("two findings of one rule and node are two incidents", () => {
  const both = [finding("sda"), finding("sdb")];
  expect(play([...times(3, both), ...times(4, bad)])).toEqual(["2 open sda", "2 open sdb", "6 close sdb"]);
});

test("what is held does not close until it is let go", () => {
  let held = true;
  const answers = [...times(3, bad), ...times(10, [])];
  expect(play(answers, () => held)).toEqual(["2 open sda"]);
  let calls = 0;
  const letGo = (): boolean => ((calls += 1), (held = calls < 5), held);
  expect(play(answers, letGo)).toContainEqual(expect.stringContaining("close"));
});

test("another node's answers change nothing here", () => {
  const opened = fold(new Map(), [judged(bad)], 0).state;
  expect(fold(opened, [judged([], "h2")], 60_000).state).toEqual(opened);
});

describe("an open incident follows its evidence", () => {
  const says = (summary: string, severity = Severity.WARNING): Finding[] => [
    { ...finding("sda"), summary, severity },
  ];

  test("at once when it gets worse, or says something else", () => {
    expect(
      play([...times(3, says("1 I/O error")), ...times(3, says("5 I/O errors", Severity.CRITICAL))]),
    ).toEqual(["2 open sda", "3 follow sda"]);
    expect(play([...times(3, says("1 I/O error")), ...times(2, says("SMART says that it fails"))])).toEqual([
      "2 open sda",
      "3 follow sda",
    ]);
  });

  test("from time to time when only figures grow, the more rarely the longer it stands", () => {
    const growing = Array.from({ length: 4_000 }, (_, second) => says(`stalled for ${second} s`));
    const seconds = play(growing).map((line) => Number(line.split(" ")[0]));
    expect(seconds.slice(0, 3)).toEqual([2, 62, 122]);
    expect(seconds.length).toBeLessThan(40);
    expect(Math.max(...seconds)).toBeGreaterThan(3_500);
  });
});

describe("of evidence that is there in part", () => {
  const partly = (unknown: ReadonlySet<string> | "rest"): Answer => ({ found: [finding("sdb")], unknown });

  test("what is found opens an incident", () => {
    expect(play(times(3, partly("rest")))).toEqual(["2 open sdb"]);
  });

  test("what is not found, and is not known, closes none (I11)", () => {
    expect(play([...times(3, bad), ...times(9, partly("rest"))])).toEqual(["2 open sda", "5 open sdb"]);
    expect(play([...times(3, bad), ...times(9, partly(new Set(["sda"])))])).toEqual([
      "2 open sda",
      "5 open sdb",
    ]);
    expect(play([...times(3, bad), ...times(9, partly(new Set(["sdc"])))])).toEqual([
      "2 open sda",
      "5 open sdb",
      "6 close sda",
    ]);
  });
});

test("folding changes nothing of the state before", () => {
  const before: DetectState = new Map();
  fold(before, [judged(bad)], 0);
  expect(before.size).toBe(0);
});

describe("judging a node", () => {
  test("asks every rule about it and about the disks that have an end there", () => {
    const asked = judgeNode(cluster(stalled(0)), "h2", NOW_MS, SETTINGS).map(({ scope }) => scope);
    const expected = RULES.map((rule) => `${rule.kind}|${rule.about === "node" ? "h2" : "d1"}|`);
    expect(asked.toSorted()).toEqual(expected.toSorted());
  });

  test("leaves out clear answers where nothing stands", () => {
    const view = cluster(stalled(8_000));
    const judged = judgeNode(view, "h2", NOW_MS, SETTINGS, () => false);
    expect(judged.map(({ scope }) => scope)).toEqual([`${IncidentKind.STALLED_SYNC}|d1|`]);
    const stands = (subject: string): boolean => subject === "d1";
    expect(judgeNode(view, "h2", NOW_MS, SETTINGS, stands)).toHaveLength(
      RULES.filter(({ about }) => about === "resource").length,
    );
  });

  test("finds the same stall from either node, under one key", () => {
    const view = cluster(stalled(8_000));
    const keys = ["h1", "h2"].map((name) => {
      const { state } = fold(new Map(), judgeNode(view, name, NOW_MS, SETTINGS), NOW_MS);
      return [...state.keys()];
    });
    expect(keys[0]).toEqual([`${IncidentKind.STALLED_SYNC}|d1|`]);
    expect(keys[1]).toEqual(keys[0]);
  });
});

describe("a disk that is no more", () => {
  const alone = {
    h1: { minors: [onH1({ connection: ConnectionState.STAND_ALONE })] },
    h2: { minors: [onH2()] },
  };

  /** What is left open of `before` once `after` is all there is, judged on h1 for ten seconds. */
  function left(before: GanetiFacts | undefined, after: GanetiFacts | undefined, minors = alone): string[] {
    let state = fold(new Map(), judgeNode(cluster(alone, before), "h1", NOW_MS, SETTINGS), NOW_MS).state;
    const view = cluster(minors, after);
    for (let second = 0; second < 10; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const gone = [...state.keys()].flatMap((key) => judgeGone(view, subjectOf(key), NOW_MS));
      const judged = [...gone, ...judgeNode(view, "h1", NOW_MS, SETTINGS)];
      state = fold(state, judged, nowMs).state;
    }
    return [...state.values()].filter(({ open }) => open).map(({ key }) => key);
  }
  const removed = GanetiFacts.create({ ...INVENTORY, instances: [] });
  const gone = { h1: { minors: [] }, h2: { minors: [] } } as unknown as typeof alone;

  test("because its instance was removed leaves no incident open", () => {
    expect(left(undefined, undefined)).toEqual([`${IncidentKind.STANDALONE}|d1|`]);
    expect(left(undefined, removed, gone)).toEqual([]);
  });

  test("as far as an inventory tells that was not understood whole, is not gone (I11)", () => {
    const damaged = [Damaged.create({ object: "web1", reason: "its disks are not understood" })];
    const view = cluster({ ...gone, h1: { minors: [], damagedGaneti: damaged } }, removed);
    expect(judgeGone(view, "d1", NOW_MS)).toEqual([]);
    expect(judgeGone(cluster(gone, removed), "d1", NOW_MS)).toHaveLength(RULES.length);
  });

  test("because Ganeti was not asked yet is the same disk under its own name, and is told once", () => {
    expect(left(removed, undefined)).toEqual([`${IncidentKind.STANDALONE}|d1|`]);
  });
});

describe("a node that left the cluster", () => {
  const views = (nodeList: string[], named: string[]) => {
    const inventory = GanetiFacts.create({
      ...INVENTORY,
      nodes: INVENTORY.nodes.filter(({ name }) => named.includes(name)),
    });
    const ssconf = SsconfFacts.create({ ...SSCONF, nodeList });
    const h3 = { offline: true, ageMs: 60_000 };
    return joined({ ...cluster({ h1: {}, h2: {}, h3 }, inventory), ssconf });
  };

  test("is in the view no more, and its incidents are over", () => {
    const view = views(["h1", "h2"], ["h1", "h2"]);
    expect([...view.nodes.keys()]).toEqual(["h1", "h2"]);
    expect(judgeGone(view, "h3", NOW_MS)).toHaveLength(RULES.length);
    expect(
      judgeSubject(view, IncidentKind.NODE_SILENT, Subject.create({ node: "h3" }), NOW_MS, SETTINGS),
    ).toEqual([]);
  });

  test("is not one that only one of Ganeti's two lists lacks: a file may be cut (I11)", () => {
    for (const view of [views(["h1", "h2"], ["h1", "h2", "h3"]), views(["h1", "h2", "h3"], ["h1", "h2"])])
      expect(view.nodes.has("h3")).toBe(true);
  });
});

test("the rule of one kind can be asked about one subject again; what was removed is clear", () => {
  const view = cluster(stalled(8_000));
  const ask = (subject: Partial<Subject>) =>
    judgeSubject(view, IncidentKind.STALLED_SYNC, Subject.create(subject), NOW_MS, SETTINGS);
  expect(ask({ instance: "web1", diskIndex: 0 })).toHaveLength(1);
  expect(ask({ instance: "web9", diskIndex: 0 })).toEqual([]);
  expect(ask({ node: "h1", minor: 77 })).toBe("unknown");
  expect(judgeSubject(view, IncidentKind.UNSPECIFIED, Subject.create({}), NOW_MS, SETTINGS)).toBe("unknown");
});
