/**
 * When does a step hold? Judged on readings that began after the step did, of both ends; a step that said
 * "succeeded" is not believed without one (safety F5). A watch may remember what it saw first: to move is a
 * difference.
 */
import {
  Condition,
  ConnectionState,
  connectionWord,
  Source,
  type DrbdEnd,
  type DrbdMinor,
  type Plan,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { isInSync, isRedundant } from "../view/end-view.js";
import { factsOf, type MinorView } from "../view/node-view.js";

export type Seen =
  { readonly seen: true; readonly what: string } | { readonly seen: false; readonly never: string }; // never: why waiting is of no use any more; empty: not yet

export type Watch = (view: ClusterView) => Seen;

const NOT_YET: Seen = { seen: false, never: "" };
const MOVING_FOR_MS = 1_500; // a resync that begins and stalls at once has not moved
const STALLED_AGAIN_MS = 8_000;

/** @param sinceMs readings that began earlier do not count */
export function createWatch(condition: Condition, plan: Plan, sinceMs: number): Watch {
  switch (condition) {
    case Condition.CUT_STANDS:
      return (view) => watchCut(view, plan.end, sinceMs, true);
    case Condition.CUT_GONE:
      return (view) => watchCut(view, plan.end, sinceMs, false);
    case Condition.LINK_DOWN:
      return (view) => watchLinkDown(bothEnds(view, plan, sinceMs), watchCut(view, plan.end, sinceMs, false));
    case Condition.RESYNC_MOVES:
      return watchResync(plan, sinceMs);
    case Condition.UNSPECIFIED:
    case Condition.UNRECOGNIZED:
      return () => ({ seen: false, never: "this version does not know what to look for" });
  }
}

function watchCut(view: ClusterView, end: DrbdEnd | undefined, sinceMs: number, wanted: boolean): Seen {
  const node = view.nodes.get(end?.node ?? "");
  const source = node?.sources.get(Source.LINK_CUTS);
  const facts = factsOf(node, Source.LINK_CUTS, "linkCuts");
  if (source === undefined || facts === undefined || source.readAtMs < sinceMs) return NOT_YET;
  const cut = facts.cuts.find((c) => c.peerAddress === end?.peerAddress && c.port === end.port);
  if (wanted)
    return cut === undefined
      ? NOT_YET
      : { seen: true, what: `the kernel of ${end?.node} lists the cut, for ${cut.expiresInS} s` };
  return cut === undefined ? { seen: true, what: `the kernel of ${end?.node} lists no cut` } : NOT_YET;
}

function watchLinkDown(ends: readonly DrbdMinor[] | undefined, cutGone: Seen): Seen {
  if (cutGone.seen) return { seen: false, never: "the cut is gone before both ends were in WFConnection" };
  if (ends === undefined) return NOT_YET;
  if (ends.some((end) => end.connection === ConnectionState.STAND_ALONE))
    return { seen: false, never: `an end went StandAlone (${words(ends)}): a person decides (I8)` };
  if (ends.every((end) => end.connection === ConnectionState.WF_CONNECTION))
    return { seen: true, what: "WFConnection on both ends" };
  return NOT_YET;
}

/** Both ends have less left than at first, for a while; or there is nothing left. */
function watchResync(plan: Plan, sinceMs: number): Watch {
  let first: readonly number[] | undefined;
  let movedAtMs: number | undefined;
  return (view) => {
    const views = bothMinors(view, plan, sinceMs);
    if (views === undefined) return NOT_YET;
    const ends = views.map((v) => v.drbd).filter((drbd) => drbd !== undefined);
    if (ends.length !== 2) return NOT_YET;
    if (ends.some((end) => end.connection === ConnectionState.STAND_ALONE))
      return { seen: false, never: `an end went StandAlone (${words(ends)}): a person decides (I8)` };
    if (ends.every(isRedundant)) return { seen: true, what: "Connected and UpToDate on both ends" };
    if (!ends.every(isInSync)) return NOT_YET;
    if (views.every((v) => (v.stillMs ?? 0) >= STALLED_AGAIN_MS))
      return { seen: false, never: "the resync came back and stands again: the cut does not mend it" };
    const left = ends.map((end) => end.outOfSyncKib ?? end.resync?.leftKib ?? 0);
    const begun = first ?? left;
    first ??= left;
    if (!left.every((kib, i) => kib < (begun[i] ?? 0))) return NOT_YET;
    const readAtMs = Math.min(...views.map((v) => v.readAtMs));
    movedAtMs ??= readAtMs;
    const moving = views.every((v) => (v.stillMs ?? 0) < MOVING_FOR_MS);
    if (!moving || readAtMs - movedAtMs < MOVING_FOR_MS) return NOT_YET;
    return {
      seen: true,
      what: `the resync moves: ${left.map((kib, i) => `${begun[i]} → ${kib} KiB`).join(", ")} out of sync`,
    };
  };
}

function bothEnds(view: ClusterView, plan: Plan, sinceMs: number): DrbdMinor[] | undefined {
  const ends = bothMinors(view, plan, sinceMs)?.map((v) => v.drbd);
  return ends?.every((end) => end !== undefined) === true ? ends : undefined;
}

function bothMinors(view: ClusterView, plan: Plan, sinceMs: number): MinorView[] | undefined {
  const found = [plan.end, plan.peerEnd].map((end) =>
    view.nodes.get(end?.node ?? "")?.minors.get(end?.minor ?? -1),
  );
  const fresh = found.filter((v) => v !== undefined).filter((v) => v.readAtMs >= sinceMs);
  return fresh.length === 2 ? fresh : undefined;
}

function words(ends: readonly DrbdMinor[]): string {
  return ends.map((end) => connectionWord(end.connection)).join(", ");
}
