/** From a draft to a message: what stands in it is read now, so that it says what was decided meanwhile. */
import {
  MessageReason,
  NoticeCause,
  Severity,
  type Incident,
  type Message,
  type MessageItem,
  type Run,
} from "@vigie/proto";
import type { Told } from "../store/outbox.js";
import { isOver, partOf, type Draft, type Part } from "./grouping.js";
import { incidentItem, plainItem, runItem } from "./item.js";

const THREADS_MAX = 20; // they become one line of a mail's head

/** What is known of an incident or a run, open or not. */
export interface Known {
  readonly incident: (id: string) => Promise<Incident | undefined>;
  readonly run: (id: string) => Promise<Run | undefined>;
}

export interface Sender {
  readonly cluster: string;
  readonly orchestratorNode: string;
  readonly notLeading: string;
}

export async function itemOf(part: Part, known: Known): Promise<MessageItem> {
  const incident = await known.incident(part.about);
  if (incident !== undefined) {
    const run = incident.runId === "" ? undefined : await known.run(incident.runId);
    return incidentItem(incident, run, part);
  }
  const run = await known.run(part.about);
  return run === undefined ? plainItem(part) : runItem(run, part);
}

/** @param items of the draft's parts; what an incident says already is not said again of its run */
export function messageOf(
  id: string,
  draft: Draft,
  items: readonly MessageItem[],
  told: ReadonlyMap<string, Told>,
  sender: Sender,
  nowUnixMs: number,
): Message {
  const runs = new Set(items.filter(({ runId, about }) => runId !== about).map(({ runId }) => runId));
  const threads = items.map(({ about }) => told.get(about)?.thread ?? "").filter((it) => it !== "");
  return {
    ...sender,
    id,
    unixMs: nowUnixMs,
    reason: draft.reason,
    items: items.filter(({ about }) => !runs.has(about)),
    heldMs: Math.round(draft.heldMs),
    threads: [...new Set(threads)].slice(0, THREADS_MAX),
  };
}

export function testMessage(id: string, sender: Sender, nowUnixMs: number): Message {
  return { ...sender, id, unixMs: nowUnixMs, reason: MessageReason.TEST, items: [], heldMs: 0, threads: [] };
}

/** The last that an orchestrator can tell whose store cannot be written. */
export function brokenMessage(id: string, broken: string, sender: Sender, nowUnixMs: number): Message {
  const text = `nothing is done and nothing more is told until a person mends it: ${broken}`;
  const about = `the store of ${sender.orchestratorNode}`;
  const part = { ...partOf(about, Severity.CRITICAL, nowUnixMs), causes: [NoticeCause.STORE_BROKEN], text };
  return {
    ...sender,
    id,
    unixMs: nowUnixMs,
    reason: MessageReason.NEWS,
    items: [plainItem(part)],
    heldMs: 0,
    threads: [],
  };
}

/** What the channel has told of with this message, and what it need not tell of any more. */
export function afterMessage(
  channel: string,
  message: Message,
  parts: readonly Part[],
  told: ReadonlyMap<string, Told>,
): { readonly told: readonly Told[]; readonly over: readonly string[] } {
  const [over, open] = [
    parts.filter(({ causes }) => isOver(causes)),
    parts.filter(({ causes }) => !isOver(causes)),
  ];
  return {
    told: open.map(({ about }) => ({
      channel,
      about,
      unixMs: message.unixMs,
      thread: told.get(about)?.thread ?? message.id,
    })),
    over: over.map(({ about }) => about),
  };
}
