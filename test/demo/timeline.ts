/**
 * A heal as a readable timeline: seconds since the resync last moved, and in plain words what Vigie sees, decides,
 * does and verifies. Takes the events of `vigie watch --json`, so it shows what any user of the API would see.
 */

export interface WatchedEvent {
  readonly unix_ms: number;
  readonly event: {
    readonly incident?: WatchedIncident;
    readonly run?: { readonly run_id: string; readonly runbook: string; readonly event: WatchedRow | null };
  } | null;
}

interface WatchedIncident {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly last_progress_unix_ms: number;
  readonly events: readonly { readonly unix_ms: number; readonly text: string }[]; // the newest
  readonly events_left_out: number; // before them
}

interface WatchedRow {
  readonly unix_ms: number;
  readonly kind: string;
  readonly step_id: string;
  readonly text: string;
  readonly state: string | null;
  readonly actor: string;
}

export interface Timeline {
  readonly take: (watched: WatchedEvent) => void;
  /** The heal was seen from beginning to end: the run succeeded and the incident was closed by observation. */
  readonly healed: () => boolean;
  /** The run ended otherwise, or a person is needed. */
  readonly gaveUp: () => boolean;
}

/** The word in front of each kind of row. */
const ROW_WORDS: Readonly<Record<string, string>> = {
  planned: "plans",
  approved: "approves",
  "step-intent": "does",
  "step-result": "",
  "step-verified": "verifies",
  "step-failed": "fails",
  "undo-started": "undoes",
  ended: "ends",
};

export function createTimeline(print: (line: string) => void): Timeline {
  let originUnixMs: number | undefined;
  let told = 0;
  let incidentId = "";
  let succeeded = false;
  let closed = false;
  let left = false;

  return { take, healed: () => succeeded && closed, gaveUp: () => left };

  function take({ event }: WatchedEvent): void {
    if (event?.incident !== undefined && event.incident.kind === "stalled-sync") takeIncident(event.incident);
    if (event?.run?.event) takeRow(event.run.runbook, event.run.event);
  }

  function takeIncident(incident: WatchedIncident): void {
    if (incidentId !== "" && incident.id !== incidentId) return;
    incidentId = incident.id;
    originUnixMs ??= incident.last_progress_unix_ms;
    const { events, events_left_out: leftOut } = incident;
    for (const { unix_ms, text } of events.slice(Math.max(0, told - leftOut)))
      if (!/^(?:run )?r-/.test(text)) tell(unix_ms, ...split(text));
    told = Math.max(told, leftOut + events.length);
    closed = incident.state === "closed";
    left ||= incident.state === "needs-person";
  }

  function takeRow(runbook: string, row: WatchedRow): void {
    const word = ROW_WORDS[row.kind];
    if (word === undefined) return;
    if (row.kind === "ended") {
      succeeded = row.state === "succeeded";
      return tell(row.unix_ms, word, `${runbook} ${row.state}: ${row.text}`);
    }
    tell(row.unix_ms, word, row.kind === "approved" ? `by ${row.actor}` : row.text);
  }

  function tell(unixMs: number, word: string, text: string): void {
    const seconds = (unixMs - (originUnixMs ?? unixMs)) / 1000;
    print(`  ${`+${seconds.toFixed(1)} s`.padStart(9)}  ${word.padEnd(9)} ${text}`);
  }
}

/** "seen: web1 …" → ["sees", "web1 …"] */
function split(text: string): [string, string] {
  const words: Readonly<Record<string, string>> = {
    seen: "sees",
    decided: "decides",
    closed: "closes",
    "left to a person": "asks",
  };
  const at = text.indexOf(": ");
  const word = words[text.slice(0, at)];
  return word === undefined ? ["", text] : [word, text.slice(at + 2)];
}
