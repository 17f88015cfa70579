/**
 * Numbers for people: sizes in powers of 1024 with their binary names (DRBD's KiB are 1024 bytes), durations in the
 * two units that matter, times in the reader's own time zone. Nothing else in the command line formats a number.
 */
const SIZE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `512 KiB`, `15.0 GiB`, `102 GiB`. */
export function sizeOfKib(kib: number): string {
  let value = Math.abs(kib);
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${kib < 0 ? "-" : ""}${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

export function sizeOfBytes(bytes: number): string {
  return Math.abs(bytes) < 1024 ? `${bytes} B` : sizeOfKib(bytes / 1024);
}

export function rateOfKib(kibPerS: number): string {
  return `${sizeOfKib(kibPerS)}/s`;
}

/** `12 ms`, `0.4 s`, `42 s`, `3 min 05 s`, `2 h 05 min`, `3 d 4 h`. Cut, never rounded up: 59.9 s is not a minute. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 100) return `${Math.floor(ms)} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${twoDigits(((ms % HOUR) % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${twoDigits((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

/** Since a moment; a clock that is behind the orchestrator's gives 0, not a negative age. */
export function since(unixMs: number, now: number): string {
  return duration(Math.max(0, now - unixMs));
}

const OFFSET_IN_SECONDS = 15 * MINUTE;

/** Relative to the start of a timeline: `+12.3 s`, so that steps can be compared; `+2 h 05 min` for what waits. */
export function offset(unixMs: number, start: number): string {
  if (unixMs - start >= OFFSET_IN_SECONDS) return `+${duration(unixMs - start)}`;
  const tenths = Math.round((unixMs - start) / 100);
  return `${tenths < 0 ? "-" : "+"}${(Math.abs(tenths) / 10).toFixed(1)} s`;
}

export function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}

/** `2026-11-22 03:05:01 CET`; the zone of the reader where none is given. */
export function dateTime(unixMs: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const date = new Date(unixMs);
  const name = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short", ...zone })
    .formatToParts(date)
    .find((it) => it.type === "timeZoneName")?.value;
  return `${date.toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "medium", ...zone })} ${name ?? ""}`.trim();
}

/** `03:05:01`, for lines that come as things happen. */
export function timeOfDay(unixMs: number, timeZone?: string): string {
  return dateTime(unixMs, timeZone).split(" ")[1] ?? "";
}

/** `14:05 UTC`; with its day where that is another one than now's: `2026-11-23 14:05 UTC`. */
export function moment(unixMs: number, now: number, timeZone?: string): string {
  const [day = "", time = "", zone = ""] = dateTime(unixMs, timeZone).split(" ");
  const today = dateTime(now, timeZone).split(" ")[0];
  return [day === today ? "" : day, time.slice(0, 5), zone].filter((it) => it !== "").join(" ");
}

/** `1 node`, `2 nodes`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}
