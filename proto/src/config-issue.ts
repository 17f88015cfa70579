/**
 * What a schema says about a value, in words for the person who wrote the file: what was expected, what stands
 * there. zod/mini ships no words and zod's own do not name what was found, so both get these.
 *
 * A schema with a message of its own says what it expects: `z.string().check(z.regex(ADDRESS, "host:port"))`.
 */
import type { $ZodIssue, $ZodType } from "zod/v4/core";
import { nearestWord } from "./nearest-word.js";

/** The def of a schema, as far as it is walked here; zod's own type is a union of forty. */
interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, $ZodType>>;
  readonly catchall?: $ZodType;
  readonly innerType?: $ZodType;
  readonly in?: $ZodType;
  readonly element?: $ZodType;
  readonly valueType?: $ZodType;
  readonly getter?: () => $ZodType;
  readonly discriminator?: string; // of a union: the key by which one of `options` is chosen
  readonly options?: readonly $ZodType[];
  readonly values?: readonly unknown[]; // of a literal
}

export interface Finding {
  readonly path: readonly (string | number)[];
  readonly kind: "unknown" | "missing" | "wrong";
  readonly expected: string;
  readonly got: string;
}

/** Keys that the schema does not have. Also where its author forgot z.strictObject: nothing is skipped silently. */
export function unknownKeys(schema: $ZodType, value: unknown, path: Finding["path"] = []): Finding[] {
  const def = chosen(unwrap(schema), value);
  if (Array.isArray(value)) {
    const { element } = def;
    return element === undefined ? [] : value.flatMap((it, n) => unknownKeys(element, it, [...path, n]));
  }
  if (!isTable(value)) return [];
  return Object.entries(value).flatMap(([key, it]) => {
    const known = def.shape !== undefined && Object.hasOwn(def.shape, key) ? def.shape[key] : def.valueType;
    if (known !== undefined) return unknownKeys(known, it, [...path, key]);
    if (def.shape === undefined || isOpen(def)) return [];
    return [
      {
        path: [...path, key],
        kind: "unknown",
        expected: suggestion(key, Object.keys(def.shape)),
        got: "an unknown key",
      },
    ];
  });
}

/** One issue of zod's, or several where it lists keys. */
export function findingsOf(issue: $ZodIssue, document: unknown): Finding[] {
  const path = issue.path.map((it) => (typeof it === "symbol" ? String(it) : it));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      kind: "unknown",
      expected: "a known key",
      got: "an unknown key",
    }));
  }
  const value = path.reduce<unknown>(
    (it, key) => (isTable(it) || Array.isArray(it) ? Reflect.get(it, key) : undefined),
    document,
  );
  const expected = expectation(issue);
  return [{ path, kind: value === undefined ? "missing" : "wrong", expected, got: found(value) }];
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a table",
  record: "a table",
  array: "a list",
  date: "a date",
};

/** Zod's stock messages, which say nothing that is not in the issue's fields. */
const STOCK_MESSAGE = /^(?:Invalid|Too (?:small|big)|Unrecognized)/;

function expectation(issue: $ZodIssue): string {
  if (!STOCK_MESSAGE.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return TYPE_WORDS[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `${issue.values.length > 1 ? "one of " : ""}${issue.values.map((it) => found(it)).join(", ")}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_format":
      return issue.pattern === undefined ? `the form "${issue.format}"` : `text like ${issue.pattern}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_union":
      return (
        issue.errors.flatMap((option) => option.slice(0, 1).map(expectation)).join(" or ") || "another value"
      );
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      break;
  }
  return "another value";
}

function unit(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " items" : "";
}

function found(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value instanceof Date) return "a date";
  return isTable(value) ? "a table" : JSON.stringify(value);
}

function unwrap(schema: $ZodType): Def {
  const def = schema._zod.def as unknown as Def;
  const inner = def.innerType ?? (def.type === "pipe" ? def.in : def.getter?.());
  return inner === undefined ? def : unwrap(inner);
}

/** Of a union the option that the value's own word chooses; where it chooses none, zod's issue says so. */
function chosen(def: Def, value: unknown): Def {
  const { discriminator, options = [] } = def;
  if (discriminator === undefined || !isTable(value)) return def;
  const wanted = value[discriminator];
  const option = options.map(unwrap).find(({ shape }) => {
    const literal = shape?.[discriminator];
    return literal !== undefined && unwrap(literal).values?.includes(wanted) === true;
  });
  return option ?? def;
}

/** z.looseObject and z.catchall: other keys are wanted there. */
function isOpen(def: Def): boolean {
  return def.catchall !== undefined && def.catchall._zod.def.type !== "never";
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function suggestion(key: string, known: readonly string[]): string {
  const nearest = nearestWord(key, known);
  return `one of ${known.join(", ")}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`;
}
