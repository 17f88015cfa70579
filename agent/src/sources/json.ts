/** Shapes of JSON that came from outside. Small guards by hand: a schema library would double the agent's memory. */
import { VigieError } from "@vigie/proto";
import { quote } from "./cursor.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws VigieError PARSE_FAILED */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // Not the cause's own text: it quotes the input, which may hold a secret.
    const place = cause instanceof Error ? (/position \d+/.exec(cause.message)?.[0] ?? "its end") : "";
    throw new VigieError("PARSE_FAILED", `${what} is not JSON at ${place}`, {
      details: { length: text.length },
    });
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws VigieError PARSE_FAILED naming `what` */
export function asObject(value: unknown, what: string): JsonObject {
  return isObject(value) ? value : wrong(what, "an object");
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : wrong(what, "a list");
}

export function asString(value: unknown, what: string): string {
  return typeof value === "string" ? value : wrong(what, "a string");
}

export function asStrings(value: unknown, what: string): string[] {
  return asArray(value, what).map((item) => asString(item, what));
}

export function asBoolean(value: unknown, what: string): boolean {
  return typeof value === "boolean" ? value : wrong(what, "true or false");
}

/** A whole number from 0 to `max`. */
export function asCount(value: unknown, what: string, max = Number.MAX_SAFE_INTEGER): number {
  const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max;
  return fits ? value : wrong(what, "a whole number");
}

function wrong(what: string, expected: string): never {
  throw new VigieError("PARSE_FAILED", `${quote(what)} is not ${expected}`);
}
