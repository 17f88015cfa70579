/**
 * A scenario's log, as a person would tell it: what was seen, decided and done, in whole tenths of a second. The
 * same run gives the same lines, so a change of behaviour shows as a changed line in a golden file.
 */
import { IncidentState, RunEventKind, type Incident, type RunChange, type WatchResponse } from "@vigie/proto";
import type { VirtualClock } from "./virtual-clock.js";
import type { SimCluster } from "./cluster.js";

export interface Story {
  readonly lines: string[];
  readonly note: (text: string, unixMs?: number) => void;
  /** Listens to the orchestrator of now; again after it was started again. */
  readonly follow: () => void;
}

export function createStory(clock: VirtualClock, cluster: SimCluster): Story {
  const startUnixMs = clock.wallUnixMs();
  const lines: string[] = [];
  const names = new Map<string, string>(); // "r-1kdv…" → "r1": ids hold the time
  const incidentTold = new Map<string, number>();
  const story: Story = { lines, note, follow: () => void cluster.orchestrator().subscribe(tell) };
  story.follow();
  return story;

  function note(text: string, unixMs = clock.wallUnixMs()): void {
    const at = ((unixMs - startUnixMs) / 1000).toFixed(1).padStart(6);
    lines.push(`${at}  ${shortened(text)}`);
  }

  function tell({ event }: WatchResponse): void {
    if (event?.$case === "incident") return tellIncident(event.value);
    if (event?.$case === "run") return tellRun(event.value);
    if (event?.$case === "leadership")
      return note(
        `leadership: ${event.value.leads ? `epoch ${event.value.epoch}` : "none"}, ${event.value.reason}`,
      );
  }

  /** The run's rows are told by the run itself. */
  function tellIncident(incident: Incident): void {
    const told = incidentTold.get(incident.id) ?? 0;
    const { events, eventsLeftOut } = incident;
    incidentTold.set(incident.id, eventsLeftOut + events.length);
    for (const { text, unixMs } of events.slice(Math.max(0, told - eventsLeftOut))) {
      if (!/^r-\S+ /.test(text)) note(`${kindOf(incident)}: ${text}`, unixMs);
    }
    if (incident.state === IncidentState.CLOSED) incidentTold.delete(incident.id);
  }

  function tellRun({ runId, event }: RunChange): void {
    if (event === undefined) return;
    const what = event.kind.replace("RUN_EVENT_KIND_", "").toLowerCase().replaceAll("_", " ");
    const end =
      event.kind === RunEventKind.ENDED ? ` ${event.state.replace("RUN_STATE_", "").toLowerCase()}` : "";
    note(`${runId} ${[event.stepId, what].filter((part) => part !== "").join(" ")}${end}: ${event.text}`);
  }

  function shortened(text: string): string {
    const named = text.replaceAll(/\b([ir])-[0-9a-z]{9}-[0-9a-z]{4}\b/g, (id, kind: string) => {
      const known =
        names.get(id) ?? `${kind}${[...names.keys()].filter((k) => k.startsWith(kind)).length + 1}`;
      names.set(id, known);
      return known;
    });
    return named
      .replaceAll(".sim.example", "")
      .replaceAll(/\b[0-9a-f]{64}\b|(?<=\bplan )[0-9a-f]{12}\b/g, "HASH");
  }
}

function kindOf(incident: Incident): string {
  return incident.kind.replace("INCIDENT_KIND_", "").toLowerCase().replaceAll("_", "-");
}
