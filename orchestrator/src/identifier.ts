/** Names of incidents, runs, notices and messages: "i-…", "r-…", "n-…", "m-…", sortable by time, short enough to type. */

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"; // without i, l, o, u: they are misread

export type Prefix = "i" | "r" | "n" | "m";

/** Names that none of this process has: sixty stalls open in one millisecond, and one name would overwrite another. */
export function createNamer(random: () => number): (prefix: Prefix, unixMs: number) => string {
  let lastMs = 0;
  const ofLastMs = new Set<string>();
  return (prefix, unixMs) => {
    if (unixMs !== lastMs) ofLastMs.clear();
    lastMs = unixMs;
    let name = newIdentifier(prefix, unixMs, random);
    while (ofLastMs.has(name)) name = newIdentifier(prefix, unixMs, random);
    ofLastMs.add(name);
    return name;
  };
}

/** @param unixMs for the order; 9 characters hold it until the year 3084 */
export function newIdentifier(prefix: Prefix, unixMs: number, random: () => number): string {
  const tail = Array.from({ length: 4 }, () => DIGITS[Math.floor(random() * DIGITS.length)]).join("");
  return `${prefix}-${base32(unixMs, 9)}-${tail}`;
}

/** Every identifier of this time or later sorts behind it. */
export function identifierAt(prefix: Prefix, unixMs: number): string {
  return `${prefix}-${base32(Math.max(0, unixMs), 9)}`;
}

function base32(value: number, length: number): string {
  let rest = value;
  let text = "";
  for (let i = 0; i < length; i += 1) {
    text = (DIGITS[rest % 32] ?? "0") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
