import {
  ActionOutcome,
  ActionResult,
  Observed,
  Run,
  RunEvent,
  RunEventKind,
  RunState,
  VigieError,
  type ActionRequest,
  type Clock,
} from "@vigie/proto";
import { beforeEach, expect, test } from "vitest";
import type { Change } from "../store/store.js";
import { emptyView } from "../view/cluster-view.js";
import { drbdReport, onH2 } from "../view/testing.js";
import { createExecutor, type Executor } from "./executor.js";
import { BEGUN, PLAN } from "./testing.js";

let nowMs: number;
let testsBegun = 0;
let happened: string[]; // in order
let epoch: () => number;
let act: (request: ActionRequest) => Promise<ActionResult>;
let observe: () => Promise<void>;
let asked: ActionRequest[];
let executor: Executor;
let stopped: string;
let kept: (what: string) => void; // after each row
let broken: boolean; // no row can be written

const clock: Clock = {
  monotonicMs: () => nowMs,
  wallUnixMs: () => nowMs,
  sleep: (ms) => {
    const of = testsBegun;
    // What an earlier test left running sleeps for ever.
    return new Promise((resolve) => setImmediate(() => of === testsBegun && ((nowMs += ms), resolve())));
  },
};

beforeEach(() => {
  testsBegun += 1;
  nowMs = 0;
  happened = [];
  asked = [];
  stopped = "";
  broken = false;
  kept = () => undefined;
  epoch = () => 5;
  observe = async () => undefined;
  act = async () => ActionResult.create({ outcome: ActionOutcome.REFUSED, code: "GUARD_REFUSED" });
  executor = createExecutor({
    clock,
    gateway: {
      observe: async (node) => {
        const askedAtMs = nowMs;
        await observe();
        const report = drbdReport([onH2()]);
        const still = [{ minor: 10, stillMs: 8_000 }];
        return { observed: Observed.create({ sequence: 42, report, still }), askedAtMs, node };
      },
      act: (request) => {
        asked.push(request);
        happened.push(`send ${request.stepId}`);
        return act(request);
      },
    },
    isInWindow: () => true,
    unchangedMs: () => 3_600_000,
    view: () => emptyView("h1"),
    epoch: () => epoch(),
    stopped: () => stopped,
    record: async (changes) => {
      await clock.sleep(1);
      if (broken) throw new VigieError("JOURNAL_BROKEN", "the disk is full");
      for (const change of changes) keep(change);
    },
    alongside: () => [],
    log: () => undefined,
  });
});

function keep(change: Change): void {
  if (change.record !== "run-event") return;
  const { kind, stepId } = change.event;
  const what = `${kind.replace("RUN_EVENT_KIND_", "").toLowerCase()} ${stepId}`.trim();
  happened.push(what);
  kept(what);
}

async function ended(): Promise<string[]> {
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  while (happened.at(-1) !== "ended") await clock.sleep(0);
  return happened;
}

test("nothing is sent before it is on disk that it will be (I22)", async () => {
  expect(await ended()).toEqual([
    "step_intent cut-link",
    "send cut-link",
    "step_result cut-link",
    "step_failed cut-link",
    "ended",
  ]);
});

test("a request carries the epoch, the report that it answers, and what the peer said and how old that is", async () => {
  observe = async () => void (nowMs += 300);
  await ended();
  expect(asked[0]).toMatchObject({ runId: "r-1", attempt: 1, epoch: 5, node: "h1", answersSequence: 42 });
});

test("an orchestrator that does not lead sends nothing, and asks again when it does (I26)", async () => {
  epoch = () => (nowMs < 10_000 ? 0 : 6);
  await ended();
  expect(asked.map((request) => request.epoch)).toEqual([6]);
});

test("leadership that is lost after the intent was written holds the request back, and the step begins again (I26)", async () => {
  epoch = () => (happened.includes("step_intent cut-link") && nowMs < 30_000 ? 0 : 5);
  await ended();
  expect(asked.map((request) => `${request.epoch} ${request.attempt}`)).toEqual(["5 2"]);
  expect(happened.slice(0, 4)).toEqual([
    "step_intent cut-link",
    "step_result cut-link", // NOT_SENT
    "step_intent cut-link",
    "send cut-link",
  ]);
});

test("a request without an answer is never sent again: what became of it is asked under its key (I22)", async () => {
  let missing = 2;
  act = async () => {
    if ((missing -= 1) >= 0) throw new VigieError("UNAVAILABLE", "the session ended");
    return ActionResult.create({ outcome: ActionOutcome.REFUSED, code: "GUARD_REFUSED" });
  };
  await ended();
  expect(asked.map(({ attempt, recall }) => [attempt, recall])).toEqual([
    [1, false],
    [1, true],
    [1, true],
  ]);
});

test("what an agent never got is a step not yet begun: it is looked at again before it is sent (I22)", async () => {
  act = async ({ attempt, recall }) => {
    if (attempt === 1 && !recall) throw new VigieError("UNAVAILABLE", "the session ended");
    const code = recall ? "NOT_BEGUN" : "GUARD_REFUSED";
    return ActionResult.create({ outcome: ActionOutcome.REFUSED, code });
  };
  await ended();
  expect(asked.map(({ attempt, recall }) => [attempt, recall])).toEqual([
    [1, false],
    [1, true],
    [2, false],
  ]);
});

test("an agent that never says what became of a request leaves the step failed, and not sent again", async () => {
  act = () => Promise.reject(new VigieError("UNAVAILABLE", "no session"));
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  while (!happened.includes("step_failed cut-link")) await clock.sleep(0);
  expect(asked.filter(({ stepId, recall }) => stepId === "cut-link" && !recall)).toHaveLength(1);
});

test.each<[string, () => void]>([
  ["everything is stopped (I33)", () => (stopped = "anna: wrong disk")],
  ["leadership is lost (I26)", () => (epoch = () => 0)],
  ["it is paused", () => void executor.append("r-1", { kind: RunEventKind.PAUSE_ASKED, text: "wait" })],
])("while a step looks for its facts and %s, nothing of it is sent", async (_what, brake) => {
  let looks = 0;
  observe = async () => {
    looks += 1;
    if (looks === 1) brake();
  };
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  for (let tick = 0; tick < 600; tick += 1) await clock.sleep(100);
  expect(looks).toBeGreaterThan(0);
  expect(asked).toEqual([]);
});

test.each<[string, () => void]>([
  ["everything is stopped", () => (stopped = "anna: wrong disk")],
  ["it is paused", () => void executor.append("r-1", { kind: RunEventKind.PAUSE_ASKED, text: "wait" })],
  ["it is taken over", () => void executor.append("r-1", { kind: RunEventKind.TAKEN_OVER, text: "mine" })],
])("after the intent is on disk and %s, nothing is sent", async (_what, brake) => {
  kept = (what) => {
    if (what === "step_intent cut-link") brake();
  };
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  for (let tick = 0; tick < 600; tick += 1) await clock.sleep(100);
  expect(happened).toContain("step_intent cut-link");
  expect(asked).toEqual([]);
});

test("an approval of which nothing was begun for more than 15 minutes is good for nothing (I32)", async () => {
  stopped = "anna: maintenance";
  const approved = RunEvent.create({ kind: RunEventKind.APPROVED, unixMs: nowMs });
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [approved], state: RunState.RUNNING }));
  await clock.sleep(16 * 60_000);
  stopped = "";
  while (happened.at(-1) !== "ended") await clock.sleep(100);
  expect(asked).toEqual([]);
});

test("an error of the engine's own fails its step, so that the run does not stay running for ever", async () => {
  act = async ({ stepId }) => {
    if (stepId === "cut-link") throw new TypeError("x is not a function");
    return ActionResult.create({ outcome: ActionOutcome.REFUSED, code: "GUARD_REFUSED" });
  };
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  while (happened.at(-1) !== "frozen restore-link") await clock.sleep(0);
  expect(happened).toContain("step_failed cut-link");
});

test("a run whose rows cannot be written any more is shown as frozen", async () => {
  broken = true;
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN], state: RunState.RUNNING }));
  for (let tick = 0; tick < 100; tick += 1) await clock.sleep(50);
  expect(executor.open()).toMatchObject([
    { state: RunState.FROZEN, progress: { text: expect.stringContaining("disk is full") } },
  ]);
});

test("without fresh facts of both ends nothing is ever sent, and the run fails in the end (I7)", async () => {
  observe = () => Promise.reject(new VigieError("UNAVAILABLE", "the agent on h2 has no session"));
  await ended();
  expect(asked).toEqual([]);
  expect(happened).toEqual(["step_failed cut-link", "ended"]); // nothing ran: there is nothing to take back
});

test("an abort while it waits for facts is heeded", async () => {
  observe = () => Promise.reject(new VigieError("UNAVAILABLE", "no session"));
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN] }));
  await clock.sleep(5_000);
  const run = await executor.append("r-1", { kind: RunEventKind.ABORT_ASKED, actor: "anna", text: "stop" });
  expect(run.events.at(-1)?.actor).toBe("anna");
  while (happened.at(-1) !== "ended") await clock.sleep(0);
  expect(asked).toEqual([]);
});

test("while everything is stopped nothing is sent, and then it goes on (I33)", async () => {
  stopped = "anna: maintenance";
  executor.drive(Run.create({ id: "r-1", plan: PLAN, events: [...BEGUN] }));
  await clock.sleep(20_000);
  expect(happened).toEqual([]);
  stopped = "";
  while (happened.at(-1) !== "ended") await clock.sleep(0);
  expect(asked).toHaveLength(1);
});

test("a row about a run that is not open is refused", async () => {
  await expect(executor.append("r-9", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
});
