/** How far a resync or verify is, from a peer device of `drbdsetup status --json --statistics`. */
import type { ResyncProgress } from "@vigie/proto";
import { refuse } from "./cursor.js";
import { asCount, type JsonObject } from "./json.js";

const NEVER_S = 987_654_321; // drbdsetup's own number for "never"
const KIB_PER_SECTOR = 0.5;
const STALLED_MS = 180_000; // as 8.4's /proc/drbd says (stalled)

/** @returns undefined unless one runs */
export function resyncOf(peer: JsonObject): ResyncProgress | undefined {
  const verify = peer["has-online-verify-details"] === true;
  if (!verify && peer["has-sync-details"] !== true) return undefined;
  const compares = verify && peer["ov-left"] !== undefined; // what is out of sync is no measure of a verify
  const leftKib = compares
    ? sectorsInKib(peer["ov-left"], "ov-left")
    : asCount(peer["out-of-sync"], "out-of-sync");
  const total = peer["rs-total"]; // sectors
  const finishS = peer["estimated-seconds-to-finish"];
  const markMs = peer["rs-dt0-ms"];
  return {
    verify,
    donePercent: percent(peer["percent-resync-done"] ?? peer["percent-in-sync"]),
    leftKib,
    totalKib: total === undefined ? leftKib : sectorsInKib(total, "rs-total"),
    leftResolutionKib: 1,
    finishS:
      finishS === undefined || finishS === NEVER_S
        ? undefined
        : asCount(finishS, "estimated-seconds-to-finish"),
    speedKibPerS: speed(peer),
    averageSpeedKibPerS: undefined,
    wantKibPerS: wantKibPerS(peer["want"]),
    kernelSaysStalled: typeof markMs === "number" && markMs > STALLED_MS,
  };
}

function sectorsInKib(sectors: unknown, what: string): number {
  return Math.trunc(asCount(sectors, what) * KIB_PER_SECTOR);
}

/** It is printed in MiB/s, with two decimals, since drbd-utils 9.10. Only shown, so a strange one damages nothing. */
function wantKibPerS(mibPerS: unknown): number | undefined {
  const isRate = typeof mibPerS === "number" && Number.isFinite(mibPerS) && mibPerS >= 0;
  return isRate ? Math.round(mibPerS * 1024) : undefined;
}

function speed(peer: JsonObject): number | undefined {
  const milliseconds = peer["rs-dt0-ms"];
  const sectors = peer["rs-db0-sectors"];
  if (typeof milliseconds !== "number" || typeof sectors !== "number" || milliseconds <= 0) return undefined;
  const kibPerS = Math.trunc((sectors * KIB_PER_SECTOR * 1000) / milliseconds);
  return Number.isSafeInteger(kibPerS) ? kibPerS : undefined;
}

function percent(value: unknown): number {
  return typeof value === "number" && value >= 0 && value <= 100
    ? value
    : refuse("the percentage is not one");
}
