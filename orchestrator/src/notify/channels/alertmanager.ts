/**
 * Alertmanager's API v2: an alert an incident. It takes for over what is not posted again in time, so what stands is posted
 * four times within that time; each alert carries its own end, so that its configuration does not matter. The labels are
 * what tells one alert from another: nothing of one orchestrator's own is among them, and never `instance` or `job`.
 */
import {
  IncidentKind,
  MessageReason,
  NoticeCause,
  Severity,
  Source,
  type Clock,
  type Message,
  type MessageItem,
} from "@vigie/proto";
import { word } from "../../wording/words.js";
import type { Channel } from "../channel.js";
import { isOver } from "../grouping.js";
import { rulesOf } from "../rules-of.js";
import type { AlertmanagerSettings } from "../settings.js";
import { httpPost } from "./http-post.js";

const POSTS_WITHIN = 4;

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

export function createAlertmanager(settings: AlertmanagerSettings, clock: Clock): Channel {
  const lastsMs = settings.resolve_after_s * 1000;
  const url = `${settings.url.replace(/\/+$/, "")}/api/v2/alerts`;
  return {
    name: settings.name,
    type: "alertmanager",
    rules: rulesOf(settings),
    send: async (message) => post(alertsOf(message, clock.wallUnixMs(), lastsMs)),
    refresh: {
      everyMs: lastsMs / POSTS_WITHIN,
      send: async (standing, cluster) => {
        const nowUnixMs = clock.wallUnixMs();
        return post(standing.map((it) => alertOf(it, cluster, nowUnixMs, lastsMs)));
      },
    },
  };

  function post(alerts: readonly Alert[]): Promise<string> {
    return httpPost(url, { "content-type": "application/json" }, JSON.stringify(alerts));
  }
}

/** @param lastsMs for which what is open stands without being posted again */
export function alertsOf({ reason, items, cluster }: Message, nowUnixMs: number, lastsMs: number): Alert[] {
  if (reason === MessageReason.TEST) return [testAlert(cluster, nowUnixMs)];
  return items.map((it) => alertOf(it, cluster, nowUnixMs, lastsMs));
}

export function alertOf(item: MessageItem, cluster: string, nowUnixMs: number, lastsMs: number): Alert {
  const over = item.closedUnixMs > 0 || isOver(item.causes);
  const endUnixMs = item.closedUnixMs > 0 ? item.closedUnixMs : nowUnixMs;
  return {
    labels: given({ ...labelsOf(item), severity: word(item.severity), cluster }),
    annotations: given({
      summary: `${item.title}: ${item.summary}`,
      description: [...item.evidence, ...item.decision].join("\n"),
      plan: item.plan.join("\n"),
      command: item.command,
      vigie: item.about,
    }),
    startsAt: time(Math.min(item.sinceUnixMs, endUnixMs)),
    endsAt: time(over ? endUnixMs : nowUnixMs + lastsMs),
  };
}

function labelsOf({ about, kind, causes, subject }: MessageItem): Record<string, string> {
  if (causes.includes(NoticeCause.STORE_BROKEN)) return { alertname: "VigieStoreBroken", what: about };
  if (kind === IncidentKind.UNSPECIFIED) {
    const channel = causes.some(
      (it) => it === NoticeCause.CHANNEL_FAILS || it === NoticeCause.CHANNEL_DELIVERS,
    );
    return channel
      ? { alertname: "VigieChannelFails", channel: about.replace(/^channel /, "") }
      : { alertname: "VigieRunWaits", run: about };
  }
  const name = word(kind);
  return {
    alertname: `Vigie${name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    kind: name,
    node: subject?.node ?? "",
    ganeti_instance: subject?.instance ?? "",
    disk: subject?.diskIndex === undefined ? "" : String(subject.diskIndex),
    minor: subject?.minor === undefined ? "" : String(subject.minor),
    device: subject?.device ?? "",
    source: subject === undefined || subject.source === Source.UNSPECIFIED ? "" : word(subject.source),
  };
}

function testAlert(cluster: string, nowUnixMs: number): Alert {
  return {
    labels: given({ alertname: "VigieTest", severity: word(Severity.NOTICE), cluster }),
    annotations: { summary: "a test of this channel: nothing is wrong" },
    startsAt: time(nowUnixMs),
    endsAt: time(nowUnixMs + 60_000),
  };
}

/** An empty label is none. */
function given(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

function time(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
