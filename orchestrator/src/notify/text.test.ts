import {
  IncidentState,
  MessageReason,
  NoticeCause,
  RunState,
  type Incident,
  type Message,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import * as sample from "../cli/testing/samples.js";
import type { Draft, Part } from "./grouping.js";
import { incidentItem, plainItem, runItem } from "./item.js";
import { messageOf, testMessage } from "./outgoing.js";
import { bodyText, headline, subjectLine } from "./text.js";
import { MINUTE_MS } from "./testing.js";

const SENDER = { cluster: "cluster.example", orchestratorNode: "h1.example", notLeading: "" };
const NOW = sample.START + 20 * MINUTE_MS;

function part(about: string, ...causes: NoticeCause[]): Part {
  return { about, causes, severity: sample.INCIDENT.severity, text: "", firstUnixMs: 0, lastUnixMs: 0 };
}

function message(items: Message["items"], reason: Draft["reason"] = MessageReason.NEWS): Message {
  const draft = { reason, parts: [], taken: [], heldMs: 0 };
  return messageOf("m-1", draft, items, new Map(), SENDER, NOW);
}

const asks: Incident = {
  ...sample.INCIDENT,
  state: IncidentState.NEEDS_PERSON,
  decision: ["policy for this kind is ask"],
};
const planned = { ...sample.PLANNED, state: RunState.AWAITING_APPROVAL };
const asking = incidentItem(asks, planned, part(asks.id, NoticeCause.OPENED, NoticeCause.NEEDS_PERSON));

test("what needs a person says what was seen, what was decided, what is planned, and what to type", () => {
  const it = message([asking]);
  expect(`${subjectLine(it)}\n\n${bodyText(it)}`).toMatchInlineSnapshot(`
    "[vigie cluster.example] CRITICAL stalled-sync web1.example/0: needs a person

    CRITICAL stalled-sync web1.example/0: needs a person
    the resync from h1.example to h2.example has not moved for 8.2 s on both ends
    since 2026-11-22 02:05:09 UTC (19 min 51 s)

    Seen:
      h1.example: minor 18, cs SyncSource, ro Primary/Secondary, ds UpToDate/Inconsistent, oos 387 MiB, pe/ua 3/0, done 62.2 %, left 387 MiB of 1.0 GiB, speed 0 KiB/s, still for 8.2 s, read 0.4 s before
      h2.example: minor 27, cs SyncTarget, ro Secondary/Primary, ds Inconsistent/UpToDate, oos 387 MiB, pe/ua 0/0, done 62.2 %, left 387 MiB of 1.0 GiB, speed 0 KiB/s, still for 8.9 s, nothing received since, read 0.9 s before

    Decided:
      policy for this kind is ask

    Plan (run r-01kaxb):
      1. cut-link on h1.example: refuse the DRBD connection, both directions
         h1.example# echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN
      2. await-link-down on h1.example: both ends notice
      3. restore-link on h1.example: allow the DRBD connection again
         h1.example# echo -10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,12589,30,RUN
      4. await-resync on h1.example: the resync moves again

    Type (read the plan and approve):
      vigie approve r-01kaxb
      until 02:20:11 UTC; after that: vigie incident show i-01kax9

    -- 
    vigie on h1.example, 2026-11-22 02:25:01 UTC, message m-1
    "
  `);
});

test("what was healed by itself says what was done, and nothing to type", () => {
  const closed = { ...sample.INCIDENT, state: IncidentState.CLOSED, closedUnixMs: sample.START + 40_000 };
  const item = incidentItem(closed, sample.RUN, part(closed.id, NoticeCause.OPENED, NoticeCause.CLOSED));
  const it = message([item]);
  expect(subjectLine(it)).toBe("[vigie cluster.example] CRITICAL stalled-sync web1.example/0: over");
  expect(bodyText(it)).toContain("Done so far:");
  expect(bodyText(it)).not.toMatch(/Type \(|Plan/);
});

describe("a message about many", () => {
  const many = Array.from({ length: 60 }, (_, n) => ({
    ...asking,
    about: `i-${n}`,
    title: `web${n}.example/0`,
  }));

  test("has their number in its subject, and each of them in a line", () => {
    const it = message(many);
    expect(headline(it)).toBe("CRITICAL 60 stalled-sync: need a person");
    const text = bodyText(it);
    for (const { title } of many) expect(text).toContain(`stalled-sync ${title}: needs a person`);
    expect(text.match(/^Seen:/gm)).toHaveLength(3);
    expect(text.length).toBeLessThan(20_000);
  });

  test("says how many of them are over", () => {
    const over = many.map((it, n) => (n < 50 ? { ...it, state: IncidentState.CLOSED } : it));
    expect(headline(message(over))).toBe("CRITICAL 60 stalled-sync: 10 need a person, 50 over");
  });
});

test("a reminder says for how long it has waited", () => {
  const it = message([{ ...asking, causes: [] }], MessageReason.REMINDER);
  expect(headline(it)).toMatch(/^STILL WAITS: CRITICAL stalled-sync .* needs a person for 1\d min/);
});

test("a frozen run without a waiting incident says how to look at it", () => {
  const it = message([runItem(sample.FAILED_RUN, part(sample.FAILED_RUN.id, NoticeCause.RUN_WAITS))]);
  expect(headline(it)).toMatch(/^CRITICAL run .*: needs a person$/);
  expect(bodyText(it)).toContain(`vigie run show ${sample.FAILED_RUN.id}`);
});

test("an incident and the run that stopped for it are one item", () => {
  const incident = { ...asking, runId: "r-7" };
  const run = { ...runItem(sample.FAILED_RUN, part("r-7", NoticeCause.RUN_WAITS)), runId: "r-7" };
  expect(message([incident, run]).items).toEqual([incident]);
});

test("another channel that fails is told with its reason", () => {
  const fails = part("channel pager", NoticeCause.CHANNEL_FAILS);
  const it = message([plainItem({ ...fails, text: "it cannot deliver for 5 min: no route to host" })]);
  expect(headline(it)).toBe("CRITICAL channel pager: cannot deliver");
  expect(bodyText(it)).toContain("no route to host");
});

test("a test says that it is one, and an orchestrator that may not act says so", () => {
  expect(subjectLine(testMessage("m-2", SENDER, NOW))).toBe(
    "[vigie cluster.example] test: this channel works",
  );
  const alone = { ...message([asking]), notLeading: "1 of 3 nodes say that h1 is master: not a majority" };
  expect(bodyText(alone)).toContain("may not act, and only tells: 1 of 3 nodes");
});

test("what a guest or a kernel wrote moves no cursor, breaks no line, and fills no mailbox", () => {
  const evil = { ...asks, summary: `a\u001b[2J\r\nSubject: x${"y".repeat(9_000)}` };
  const item = incidentItem(evil, undefined, part(evil.id, NoticeCause.OPENED));
  for (const bad of ["\u001b", "\r", "\n"]) expect(item.summary).not.toContain(bad);
  expect(item.summary.length).toBeLessThan(600);
});
