/** Readings that are old, missing or failed, and what must not follow from them. */
import {
  ActionOutcome,
  Condition,
  ConnectionState,
  DiskState,
  DrbdGenerations,
  GanetiFacts,
  GanetiJob,
  PlanStep,
  Report,
  Run,
  RunEventKind,
  RunState,
  Source,
  SourceReport,
  SourceState,
  VigieError,
  type Clock,
  type Observed,
} from "@vigie/proto";
import { expect, test } from "vitest";
import { nextEpoch } from "../gateway/leadership.js";
import { requestOf, small, viewOf, WALL_MS } from "../runbooks/testing.js";
import { watcherSteps } from "../runbooks/watcher.js";
import { withNode, type ClusterView } from "../view/cluster-view.js";
import { BEFORE_IT_WAS_SEEN, foldObserved, foldReport, unseenNode } from "../view/node-view.js";
import { cluster, drbdReport, ganetiReport, INVENTORY, NOW_MS, ok, onH1, onH2 } from "../view/testing.js";
import { createWatch } from "./conditions/index.js";
import { contextAt, END, PEER_END, short } from "./conditions/testing.js";
import { askDue, glance } from "./due.js";
import { freshFacts } from "./fresh-facts.js";
import { createLooker } from "./look.js";
import { recoveryRow } from "./recovery.js";
import { BEGUN, PLAN, resultRow, row } from "./testing.js";

type What = NonNullable<Condition["what"]>;
const judged = (what: What, view: ClusterView, sinceMs = 0) =>
  createWatch(Condition.create({ what }), contextAt(sinceMs))(view);

/** h1 and h2, whose readings are folded in as they are answered; time passes only by waiting. */
function world(answers: (node: string, source: Source, tookMs: number) => SourceReport | number) {
  let nowMs = NOW_MS + 1;
  let view = cluster({ h1: { minors: [onH1()] }, h2: { minors: [onH2()] } });
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallUnixMs: () => nowMs,
    sleep: async (ms) => void (nowMs += ms),
  };
  const observe = async (node: string, source: Source) => {
    const askedAtMs = nowMs;
    const report = answers(node, source, nowMs - NOW_MS - 1);
    if (typeof report === "number") {
      nowMs += report;
      throw new VigieError("UNAVAILABLE", `${node} is silent`);
    }
    const observed = { requestId: 1, report, sequence: 1, still: [], redundant: [] } as unknown as Observed;
    view = withNode(view, foldObserved(view.nodes.get(node) ?? unseenNode(node), observed, askedAtMs), "h1");
    return { observed, askedAtMs };
  };
  const parts = { clock, gateway: { observe }, view: () => view, log: () => undefined };
  const context = (sinceMs: number) => ({ ...contextAt(sinceMs), clock });
  return { ...parts, parts, context, looker: createLooker(parts) };
}

test("a premise that was true once, of a node that answers no more, lets no step be sent half a minute later (I7, I14)", async () => {
  const inTheWay = GanetiJob.create({
    id: 9,
    status: "running",
    summary: "INSTANCE_MIGRATE(web1)",
    instances: ["web1"],
  });
  const { clock, looker, context } = world((node, source, tookMs) => {
    if (node === "h2") return tookMs > 0 ? 2_000 : drbdReport([onH2()]);
    return source === Source.GANETI
      ? ganetiReport(GanetiFacts.create({ ...INVENTORY, jobs: tookMs < 20_000 ? [inTheWay] : [] }))
      : drbdReport([onH1()]);
  });
  const step = PlanStep.create({
    requires: { what: { $case: "queueFree", value: { instances: ["web1"], nodes: [] } } },
    premises: [{ what: { $case: "copyUpToDate", value: { end: PEER_END } } }],
  });
  expect((await askDue({ clock, looker }, { step, givenUp: () => false, context })).due).toBe("no");
});

test("a step is not skipped as not needed because /proc/drbd could not be read (I11)", async () => {
  const failed = SourceReport.create({ source: Source.PROC_DRBD, state: SourceState.FAILED, reason: "late" });
  const { clock, looker, context } = world((node) => (node === "h1" ? failed : drbdReport([onH2()])));
  const stands = Condition.create({
    what: { $case: "resyncStands", value: { end: END, peerEnd: PEER_END, forMs: 7_000 } },
  });
  const { answer } = await glance({ clock, looker }, { context, givenUp: () => false }, stands, 9_000);
  expect(answer).toBe("unknown");
});

test("a peer's generation that cannot be read now is not known, whatever it was an hour ago; nor are its I/O errors none (I7, I11)", async () => {
  let asked = 0;
  const { parts } = world((node, source) => {
    if (source !== Source.DRBD_GENERATIONS) return drbdReport(node === "h2" ? [onH2()] : [onH1()]);
    asked += 1;
    if (asked > 1)
      return SourceReport.create({ source, state: SourceState.FAILED, reason: "drbdsetup hangs" });
    return ok(source, {
      $case: "drbdGenerations",
      value: DrbdGenerations.create({ minor: 10, currentUuid: "AAAA" }),
    });
  });
  const step = PlanStep.create({
    node: "h1",
    action: { kind: { $case: "detachMinor", value: { end: END } } },
  });
  const peer = async () => {
    const facts = await freshFacts(parts, step, () => false);
    const kind = typeof facts === "object" ? facts.action(NOW_MS + 1)?.kind : undefined;
    return kind?.$case === "detachMinor" ? kind.value.peer : undefined;
  };
  expect((await peer())?.currentUuid).toBe("AAAA");
  await parts.clock.sleep(1_000);
  const later = await peer();
  expect.soft(later?.currentUuid).toBe("");
  expect.soft(later?.diskErrorsUnknown).not.toBe(""); // no kernel log of h2 was ever read
});

test("since when a copy is without its peer is not forgotten by a reading that fails, and not made up at the first one", () => {
  const apart = drbdReport([onH2({ connection: ConnectionState.WF_CONNECTION })]);
  const failed = SourceReport.create({ source: Source.PROC_DRBD, state: SourceState.FAILED, reason: "late" });
  const told = [drbdReport([onH2()]), apart, failed, apart];
  const node = told.reduce(
    (n, source, i) => foldReport(n, Report.create({ sources: [source] }), 1_000 * (i + 1)),
    unseenNode("h2"),
  );
  expect.soft(node.unlinkedSinceMs.get(10)).toBe(1_000); // it was up then, and nobody looked until 2 s
  const first = foldReport(unseenNode("h2"), Report.create({ sources: [apart] }), 1_000);
  expect.soft(first.unlinkedSinceMs.get(10)).not.toBe(1_000); // nobody knows since when
});

test("a link that was lost while its agent was away is down since the last look before, and not since the first one after", () => {
  const apart = drbdReport([onH2({ connection: ConnectionState.WF_CONNECTION })]);
  const before = foldReport(unseenNode("h2"), Report.create({ sources: [drbdReport([onH2()])] }), 1_000);
  const after = foldReport(before, Report.create({ full: true, sources: [apart] }), 61_000);
  expect(after.unlinkedSinceMs.get(10)).toBe(1_000);
  const again = foldReport(after, Report.create({ sources: [drbdReport([onH2()])] }), 70_000);
  expect(again.unlinkedSinceMs.has(10)).toBe(false);
});

test("a minor that comes up without its link was perhaps never connected: since when is not known", () => {
  const none = foldReport(unseenNode("h2"), Report.create({ sources: [drbdReport([])] }), 1_000);
  const apart = drbdReport([onH2({ connection: ConnectionState.WF_CONNECTION })]);
  const node = foldReport(none, Report.create({ sources: [apart] }), 2_000);
  expect(node.unlinkedSinceMs.get(10)).toBe(BEFORE_IT_WAS_SEEN);
});

test("a node is not dead by the word of nobody: its only peer is silent too (I7, I11)", () => {
  const [web1] = INVENTORY.instances;
  const moved = GanetiFacts.create({
    ...INVENTORY,
    instances: [
      {
        ...web1!,
        primaryNode: "h2",
        secondaryNodes: ["h3"],
        disks: web1!.disks.map((d) => ({ ...d, nodeA: "h2", nodeB: "h3" })),
      },
    ],
  });
  const view = cluster(
    { h1: {}, h2: { offline: true, ageMs: 60_000 }, h3: { offline: true, ageMs: 60_000 } },
    moved,
  );
  expect(
    short(judged({ $case: "nodeSilent", value: { node: "h2", sinceUnixMs: 0 } }, view, NOW_MS)),
  ).not.toBe("seen");
});

test("one agent that claims an absurd epoch does not take the cluster's epochs with it (I25, I41)", () => {
  const view = cluster({ h1: { epoch: 3 }, h2: { epoch: Number.MAX_SAFE_INTEGER }, h3: { epoch: 3 } });
  expect(nextEpoch(view, 3)).toBeLessThanOrEqual(3 + 2 ** 20); // what the other agents take
});

const plan = { ...PLAN, plannedUnixMs: 1_000_000 };
const left = (state: RunState, events = BEGUN) =>
  Run.create({ id: "r-1", plan, state, events: events.map((e) => ({ ...e, unixMs: 1_000_000 })) });

test("an undo that was left for ten hours does not go on unasked, but for a cut and the watcher's pause", () => {
  const sent = row(RunEventKind.STEP_INTENT, { stepId: "cut-link", attempt: 1 });
  const events = [...BEGUN, sent, row(RunEventKind.UNDO_STARTED)];
  expect(recoveryRow(left(RunState.UNDOING, events), 0, 37_000_000)?.kind).toBe(RunEventKind.RECOVERED);
  const flags = {
    ...plan,
    steps: plan.steps.map((step) =>
      step.id === "restore-link" ? { ...step, action: plan.steps[0]?.action } : step,
    ),
  };
  expect(recoveryRow({ ...left(RunState.UNDOING, events), plan: flags }, 0, 37_000_000)).toMatchObject({
    kind: RunEventKind.FROZEN,
    stepId: "restore-link",
  });
});

test("of a run that a stop held for 20 minutes it is not said that its orchestrator was away so long", () => {
  const of = { stepId: "cut-link", attempt: 1 };
  const events = [
    ...BEGUN,
    row(RunEventKind.STEP_INTENT, of),
    resultRow("cut-link", 1, ActionOutcome.DONE),
    row(RunEventKind.STEP_VERIFIED, of),
  ];
  expect(recoveryRow(left(RunState.RUNNING, events), 0, 1_000_000 + 20 * 60_000)?.text).not.toContain(
    "away for 20 min",
  );
});

test("a pause of Ganeti's watcher that a person made for an hour is not ended by a run", () => {
  const view = viewOf(small());
  const inventory = GanetiFacts.create({
    ...view.inventory,
    watcherPausedUntilUnixS: WALL_MS / 1000 + 3_600,
  });
  expect(watcherSteps(requestOf({ ...view, inventory }, {})).resume.map(({ id }) => id)).toEqual([]);
});

test("a resync that waits for another one was not paused by a person", () => {
  const end = { disk: DiskState.UP_TO_DATE, outOfSyncKib: 9 };
  const view = cluster({
    h1: {
      minors: [
        onH1({
          ...end,
          connection: ConnectionState.PAUSED_SYNC_S,
          peerDisk: DiskState.INCONSISTENT,
          resyncPausedByDependency: true,
        }),
      ],
    },
    h2: {
      minors: [
        onH2({
          ...end,
          connection: ConnectionState.PAUSED_SYNC_T,
          disk: DiskState.INCONSISTENT,
          resyncPausedByPeer: true,
        }),
      ],
    },
  });
  expect(judged({ $case: "redundant", value: { instance: "web1", forMs: 0 } }, view)).not.toHaveProperty(
    "stuck",
  );
});

test("a job about two nodes is in the way of both", () => {
  const job = GanetiJob.create({
    id: 9,
    status: "running",
    summary: "NODE_SET_PARAMS(h3), NODE_SET_PARAMS(h1)",
  });
  const view = cluster({ h1: { minors: [onH1()] } }, GanetiFacts.create({ ...INVENTORY, jobs: [job] }));
  expect(short(judged({ $case: "queueFree", value: { instances: [], nodes: ["h1"] } }, view))).toBe(
    "not yet",
  );
});
