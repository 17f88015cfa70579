/**
 * The characters of a text as a terminal may have them. What comes from a disk label, a command's output or a
 * peer must not move the cursor, change colours or reorder the line (T10).
 */
export function printable<T>(value: T): T {
  if (typeof value === "string") return clean(value) as T;
  if (Array.isArray(value)) return value.map(printable) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, printable<unknown>(it)])) as T;
}

function clean(text: string): string {
  return text
    .replaceAll("\t", "    ")
    .replaceAll(/(?!\n)\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, "\ufffd");
}
