/** Numbers that look random and are the same for the same seed. Each part of a world draws from a stream of its own. */

export interface Random {
  /** At least 0, less than 1. */
  readonly next: () => number;
  /** A whole number, both ends included. */
  readonly int: (min: number, max: number) => number;
  readonly chance: (probability: number) => boolean;
  /** @throws RangeError where there is nothing to choose from */
  readonly pick: <T>(from: readonly T[]) => T;
  readonly shuffled: <T>(items: readonly T[]) => T[];
  /** By weight: an entry with weight 2 comes twice as often as one with 1. */
  readonly weighted: <T extends { readonly weight: number }>(from: readonly T[]) => T;
  /** Another stream, which no draw from this one shifts. */
  readonly fork: (name: string) => Random;
}

export function createRandom(seed: number): Random {
  let state = mixed(seed);
  const random: Random = {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (from) => {
      const item = from[Math.floor(next() * from.length)];
      if (item === undefined) throw new RangeError("nothing to choose from");
      return item;
    },
    shuffled: (items) =>
      items
        .map((item) => ({ item, at: next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ item }) => item),
    weighted: (from) => {
      let rest = next() * from.reduce((sum, { weight }) => sum + weight, 0);
      const found = from.find(({ weight }) => (rest -= weight) < 0);
      return found ?? random.pick(from);
    },
    fork: (name) => createRandom(seed ^ hashed(name)),
  };
  return random;

  /** mulberry32, in the public domain. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Neighbouring seeds must not give neighbouring worlds. */
function mixed(seed: number): number {
  const a = Math.imul((seed >>> 0) ^ 0x9e3779b9, 0x85ebca6b);
  return Math.imul(a ^ (a >>> 13), 0xc2b2ae35) >>> 0;
}

/** FNV-1a */
function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
