/** What Ganeti says of its jobs, its queue and its nodes, and what is believed of it (I30, I31). */
import {
  ActionResult,
  GanetiFacts,
  GanetiJob,
  GanetiJobFacts,
  GanetiNode,
  NodeChangeKind,
  RunEvent,
  type Condition,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, INVENTORY, NOW_MS } from "../../view/testing.js";
import { createWatch } from "./index.js";
import { contextAt, short } from "./testing.js";

type What = NonNullable<Condition["what"]>;

const SUBMITTED = [RunEvent.create({ stepId: "migrate", result: ActionResult.create({ jobId: 42 }) })];

function withJob(job: Partial<GanetiJobFacts>, readAtMs = NOW_MS): ClusterView {
  const view = cluster({ h1: {} });
  const h1 = view.nodes.get("h1");
  if (h1 === undefined) throw new Error("no h1");
  const value = GanetiJobFacts.create({ id: 42, ...job });
  return {
    ...view,
    nodes: new Map(view.nodes).set("h1", { ...h1, jobs: new Map([[42, { value, readAtMs }]]) }),
  };
}

function look(what: What, view: ClusterView, sinceMs = 0): string {
  return short(createWatch({ what }, contextAt(sinceMs, { events: SUBMITTED }))(view));
}

const opcode = (status: string, error = "") => ({
  status,
  summary: "INSTANCE_MIGRATE(web1)",
  error,
  childJobIds: [],
});

describe("a job", () => {
  const succeeded: What = { $case: "jobSucceeded", value: { stepId: "migrate", jobId: 0 } };

  test("has succeeded when it and each of its opcodes have", () => {
    expect(look(succeeded, withJob({ status: "success", opcodes: [opcode("success")] }))).toBe("seen");
    expect(
      look(succeeded, withJob({ status: "success", opcodes: [opcode("success"), opcode("error")] })),
    ).toContain("INSTANCE_MIGRATE(web1)");
  });

  test.each(["queued", "waiting", "running", "canceling"])("that is %s is waited for", (status) => {
    expect(look(succeeded, withJob({ status, opcodes: [opcode(status)] }))).toBe("not yet");
  });

  test.each(["error", "canceled", "lost"])("that is %s has failed, and says why", (status) => {
    expect(look(succeeded, withJob({ status, opcodes: [opcode(status, "disk 0 is degraded")] }))).toContain(
      "disk 0 is degraded",
    );
  });

  test("is over however it ended, and not before", () => {
    const over: What = { $case: "jobOver", value: { jobId: 42 } };
    expect(look(over, withJob({ status: "error" }))).toBe("seen");
    expect(look(over, withJob({ status: "running" }))).toBe("not yet");
  });

  test("is neither by a reading of before", () => {
    expect(look(succeeded, withJob({ status: "success" }), NOW_MS + 1)).toBe("not yet");
  });

  test("that a step never got is not waited for", () => {
    const other: What = { $case: "jobSucceeded", value: { stepId: "other", jobId: 0 } };
    expect(look(other, withJob({ status: "success" }))).toContain("no job id");
  });
});

test("a job that writes nothing for a while is still, and one that writes is not", () => {
  let nowMs = NOW_MS;
  const still: What = { $case: "jobStill", value: { jobId: 42, forMs: 10_000, anyPhase: false } };
  const watch = createWatch({ what: still }, contextAt(0, { nowMs: () => nowMs }));
  const line = (serial: number, text = "   - progress: 12.3%") => ({
    status: "running",
    log: [{ serial, unixMs: 0, text }],
  });
  expect(short(watch(withJob(line(1))))).toBe("not yet");
  nowMs += 9_999;
  expect(short(watch(withJob(line(1))))).toBe("not yet");
  expect(short(watch(withJob(line(2))))).toBe("not yet");
  nowMs += 10_000;
  expect(short(watch(withJob(line(2))))).toBe("seen");
});

test("a job that is silent while it starts a guest or copies its memory is at work, and not still", () => {
  let nowMs = NOW_MS;
  const still: What = { $case: "jobStill", value: { jobId: 42, forMs: 10_000, anyPhase: false } };
  for (const text of ["* preparing h2 to accept the instance", "* memory transfer progress: 12.34 %"]) {
    const watch = createWatch({ what: still }, contextAt(0, { nowMs: () => nowMs }));
    const job = { status: "running", log: [{ serial: 1, unixMs: 0, text }] };
    expect(short(watch(withJob(job)))).toBe("not yet");
    nowMs += 239_999;
    expect(short(watch(withJob(job)))).toBe("not yet");
    nowMs += 1;
    expect(short(watch(withJob(job)))).toBe("seen");
  }
});

describe("Ganeti's queue", () => {
  const free: What = { $case: "queueFree", value: { instances: ["web1"], nodes: ["h2"] } };
  const queue = (change: Partial<GanetiJob>, drained = false): ClusterView =>
    cluster(
      { h1: {} },
      GanetiFacts.create({
        ...INVENTORY,
        queueDrained: drained,
        jobs: [GanetiJob.create({ id: 9, status: "running", summary: "X", ...change })],
      }),
    );

  test.each<[string, ClusterView, string]>([
    ["is free while other instances' jobs run", queue({ instances: ["web2"] }), "seen"],
    ["is not while a job of the instance runs", queue({ instances: ["web1"] }), "not yet"],
    ["is not while a job of the node runs", queue({ summary: "NODE_MODIFY(h2)" }), "not yet"],
    ["is free of this run's own job", queue({ instances: ["web1"], reason: "vigie:r-1:migrate" }), "seen"],
    ["is not while it is drained", queue({ instances: [] }, true), "not yet"],
  ])("%s", (_what, view, answer) => {
    expect(look(free, view)).toBe(answer);
  });

  test("of a node as a whole is not free while a job of an instance works there, and of another node it is", () => {
    const of = (node: string): What => ({ $case: "queueFree", value: { instances: [], nodes: [node] } });
    const view = queue({ instances: ["web1"], summary: "INSTANCE_REPLACE_DISKS(web1)" });
    expect(look(of("h2"), view)).toBe("not yet");
    expect(look(of("h3"), view)).toBe("seen");
  });
});

test.each<[NodeChangeKind, Partial<GanetiNode>, string]>([
  [NodeChangeKind.OFFLINE, { offline: true }, "seen"],
  [NodeChangeKind.OFFLINE, {}, "not yet"],
  [NodeChangeKind.ONLINE, {}, "seen"],
  [NodeChangeKind.DRAIN, { drained: true }, "seen"],
  [NodeChangeKind.UNDRAIN, { offline: true }, "not yet"],
])("after %s a node that is %j is %s", (change, flags, answer) => {
  const nodes = [GanetiNode.create({ name: "h2", ...flags })];
  const view = cluster({ h1: {} }, GanetiFacts.create({ ...INVENTORY, nodes }));
  expect(look({ $case: "nodeFlagged", value: { node: "h2", change } }, view)).toBe(answer);
});

test("the watcher is paused until its time, and a pause that is about to end is none (I31)", () => {
  const paused = (untilUnixS: number): ClusterView =>
    cluster({ h1: {} }, GanetiFacts.create({ ...INVENTORY, watcherPausedUntilUnixS: untilUnixS }));
  const is: What = { $case: "watcherPaused", value: { paused: true } };
  expect(look(is, paused(NOW_MS / 1000 + 61))).toBe("seen");
  expect(look(is, paused(NOW_MS / 1000 + 59))).toBe("not yet");
  expect(look(is, paused(NOW_MS / 1000))).toBe("not yet");
  expect(look({ $case: "watcherPaused", value: { paused: false } }, paused(0))).toBe("seen");
});
