/** What the tests of conditions share: two ends of one mirror, and a clock that stands. */
import { DrbdEnd, type Clock, type RunEvent } from "@vigie/proto";
import { NOW_MS } from "../../view/testing.js";
import type { Seen, WatchContext } from "./condition.js";

export const END = DrbdEnd.create({
  instance: "web1",
  node: "h1",
  minor: 0,
  peerNode: "h2",
  peerMinor: 10,
  peerAddress: "10.0.0.2",
  port: 11_000,
});
export const PEER_END = DrbdEnd.create({ ...END, node: "h2", minor: 10, peerNode: "h1", peerMinor: 0 });

export function contextAt(
  sinceMs: number,
  {
    nowMs = () => NOW_MS,
    events = [],
    heardSinceMs = 0,
  }: { nowMs?: () => number; events?: readonly RunEvent[]; heardSinceMs?: number | undefined } = {},
): WatchContext {
  const clock: Clock = { monotonicMs: nowMs, wallUnixMs: nowMs, sleep: async () => undefined };
  return { runId: "r-1", stepId: "step", sinceMs, heardSinceMs, events: () => events, clock };
}

/** "seen", "not yet", or why it will never be. */
export function short(seen: Seen): string {
  return seen.seen ? "seen" : seen.never || "not yet";
}
