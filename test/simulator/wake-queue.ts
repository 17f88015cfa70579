/** Who is to be woken when, first come first served at the same time: a binary heap, for there are many sleepers. */

export interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
  /** It was woken otherwise: it is left out. */
  gone: boolean;
}

export interface WakeQueue {
  readonly add: (atMs: number, wake: () => void) => Sleeper;
  /** The first one that is due by then, taken out; undefined: none is. */
  readonly takeUntil: (endMs: number) => Sleeper | undefined;
  /** All that are due by then, the first one first. */
  readonly takeAllUntil: (endMs: number) => readonly Sleeper[];
}

export function createWakeQueue(): WakeQueue {
  const heap: Sleeper[] = [];
  let order = 0;
  return {
    takeUntil,
    takeAllUntil: (endMs) => {
      const all: Sleeper[] = [];
      for (let next = takeUntil(endMs); next !== undefined; next = takeUntil(endMs)) all.push(next);
      return all;
    },
    add: (atMs, wake) => {
      const sleeper = { atMs, order: (order += 1), wake, gone: false };
      heap.push(sleeper);
      rise(heap, heap.length - 1);
      return sleeper;
    },
  };

  function takeUntil(endMs: number): Sleeper | undefined {
    for (;;) {
      const first = heap[0];
      if (first === undefined || (!first.gone && first.atMs > endMs)) return undefined;
      takeFirst(heap);
      if (!first.gone) return first;
    }
  }
}

function takeFirst(heap: Sleeper[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap);
}

function rise(heap: Sleeper[], from: number): void {
  let at = from;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!swapIfLater(heap, above, at)) return;
    at = above;
  }
}

function sink(heap: Sleeper[]): void {
  let at = 0;
  for (;;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const lower = right < heap.length && isLater(heap[left], heap[right]) ? right : left;
    if (lower >= heap.length || !swapIfLater(heap, at, lower)) return;
    at = lower;
  }
}

/** @returns whether the one above was the later one, and they changed places */
function swapIfLater(heap: Sleeper[], above: number, below: number): boolean {
  const [a, b] = [heap[above], heap[below]];
  if (a === undefined || b === undefined || !isLater(a, b)) return false;
  heap[above] = b;
  heap[below] = a;
  return true;
}

function isLater(a: Sleeper | undefined, b: Sleeper | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.order > b.order);
}
