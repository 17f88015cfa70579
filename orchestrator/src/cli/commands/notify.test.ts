/** `vigie notify`: who is told, whether it arrives, and what that means for `vigie status`. */
import { GetStatusResponse } from "@vigie/proto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as sample from "../testing/samples.js";
import { openStage, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

test("each channel says what it last delivered, what it has yet to tell, and why it cannot", async () => {
  const { code, out } = await stage.vigie("notify");
  expect(code).toBe(0);
  expect(out).toMatch(/ops +mail +works +1 h 00 min ago +0/);
  expect(out).toMatch(/pager +webhook +cannot deliver +2 h 00 min ago +4/);
  expect(out).toContain("connect ECONNREFUSED 192.0.2.7:443");
  expect(out).toContain("vigie notify test pager");
});

test("without a channel it says that nobody is notified", async () => {
  stage.answers.listChannels = () => ({ channels: [] });
  expect((await stage.vigie("notify")).out).toContain("Nobody is notified");
});

describe("vigie notify test", () => {
  test("prints what the receiver answered", async () => {
    const { code, out } = await stage.vigie("notify test ops");
    expect(code).toBe(0);
    expect(out).toContain("ops (mail) delivered: 250 2.0.0 Ok: queued as 3F2A");
    expect(stage.asked.at(-1)?.request).toEqual({ channel: "ops" });
  });

  test("exits 1 where one was not delivered, and says what to do", async () => {
    const refused = { name: "pager", type: "webhook", delivered: false, answer: "it answered 401" };
    stage.answers.testChannels = () => ({ tests: [refused] });
    const { code, out } = await stage.vigie("notify test");
    expect(code).toBe(1);
    expect(out).toContain("pager (webhook) NOT DELIVERED: it answered 401");
    expect(out).toContain("type it again: vigie notify test pager");
  });
});

describe("vigie status", () => {
  const status = (channels: GetStatusResponse["channels"]) => () =>
    GetStatusResponse.fromPartial({ auditIntact: true, leadership: { leads: true }, channels });
  beforeEach(() =>
    Object.assign(stage.answers, {
      listNodes: () => ({ nodes: [{ ...sample.NODES.nodes[0], reporting: true }] }),
      listResources: () => ({ resources: [] }),
      listIncidents: () => ({ incidents: [] }),
      listRuns: () => ({ runs: [] }),
    }),
  );

  test("exits 10 while a channel cannot deliver, and says since when, why, and what to type", async () => {
    stage.answers.getStatus = status(sample.CHANNELS.channels);
    const { code, out } = await stage.vigie("status");
    expect(code).toBe(10);
    expect(out).toMatch(/channel pager cannot deliver since 2026-11-22 \d\d:35:01 .*ECONNREFUSED/);
    expect(out).toContain("it has yet to tell of 4 things");
    expect(out).toMatch(/vigie notify test pager +whether its receiver answers/);
  });

  test("exits 0 where nobody is notified, and says so in a line", async () => {
    stage.answers.getStatus = status([]);
    const { code, out } = await stage.vigie("status");
    expect(code).toBe(0);
    expect(out).toContain("nobody is notified: there is no [[notify]] block");
  });

  test("exits 0 while a channel has failed for a moment only", async () => {
    const [ops] = sample.CHANNELS.channels;
    if (ops === undefined) throw new Error("no sample");
    stage.answers.getStatus = status([{ ...ops, failingSinceUnixMs: sample.NOW - 5_000, reason: "x" }]);
    expect((await stage.vigie("status")).code).toBe(0);
  });
});
