/** A message as plain text: a subject line that can be read on a telephone, and a body that ends in the one command. Pure. */
import {
  IncidentKind,
  IncidentState,
  MessageReason,
  NoticeCause,
  type Message,
  type MessageItem,
} from "@vigie/proto";
import { count, dateTime, duration, since, timeOfDay } from "../wording/format.js";
import { word } from "../wording/words.js";

const WHOLE_MAX = 3; // items with all that is known; the others are a line each
const ZONE = "UTC"; // who reads it may be anywhere

/** One line, without line breaks. */
export function subjectLine(message: Message): string {
  const cluster = message.cluster === "" ? "[vigie]" : `[vigie ${message.cluster}]`;
  return `${cluster} ${headline(message)}`;
}

/** The same without the cluster. */
export function headline({ reason, items, unixMs }: Message): string {
  const [first] = items;
  if (reason === MessageReason.TEST || first === undefined) return "test: this channel works";
  const still = reason === MessageReason.REMINDER ? "STILL WAITS: " : "";
  const severity = word(first.severity).toUpperCase();
  if (items.length > 1) return `${still}${severity} ${kindsText(items)}`;
  const age = still === "" ? "" : ` for ${since(first.sinceUnixMs, unixMs)}`;
  return `${still}${severity} ${nameText(first)}: ${happenedText(first)}${age}`;
}

export function bodyText(message: Message): string {
  const { reason, items, unixMs } = message;
  const whole = items.slice(0, WHOLE_MAX);
  const brief = items.slice(WHOLE_MAX);
  const lines = [
    ...(items.length === 1 ? [] : [headline(message)]), // one says the same by itself
    ...(reason === MessageReason.TEST
      ? ["", "Somebody typed: vigie notify test. Nothing is wrong, and nothing is to be done."]
      : []),
    ...(reason === MessageReason.REMINDER ? ["", "Nobody has answered yet."] : []),
    ...(message.notLeading === ""
      ? []
      : ["", `Vigie on ${message.orchestratorNode} may not act, and only tells: ${message.notLeading}`]),
    ...whole.flatMap((it) => ["", ...itemLines(it, unixMs)]),
    ...(brief.length === 0
      ? []
      : ["", `And ${count(brief.length, "other")}:`, ...brief.map((it) => briefLine(it))]),
    ...(items.length > 1 ? ["", "All of it: vigie status"] : []),
    "",
    `-- `,
    `vigie on ${message.orchestratorNode}, ${dateTime(unixMs, ZONE)}, message ${message.id}`,
  ];
  return `${lines.join("\n").trimStart()}\n`;
}

/** `60 stalled-sync`; `2 stalled-sync, 1 node-dead`; and how many of them are over. */
function kindsText(items: readonly MessageItem[]): string {
  const over = items.filter(isOver).length;
  const kinds = Map.groupBy(items, kindText);
  const text = [...kinds].map(([kind, of]) => `${of.length} ${kind}`).join(", ");
  const asked = items.filter(needsPerson).length;
  const states = [
    ...(asked > 0 ? [asked === items.length ? "need a person" : `${asked} need a person`] : []),
    ...(over > 0 ? [over === items.length ? "all over" : `${over} over`] : []),
  ];
  return `${text}${states.length === 0 ? "" : `: ${states.join(", ")}`}`;
}

function kindText({ kind, causes }: MessageItem): string {
  if (kind !== IncidentKind.UNSPECIFIED) return word(kind);
  if (causes.includes(NoticeCause.STORE_BROKEN)) return "vigie";
  return causes.some((it) => CHANNEL.has(it)) ? "channel" : "run";
}

const CHANNEL: ReadonlySet<NoticeCause> = new Set([NoticeCause.CHANNEL_FAILS, NoticeCause.CHANNEL_DELIVERS]);

function nameText(item: MessageItem): string {
  const kind = kindText(item);
  return item.title.startsWith(`${kind} `) ? item.title : `${kind} ${item.title}`;
}

function happenedText(item: MessageItem): string {
  if (isOver(item)) return "over";
  if (item.causes.includes(NoticeCause.STORE_BROKEN)) return "cannot be written";
  if (needsPerson(item)) return "needs a person";
  if (item.causes.includes(NoticeCause.CHANNEL_DELIVERS)) return "delivers again";
  if (item.causes.includes(NoticeCause.CHANNEL_FAILS)) return "cannot deliver";
  if (item.causes.includes(NoticeCause.OPENED)) return "opened";
  if (item.causes.includes(NoticeCause.STILL_OPEN)) return "is still open";
  return item.causes.includes(NoticeCause.WORSE) ? "has become worse" : "stands";
}

function isOver({ state }: MessageItem): boolean {
  return state === IncidentState.CLOSED;
}

function needsPerson({ state, kind, causes }: MessageItem): boolean {
  const run = kind === IncidentKind.UNSPECIFIED && !causes.some((it) => CHANNEL.has(it));
  return state === IncidentState.NEEDS_PERSON || run;
}

function itemLines(item: MessageItem, nowUnixMs: number): string[] {
  return [
    `${word(item.severity).toUpperCase()} ${nameText(item)}: ${happenedText(item)}`,
    item.summary,
    sinceText(item, nowUnixMs),
    ...part("Seen", item.evidence),
    ...part("Decided", item.decision),
    ...part("Done so far", isOver(item) || item.plan.length === 0 ? item.done : []),
    ...part(item.runId === "" ? "Plan" : `Plan (run ${item.runId})`, item.plan),
    ...commandLines(item),
  ];
}

function sinceText({ sinceUnixMs, closedUnixMs }: MessageItem, nowUnixMs: number): string {
  if (closedUnixMs > 0)
    return `from ${dateTime(sinceUnixMs, ZONE)} to ${timeOfDay(closedUnixMs, ZONE)} (${duration(closedUnixMs - sinceUnixMs)})`;
  return `since ${dateTime(sinceUnixMs, ZONE)} (${since(sinceUnixMs, nowUnixMs)})`;
}

function part(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${heading}:`, ...lines.map((it) => `  ${it}`)];
}

function commandLines({ command, commandWhy, commandUntilUnixMs, about }: MessageItem): string[] {
  if (command === "") return [];
  const until =
    commandUntilUnixMs === 0
      ? []
      : [`  until ${timeOfDay(commandUntilUnixMs, ZONE)} ${ZONE}; after that: vigie incident show ${about}`];
  return ["", `Type (${commandWhy}):`, `  ${command}`, ...until];
}

function briefLine(item: MessageItem): string {
  const command = item.command === "" ? "" : `  ${item.command}`;
  return `  ${word(item.severity)} ${nameText(item)}: ${happenedText(item)}${command}`;
}
