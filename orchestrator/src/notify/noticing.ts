/** Sees what is about to be written, and says what of it is news. It keeps how each open thing was when it last looked. */
import { IncidentState, type Incident, type Run } from "@vigie/proto";
import type { Change } from "../store/store.js";
import { isAsked, newsOfIncident, newsOfRun, stopsForPerson, type News } from "./notice.js";

export interface Noticing {
  readonly take: (changes: readonly Change[]) => News[];
}

/** @param incidents open ones of an earlier life, and `runs` too: what they are is no news */
export function createNoticing(incidents: readonly Incident[], runs: readonly Run[]): Noticing {
  const known = new Map(incidents.map((it) => [it.id, seen(it, false)]));
  const stopped = new Set(runs.filter(stopsForPerson).map(({ id }) => id));
  return {
    take: (changes) =>
      changes.flatMap((change) => {
        if (change.record === "incident") return takeIncident(change.incident);
        return change.record === "run" ? takeRun(change.run) : [];
      }),
  };

  function takeIncident(incident: Incident): News[] {
    const before = known.get(incident.id);
    const asked = before?.asked ?? false;
    if (incident.state === IncidentState.CLOSED) known.delete(incident.id);
    else known.set(incident.id, seen(incident, asked));
    return newsOfIncident(before, incident, asked);
  }

  function takeRun(run: Run): News[] {
    const before = stopped.has(run.id);
    if (stopsForPerson(run)) stopped.add(run.id);
    else stopped.delete(run.id);
    return newsOfRun(before, run);
  }
}

/** Not the whole: an incident may hold hundreds of lines. */
function seen({ severity, things, state, maintenance, snooze }: Incident, asked: boolean) {
  const it = { severity, things, state, maintenance, snooze };
  return { ...it, asked: isAsked(it, asked) };
}
