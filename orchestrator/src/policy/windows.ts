/**
 * When what is destructive may be done without asking: "Sat,Sun 01:00-05:00", in UTC. No window is configured: at any
 * time. A window that ends before it begins goes over midnight, and belongs to the day on which it begins.
 */
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const WINDOW =
  /^(?:(?<days>(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)(?:,(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat))*) )?(?<from>\d\d:\d\d)-(?<to>\d\d:\d\d)$/;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const FIRST_DAY = 4; // 1970-01-01 was a Thursday

export function isWindow(text: string): boolean {
  const found = WINDOW.exec(text)?.groups;
  return found !== undefined && [found["from"], found["to"]].every((time) => minutesOf(time) < DAY_MINUTES);
}

export function isInWindow(windows: readonly string[], unixMs: number): boolean {
  if (windows.length === 0) return true;
  const minutes = Math.floor(unixMs / MINUTE_MS);
  const today = (FIRST_DAY + Math.floor(minutes / DAY_MINUTES)) % 7;
  const now = minutes % DAY_MINUTES;
  return windows.some((window) => {
    const found = WINDOW.exec(window)?.groups;
    if (found === undefined) return false;
    const on = (day: number): boolean =>
      found["days"] === undefined || found["days"].split(",").includes(DAYS[day] ?? "");
    const from = minutesOf(found["from"]);
    const to = minutesOf(found["to"]);
    if (from <= to) return on(today) && now >= from && now < to;
    return (on(today) && now >= from) || (on((today + 6) % 7) && now < to);
  });
}

function minutesOf(time: string | undefined): number {
  const [hours = "99", minutes = "99"] = (time ?? "").split(":");
  return Number(minutes) > 59 ? DAY_MINUTES : Number(hours) * 60 + Number(minutes);
}
