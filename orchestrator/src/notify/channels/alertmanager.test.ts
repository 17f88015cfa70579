import { IncidentKind, IncidentState, NoticeCause, Severity, Subject, type MessageItem } from "@vigie/proto";
import { expect, test } from "vitest";
import * as sample from "../../cli/testing/samples.js";
import { incidentItem, plainItem } from "../item.js";
import { partOf } from "../grouping.js";
import { NOON } from "../testing.js";
import { alertOf } from "./alertmanager.js";

const LASTS_MS = 300_000;
const item: MessageItem = incidentItem(
  {
    ...sample.INCIDENT,
    openedUnixMs: NOON - 60_000,
    subject: Subject.create({ node: "h1.example", minor: 18, instance: "web1.example", diskIndex: 0 }),
  },
  undefined,
  partOf(sample.INCIDENT.id, Severity.CRITICAL, NOON),
);

test("an incident is an alert whose labels say what it is about, and are of no orchestrator's own", () => {
  const { labels, annotations } = alertOf(item, "c.example", NOON, LASTS_MS);
  expect(labels).toEqual({
    alertname: "VigieStalledSync",
    severity: "critical",
    kind: "stalled-sync",
    node: "h1.example",
    ganeti_instance: "web1.example",
    disk: "0",
    minor: "18",
    cluster: "c.example",
  });
  expect(Object.values(labels)).not.toContain(sample.INCIDENT.id); // the next master gives it another
  expect(annotations["command"]).toBe(`vigie incident show ${sample.INCIDENT.id}`);
});

test("what is open ends by itself unless it is posted again, and what is over ends when it did", () => {
  const open = alertOf(item, "", NOON, LASTS_MS);
  expect([open.startsAt, open.endsAt]).toEqual(["2026-11-24T11:59:00.000Z", "2026-11-24T12:05:00.000Z"]);
  const over = { ...item, state: IncidentState.CLOSED, closedUnixMs: NOON - 1_000 };
  expect(alertOf(over, "", NOON, LASTS_MS).endsAt).toBe("2026-11-24T11:59:59.000Z");
  expect(alertOf(over, "", NOON, LASTS_MS).labels).toEqual(open.labels); // or it would end another one
});

test("no label is Prometheus's own, for any kind", () => {
  for (const kind of Object.values(IncidentKind))
    expect(Object.keys(alertOf({ ...item, kind }, "c", NOON, LASTS_MS).labels)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:instance|job)$/)]),
    );
});

test("a channel that fails is an alert until it delivers again", () => {
  const part = partOf("channel pager", Severity.CRITICAL, NOON);
  const alert = (cause: NoticeCause) => alertOf(plainItem({ ...part, causes: [cause] }), "c", NOON, LASTS_MS);
  const fails = alert(NoticeCause.CHANNEL_FAILS);
  const again = alert(NoticeCause.CHANNEL_DELIVERS);
  expect(fails.labels).toMatchObject({ alertname: "VigieChannelFails", channel: "pager" });
  expect(again.labels).toEqual(fails.labels);
  expect(again.endsAt).toBe("2026-11-24T12:00:00.000Z");
});
