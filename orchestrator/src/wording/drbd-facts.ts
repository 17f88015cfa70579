/** What one end of a mirrored disk says, in the order and with the names of /proc/drbd. */
import { connectionWord, diskWord, roleWord, type DrbdMinor } from "@vigie/proto";
import { duration, percent, rateOfKib, sizeOfKib } from "./format.js";

export interface DrbdEndFacts {
  readonly node: string;
  readonly drbd: DrbdMinor | undefined;
  readonly ageMs: number;
  readonly stillMs: number;
  readonly text: string; // what else is to be said of this end
}

export type DrbdFact = readonly [
  name: string,
  value: (drbd: DrbdMinor, end: DrbdEndFacts) => string | undefined,
];

/** A fact that an end does not have is undefined. */
export const DRBD_FACTS: readonly DrbdFact[] = [
  ["minor", (it) => String(it.minor)],
  ["cs", (it) => connectionWord(it.connection)],
  ["ro", (it) => `${roleWord(it.role)}/${roleWord(it.peerRole)}`],
  ["ds", (it) => `${diskWord(it.disk)}/${diskWord(it.peerDisk)}`],
  ["oos", (it) => (it.outOfSyncKib === undefined ? undefined : sizeOfKib(it.outOfSyncKib))],
  ["pe/ua", (it) => `${it.pending}/${it.unacknowledged}`],
  ["done", (it) => (it.resync === undefined ? undefined : percent(it.resync.donePercent))],
  [
    "left",
    (it) =>
      it.resync === undefined
        ? undefined
        : `${sizeOfKib(it.resync.leftKib)} of ${sizeOfKib(it.resync.totalKib)}`,
  ],
  ["speed", (it) => (it.resync?.speedKibPerS === undefined ? undefined : rateOfKib(it.resync.speedKibPerS))],
  ["kernel says", (it) => (it.resync?.kernelSaysStalled === true ? "stalled" : undefined)],
  ["still for", (_, end) => (end.stillMs > 0 ? duration(end.stillMs) : undefined)],
];

/** Of the reading. */
export function ageText(end: DrbdEndFacts): string {
  return end.drbd === undefined && end.ageMs === 0 ? "not seen" : duration(end.ageMs);
}
