/** A person announces that h3 will be away for a while, and it goes. */
import { createService } from "@vigie/orchestrator";
import { goDown } from "../simulator/reboot.js";
import type { Stage } from "./scenario.js";

export const H3 = "h3.sim.example";
const ANSWERED_WITHIN_S = 4;

export async function goesAway({ cluster, story, pass }: Stage, minutes: number): Promise<void> {
  const service = createService(cluster.orchestrator());
  const begun = service.beginMaintenance({ node: "h3", forMs: minutes * 60_000, reason: "firmware" }, "anna");
  story.note(`anna: vigie maintenance begin h3 --for ${minutes}min`);
  await pass(ANSWERED_WITHIN_S);
  for (const warning of (await begun).warnings) story.note(`before it goes: ${warning}`);
  goDown(cluster, H3);
  story.note("h3 is switched off");
}

export async function isDone({ cluster, story, pass }: Stage): Promise<void> {
  const ended = createService(cluster.orchestrator()).endMaintenance({ node: "h3", reason: "" }, "anna");
  story.note("anna: vigie maintenance end h3");
  await pass(ANSWERED_WITHIN_S);
  story.note(`still open: ${(await ended).stillOpen.length}`);
}

export function tell({ story, messages }: Stage): void {
  if (messages.length === 0) return story.note("nobody was told anything");
  for (const { items, unixMs } of messages)
    for (const { kind, title, causes } of items)
      story.note(`told: ${short(kind)} ${title}: ${causes.map(short).join(", ")}`, unixMs);
}

function short(value: string): string {
  return value
    .replace(/^(?:INCIDENT_KIND|NOTICE_CAUSE)_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}
