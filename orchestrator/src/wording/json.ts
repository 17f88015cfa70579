/**
 * The shape of --json. Names are those of the .proto files (out_of_sync_kib), every field is always there, what is
 * unset is null, an enum is the word that the screens print, a oneof is an object with its one member. ts-proto's
 * own toJSON drops zeros and falses, and a script that reads `.votes` must not have to know that.
 */
import { enumWord } from "./words.js";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Two spaces and a final line break. */
export function jsonText(message: unknown): string {
  return `${JSON.stringify(toJson(message), null, 2)}\n`;
}

/** One line, for streams. */
export function jsonLine(message: unknown): string {
  return `${JSON.stringify(toJson(message))}\n`;
}

export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return wordOrText(value);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (isOneof(value)) return { [snakeCase(value.$case)]: toJson(value.value) };
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [snakeCase(key), toJson(it)]));
}

function wordOrText(value: string): string | null {
  const word = enumWord(value);
  return word === undefined ? value : word;
}

function isOneof(value: object): value is { $case: string; value: unknown } {
  return "$case" in value;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
