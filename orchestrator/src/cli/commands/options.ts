/** Options and arguments that more than one subcommand has. */
import { InvalidArgumentError, Option } from "commander";
import { VigieError } from "@vigie/proto";

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

/** `web1.example` is its disk 0, `web1.example/1` its disk 1. */
export function parseDisk(text: string): { readonly instance: string; readonly diskIndex: number } {
  const { instance, index = "0" } =
    /^(?<instance>[a-z0-9][a-z0-9._-]*)(?:\/(?<index>\d{1,2}))?$/i.exec(text)?.groups ?? {};
  if (instance !== undefined) return { instance, diskIndex: Number(index) };
  throw new VigieError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is not INSTANCE or INSTANCE/DISK, as in web1.example/0`,
  );
}
