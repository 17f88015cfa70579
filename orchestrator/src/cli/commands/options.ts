/** Options and arguments that more than one subcommand has. */
import { InvalidArgumentError, Option } from "commander";

export function limitOption(): Option {
  return new Option("--limit <n>", "at most so many").argParser(parseCount).default(100);
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
