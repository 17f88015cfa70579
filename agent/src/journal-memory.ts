/**
 * What the agent remembers of its journal's records: not the records, which may be tens of megabytes. Of a key that has
 * its result the place in the file is kept, and the result is read there in the rare case that it is asked for again.
 */
import type { LogEnd, MaintenanceList, Stop } from "@vigie/proto";
import type { JournalEntry, OpenIntent } from "./journal-record.js";

/** Where a record is: bytes since the first record that this process knew. */
export interface Place {
  readonly at: number;
  readonly bytes: number; // without the line's end
}

type Known = Omit<OpenIntent, "key"> & { readonly result: Place | undefined };

/** A record that the journal may be cut off before. */
export interface Mark {
  readonly at: number; // as Place
  readonly after: LogEnd; // the chain's end before it
  readonly unixMs: number;
}

export interface JournalMemory {
  readonly learn: (entry: JournalEntry, unixMs: number, place: Place) => void;
  readonly highestEpoch: () => number;
  readonly stop: () => Stop;
  readonly maintenance: () => MaintenanceList;
  readonly known: (key: string) => Known | undefined;
  readonly open: () => OpenIntent[];
  readonly marks: () => readonly Mark[];
  /** Keys whose result is before this mark, and the marks before it. */
  readonly forgetBefore: (mark: Mark) => void;
}

export function createJournalMemory(): JournalMemory {
  const keys = new Map<string, Known>();
  let marks: readonly Mark[] = [];
  let highestEpoch = 0;
  let stop: Stop = { number: 0, why: "" };
  let maintenance: MaintenanceList = { number: 0, maintenances: [] };
  return {
    learn,
    highestEpoch: () => highestEpoch,
    stop: () => stop,
    maintenance: () => maintenance,
    known: (key) => keys.get(key),
    open: () =>
      [...keys].flatMap(([key, { body, sinceUnixMs, result }]) =>
        result === undefined ? [{ key, body, sinceUnixMs }] : [],
      ),
    marks: () => marks,
    forgetBefore: (mark) => {
      marks = marks.filter(({ at }) => at >= mark.at);
      for (const [key, { result }] of keys) if (result !== undefined && result.at < mark.at) keys.delete(key);
    },
  };

  function learn(entry: JournalEntry, unixMs: number, place: Place): void {
    switch (entry.kind) {
      case "epoch":
        highestEpoch = Math.max(highestEpoch, entry.epoch);
        return;
      case "stop":
        stop = entry.stop;
        return;
      case "maintenance":
        maintenance = entry.maintenance;
        return;
      case "intent":
        keys.set(entry.key, { body: entry.body, sinceUnixMs: unixMs, result: undefined });
        return;
      case "result":
        keys.set(entry.key, { body: entry.body, sinceUnixMs: unixMs, result: place });
        return;
      case "checkpoint":
        return learnCheckpoint(entry, unixMs, place.at);
      case "sweep":
        return;
    }
  }

  /** Nothing new, but where it is the first record that is left. */
  function learnCheckpoint(
    {
      after,
      epoch,
      stop: stopThen,
      maintenance: planned,
      open,
    }: Extract<JournalEntry, { kind: "checkpoint" }>,
    unixMs: number,
    at: number,
  ): void {
    marks = [...marks, { at, after, unixMs }];
    highestEpoch = Math.max(highestEpoch, epoch);
    if (stopThen.number > stop.number) stop = stopThen;
    if (planned !== undefined && planned.number > maintenance.number) maintenance = planned;
    for (const { key, ...intent } of open)
      if (!keys.has(key)) keys.set(key, { ...intent, result: undefined });
  }
}
