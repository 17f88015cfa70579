import {
  ActionOutcome,
  ActionResult,
  Observed,
  Run,
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
let happened: string[]; // in order
let epoch: () => number;
let act: (request: ActionRequest) => Promise<ActionResult>;
let observe: () => Promise<void>;
let asked: ActionRequest[];
let executor: Executor;
let stopped: string;

const clock: Clock = {
  monotonicMs: () => nowMs,
  wallUnixMs: () => nowMs,
  sleep: (ms) => new Promise((resolve) => setImmediate(() => ((nowMs += ms), resolve()))),
};

beforeEach(() => {
  nowMs = 0;
  happened = [];
  asked = [];
  stopped = "";
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
    view: () => emptyView("h1"),
    epoch: () => epoch(),
    stopped: () => stopped,
    record: async (changes) => {
      await clock.sleep(1);
      for (const change of changes) keep(change);
    },
    followed: () => undefined,
    log: () => undefined,
  });
});

function keep(change: Change): void {
  if (change.record !== "run-event") return;
  const { kind, stepId } = change.event;
  happened.push(`${kind.replace("RUN_EVENT_KIND_", "").toLowerCase()} ${stepId}`.trim());
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

test("leadership that is lost after the intent was written holds the request back (I26)", async () => {
  epoch = () => (happened.includes("step_intent cut-link") && nowMs < 30_000 ? 0 : 5);
  await ended();
  expect(asked.map((request) => request.epoch)).toEqual([5]);
  expect(happened.filter((what) => what === "step_intent cut-link")).toHaveLength(1);
});

test("a request without an answer is sent again under the same key", async () => {
  let missing = 2;
  act = async () => {
    if ((missing -= 1) >= 0) throw new VigieError("UNAVAILABLE", "the session ended");
    return ActionResult.create({ outcome: ActionOutcome.REFUSED, code: "GUARD_REFUSED" });
  };
  await ended();
  expect(asked.map(({ stepId, attempt }) => `${stepId} ${attempt}`)).toEqual([
    "cut-link 1",
    "cut-link 1",
    "cut-link 1",
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
