/**
 * Collects garbage every half minute. An idle agent makes a little of it each second, and V8 would let that grow by
 * megabytes before it looks: memory that belongs to the guests.
 */
import type { Clock } from "@vigie/proto";

const EVERY_MS = 30_000; // a collection takes some 50 ms in which nothing else is done

/** Node's own `gc`. The flavor that also gives the pages back; a plain one keeps more of them than before. */
type Collect = (options: { readonly type: "major"; readonly flavor: "last-resort" }) => unknown;

/** @param collect there under --expose-gc only; undefined: V8 is left to itself */
export async function staySmall(
  clock: Clock,
  collect: Collect | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (collect === undefined) return;
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal);
    collect({ type: "major", flavor: "last-resort" });
  }
}
