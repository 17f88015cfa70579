/** Options and arguments that more than one subcommand has. */
import { InvalidArgumentError, Option } from "commander";

export function limitOption(): Option {
  return new Option("--limit <n>", "at most so many").argParser(parseCount).default(100);
}

const UNITS_MS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90min`, `2h`, `1d`. */
export function forOption(about: string): Option {
  return new Option("--for <time>", `${about}: 90min, 2h, 1d`).argParser(parseTime).makeOptionMandatory();
}

/** @returns ms */
export function parseTime(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,6})(min|h|d)$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS_MS[unit] ?? 0);
  if (ms === 0) throw new InvalidArgumentError("It must be a time such as 90min, 2h or 1d.");
  return ms;
}

export function parseCount(text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return n;
}

export function parseCursor(text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0 || text.trim() === "")
    throw new InvalidArgumentError("It must be a whole number from 0.");
  return n;
}
