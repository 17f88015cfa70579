/** The channels that tell people: `vigie notify`, `vigie notify test`, and their line on the status screen. */
import type { ChannelStatus, ListChannelsResponse, TestChannelsResponse } from "@vigie/proto";
import { count, dateTime, since } from "../../wording/format.js";
import { section, wrapped, type Paint, type Screen } from "./screen.js";
import { table, type Column } from "./table.js";

const NOBODY = "nobody is notified: there is no [[notify]] block in /etc/vigie/orchestrator.toml";

export function renderChannels({ channels }: ListChannelsResponse, screen: Screen): string {
  if (channels.length === 0) return `${NOBODY[0]?.toUpperCase()}${NOBODY.slice(1)}.\n`;
  const columns: Column<ChannelStatus>[] = [
    { heading: "CHANNEL", cell: (it) => it.name },
    { heading: "BY", cell: (it) => it.type },
    { heading: "STATE", cell: stateText, paint: (it) => statePaint(it, screen) },
    { heading: "DELIVERED", cell: (it) => deliveredText(it, screen), right: true },
    { heading: "TO TELL", cell: (it) => String(it.waiting), right: true },
  ];
  const failing = channels.filter(isFailing);
  const lines = [
    ...table(columns, channels, screen),
    ...section(
      "Not delivered",
      failing.flatMap((it) => wrapped(failingText(it, screen), screen, `  ${it.name}: `)),
      screen,
    ),
    ...section(
      "Next",
      failing.map((it) => `  vigie notify test ${it.name}  see what its receiver answers`),
      screen,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

export function renderTests({ tests }: TestChannelsResponse, screen: Screen): string {
  const { colour } = screen;
  const lines = tests.flatMap(({ name, type, delivered, answer }) => {
    const state = delivered ? colour.green("delivered") : colour.red("NOT DELIVERED");
    return wrapped(answer || "no word", screen, `${colour.bold(name)} (${type}) ${state}: `, "  ");
  });
  const failed = tests.filter((it) => !it.delivered);
  const next =
    failed.length === 0
      ? "The receiver took it: look whether it is where you read it."
      : `Mend its block in /etc/vigie/orchestrator.toml or its receiver, restart vigie-orchestrator if you changed the file, and type it again: vigie notify test ${failed[0]?.name}`;
  return `${[...lines, ...wrapped(next, screen, "")].join("\n")}\n`;
}

/** One line on the status screen; one for each that cannot deliver. */
export function channelLines(channels: readonly ChannelStatus[], screen: Screen): string[] {
  const { colour } = screen;
  if (channels.length === 0) return wrapped(NOBODY, screen, "notify      ");
  const cannot = channels.filter((it) => it.cannotDeliver);
  if (cannot.length === 0) return [`notify      ${channels.map((it) => it.name).join(", ")}`];
  return cannot.flatMap((it) => {
    const text = `channel ${it.name} cannot deliver ${failingText(it, screen)}`;
    return wrapped(text, screen, "notify      ").map((line) => colour.red(line));
  });
}

function failingText({ failingSinceUnixMs, reason, waiting }: ChannelStatus, screen: Screen): string {
  const told = waiting === 0 ? "" : `; it has yet to tell of ${count(waiting, "thing")}`;
  return `since ${dateTime(failingSinceUnixMs, screen.timeZone)}: ${reason}${told}`;
}

function isFailing({ failingSinceUnixMs }: ChannelStatus): boolean {
  return failingSinceUnixMs > 0;
}

function stateText(channel: ChannelStatus): string {
  if (channel.cannotDeliver) return "cannot deliver";
  if (isFailing(channel)) return "tries again";
  return channel.deliveredUnixMs === 0 ? "not used yet" : "works";
}

function statePaint(channel: ChannelStatus, { colour }: Screen): Paint {
  if (channel.cannotDeliver) return colour.red;
  if (isFailing(channel)) return colour.yellow;
  return channel.deliveredUnixMs === 0 ? colour.dim : colour.green;
}

function deliveredText({ deliveredUnixMs }: ChannelStatus, { now }: Screen): string {
  return deliveredUnixMs === 0 ? "never" : `${since(deliveredUnixMs, now)} ago`;
}
