/** The agent's session in virtual time, with the orchestrator's end held by the test. */
import {
  ActionResult,
  DrbdFacts,
  Maintenance,
  Source,
  VigieError,
  type MaintenanceList,
  type Report,
  type SessionRequest,
  type SessionResponse,
} from "@vigie/proto";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Journal } from "../../agent/src/journal.js";
import { createObserver } from "../../agent/src/observe.js";
import { backoffMs, keepSession } from "../../agent/src/session.js";
import { fakeHost } from "../../agent/src/sources/testing.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";

type Body = NonNullable<SessionResponse["body"]>;

interface Wire {
  readonly to: string;
  readonly sent: SessionRequest[];
  readonly say: (body: Body) => void;
  readonly hangUp: () => void;
  open: boolean;
  full: boolean; // its queue
}

let clock: VirtualClock;
let wires: Wire[];
let stop: AbortController;
let master: string;
let masterHangs: boolean;
let epochs: number[];
let maintenance: MaintenanceList;
let dialFails: boolean;
let dials: number[];

beforeEach(() => {
  clock = createVirtualClock();
  wires = [];
  stop = new AbortController();
  master = "h1";
  masterHangs = false;
  epochs = [3];
  maintenance = { number: 0, maintenances: [] };
  dialFails = false;
  dials = [];
  const observer = createObserver({ ...fakeHost({}), ...clock }, [
    {
      source: Source.PROC_DRBD,
      periodMs: 1_000,
      deadlineMs: 800,
      read: async () => ({ state: "ok", facts: { $case: "drbd", value: DrbdFacts.create({}) }, damaged: [] }),
    },
  ]);
  observer.start(stop.signal);
  const journal = {
    head: () => "",
    records: () => epochs.length,
    highestEpoch: () => Math.max(...epochs),
    stop: () => ({ number: 0, why: "" }),
    maintenance: () => maintenance,
    append: (entry: {
      readonly kind: string;
      readonly epoch: number;
      readonly maintenance: MaintenanceList;
    }) => {
      if (entry.kind === "maintenance") maintenance = entry.maintenance;
      else epochs.push(entry.epoch);
    },
  } as unknown as Journal;
  void keepSession(
    {
      clock,
      random: () => 1,
      dial: async (node) => {
        dials.push(clock.monotonicMs());
        if (dialFails) throw new Error("refused");
        return connect(node);
      },
      nodeName: "h2",
      bootId: "b",
      version: "0",
      masterNode: async () => {
        if (!masterHangs) return master;
        const cause = new VigieError("COMMAND_HUNG", "ssconf_master_node has not answered for 10 s");
        throw new VigieError("SOURCE_FAILED", "ssconf_master_node could not be read", { cause });
      },
      readOnlyReason: async () => "",
      observer,
      performer: { perform: async ({ runId }) => ActionResult.create({ runId }) },
      journal,
      hung: () => [],
      log: () => undefined,
    },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort();
  await clock.advance(1_000);
});

function connect(to: string) {
  const waiting: SessionResponse[] = [];
  let wake: () => void = () => undefined;
  const wire: Wire = {
    to,
    sent: [],
    open: true,
    full: false,
    say: (body) => {
      waiting.push({ body });
      wake();
    },
    hangUp: () => {
      wire.open = false;
      wake();
    },
  };
  wires.push(wire);
  async function* messages(): AsyncGenerator<SessionResponse> {
    while (wire.open) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    send: (message: SessionRequest) => {
      if (wire.full) return false;
      wire.sent.push(message);
      return true;
    },
    messages: messages(),
    close: wire.hangUp,
  };
}

const wire = (): Wire => wires.at(-1) as Wire;
const reports = (of = wire()): Report[] =>
  of.sent.flatMap(({ body }) => (body?.$case === "report" ? [body.value] : []));
const kinds = (of = wire()): (string | undefined)[] => of.sent.map(({ body }) => body?.$case);

/** The orchestrator acknowledges all the while, so that it is not taken for dead. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1_000) {
    await clock.advance(Math.min(1_000, ms - at));
    wires.at(-1)?.say({ $case: "heartbeat", value: { monotonicMs: 0 } });
  }
}

test("the agent speaks first, then tells everything, then what changed", async () => {
  await pass(3_500);
  expect(kinds().slice(0, 2)).toEqual(["hello", "report"]);
  expect(reports().map(({ full }) => full)).toEqual([
    true,
    ...reports()
      .slice(1)
      .map(() => false),
  ]);
  expect(reports().map(({ sequence }) => sequence)).toEqual(reports().map((_, i) => i + 1));
});

test("it tells everything again each minute", async () => {
  await pass(125_000);
  expect(reports().filter(({ full }) => full)).toHaveLength(3);
});

test("after a report that the queue dropped the next one tells everything", async () => {
  await pass(3_500);
  const before = reports().length;
  wire().full = true;
  await pass(2_000);
  wire().full = false;
  await pass(1_000);
  expect(reports().length).toBeGreaterThan(before);
  expect(reports()[before]?.full).toBe(true);
  expect(reports()[before + 1]?.full ?? false).toBe(false);
});

test("it follows a master that moved, by its own ssconf", async () => {
  await pass(2_000);
  master = "h3";
  await pass(5_000);
  expect(wires.map(({ to, open }) => [to, open])).toEqual([
    ["h1", false],
    ["h3", true],
  ]);
});

test("an orchestrator that says nothing for fifteen seconds is left, and dialled again", async () => {
  await clock.advance(14_000);
  expect(wires).toHaveLength(1);
  await clock.advance(5_000);
  expect(wires[0]?.open).toBe(false);
  expect(wires.length).toBeGreaterThan(1);
});

test("a stream that ended is dialled again, and told everything", async () => {
  await pass(3_000);
  wire().hangUp();
  await pass(3_000);
  expect(wires).toHaveLength(2);
  expect(reports()[0]).toMatchObject({ sequence: 1, full: true });
});

test("a refusal ends the session", async () => {
  await pass(1_000);
  wire().say({ $case: "refusal", value: { code: "IDENTITY_MISMATCH", message: "" } });
  await clock.advance(10);
  expect(wires[0]?.open).toBe(false);
});

describe("a lead", () => {
  test("with a higher epoch is kept before anything else is told (I25)", async () => {
    await pass(1_000);
    wire().say({ $case: "lead", value: { epoch: 4 } });
    await clock.advance(10);
    expect(epochs).toEqual([3, 4]);
    expect(reports().at(-1)?.highestEpoch).toBe(4);
  });

  test("with the same epoch is not written again", async () => {
    await pass(1_000);
    wire().say({ $case: "lead", value: { epoch: 3 } });
    await clock.advance(10);
    expect(epochs).toEqual([3]);
  });

  test("with a lower epoch ends the session: it is over", async () => {
    await pass(1_000);
    wire().say({ $case: "lead", value: { epoch: 2 } });
    await clock.advance(10);
    expect(wires[0]?.open).toBe(false);
    expect(epochs).toEqual([3]);
  });
});

test("a question is answered with a new reading, and the next report tells that source whole", async () => {
  await pass(2_500);
  const before = reports().length;
  wire().say({ $case: "observeNow", value: { requestId: 9, source: Source.PROC_DRBD, minor: 0, jobId: 0 } });
  await pass(1_000);
  const observed = wire().sent.find(({ body }) => body?.$case === "observed")?.body;
  expect(observed).toMatchObject({ value: { requestId: 9, report: { source: Source.PROC_DRBD } } });
  expect(reports()[before]?.sources.map(({ source, delta }) => [source, delta])).toEqual([
    [Source.PROC_DRBD, false],
  ]);
});

test("a dial that fails is tried again for ever, never more often than every quarter second", async () => {
  wires[0]?.hangUp();
  dialFails = true;
  await clock.advance(10);
  wires[0]?.hangUp();
  await clock.advance(120_000);
  const gaps = dials.slice(1).map((at, i) => at - (dials[i] ?? 0));
  expect(gaps.length).toBeGreaterThan(10);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
});

test("the wait between dials is between half and all of a figure that grows to ten seconds", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const full = Math.min(10_000, 500 * 1.6 ** failures);
      expect(backoffMs(failures, random)).toBeGreaterThanOrEqual(full / 2);
      expect(backoffMs(failures, random)).toBeLessThanOrEqual(full);
    }),
  );
});

test("planned maintenance is kept, and told back at once and to the orchestrator of the next session", async () => {
  await pass(1_000);
  const list = { number: 2, maintenances: [Maintenance.create({ node: "h3", untilUnixMs: 9 })] };
  wire().say({ $case: "maintenance", value: list });
  await clock.advance(10);
  expect(maintenance).toEqual(list);
  expect(reports().at(-1)?.maintenanceNumber).toBe(2);
  wire().hangUp();
  await pass(20_000);
  const [hello] = wire().sent;
  expect(hello?.body).toMatchObject({ $case: "hello", value: { maintenance: list } });
});

test("when the agent stops, the session ends and is not dialled again", async () => {
  await pass(2_000);
  stop.abort();
  await clock.advance(30_000);
  expect(wires.map(({ open }) => open)).toEqual([false]);
});

test("where the audit log ended is remembered over sessions, for each master's orchestrator, and told (I39)", async () => {
  const end = { records: 5, head: "ab" };
  await pass(1_500);
  expect(reports().at(-1)?.auditSeen).toBeUndefined();
  wire().say({ $case: "ack", value: { sequence: 1, audit: end } });
  wire().say({ $case: "ack", value: { sequence: 2, audit: undefined } }); // of an older orchestrator
  await pass(2_000);
  expect(reports().at(-1)).toMatchObject({ auditSeen: end, journalRecords: epochs.length });
  wire().hangUp();
  await pass(5_000);
  expect(reports()[0]?.auditSeen).toEqual(end);
  master = "h3";
  await pass(15_000);
  expect(wire().to).toBe("h3");
  expect(reports()[0]?.auditSeen).toBeUndefined();
});

test("a node whose own files hang votes for nobody, and tells what it sees all the same (I26, I37)", async () => {
  await pass(3_000);
  masterHangs = true;
  const before = reports().length;
  await pass(20_000);
  expect(wires).toHaveLength(1);
  expect(reports().length).toBeGreaterThan(before + 15);
  expect(reports().at(-1)?.masterNode).toBe("");
  wire().hangUp();
  await pass(5_000);
  expect(wires.map(({ to, open }) => [to, open])).toEqual([
    ["h1", false],
    ["h1", true],
  ]);
  masterHangs = false;
  await pass(2_000);
  expect(reports().at(-1)?.masterNode).toBe("h1");
});
