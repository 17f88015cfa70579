/** Conditions of one DRBD link: cut, down, let back, and moving again. */
import {
  ConnectionState,
  connectionWord,
  Source,
  type CutGone,
  type CutStands,
  type DrbdEnd,
  type DrbdMinor,
  type LinkDown,
  type ResyncMoves,
  type ResyncStands,
} from "@vigie/proto";
import type { ClusterView } from "../../view/cluster-view.js";
import { isInSync } from "../../view/end-view.js";
import { factsOf, isRedundant, type MinorView } from "../../view/node-view.js";
import {
  never,
  NOT_YET,
  notYet,
  seen,
  type Ask,
  type ConditionDefinition,
  type Seen,
  type Watch,
} from "./condition.js";
import { askGaneti, freshGaneti } from "./ganeti.js";
import { notOurs } from "./identity.js";

const MOVING_FOR_MS = 1_500; // a resync that begins and stalls at once has not moved
const STALLED_AGAIN_MS = 8_000;

export const cutStands: ConditionDefinition<CutStands> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.LINK_CUTS }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) => {
      const cut = cutOf(view, end, sinceMs);
      if (cut === "unknown" || cut === undefined) return NOT_YET;
      return seen(`the kernel of ${end?.node} lists the cut, for ${cut.expiresInS} s`);
    },
};

export const cutGone: ConditionDefinition<CutGone> = {
  asks: ({ end }) => [{ node: end?.node ?? "", source: Source.LINK_CUTS }],
  watch:
    ({ end }, { sinceMs }) =>
    (view) =>
      cutOf(view, end, sinceMs) === undefined ? seen(`the kernel of ${end?.node} lists no cut`) : NOT_YET,
};

export const linkDown: ConditionDefinition<LinkDown> = {
  asks: ({ end, peerEnd }) => [...drbdOf(end, peerEnd)],
  watch:
    ({ end, peerEnd }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end) || notOurs(view, peerEnd);
      if (lost !== "") return never(lost);
      if (cutOf(view, end, sinceMs) === undefined)
        return never("the cut is gone before both ends were in WFConnection");
      const ends = bothMinors(view, end, peerEnd, sinceMs)?.map((v) => v.drbd);
      if (ends?.every((drbd) => drbd !== undefined) !== true) return NOT_YET;
      if (ends.some(isStandAlone)) return aPersonDecides(ends);
      if (ends.every(({ connection }) => connection === ConnectionState.WF_CONNECTION))
        return seen("WFConnection on both ends");
      return notYet(words(ends));
    },
};

export const resyncMoves: ConditionDefinition<ResyncMoves> = {
  asks: ({ end, peerEnd }, view) => [...drbdOf(end, peerEnd), ...askGaneti(view)],
  watch: ({ end, peerEnd }, { sinceMs }) => watchResync(end, peerEnd, sinceMs),
};

export const resyncStands: ConditionDefinition<ResyncStands> = {
  asks: ({ end, peerEnd }) => drbdOf(end, peerEnd),
  watch:
    ({ end, peerEnd, forMs }, { sinceMs }) =>
    (view) => {
      const lost = notOurs(view, end) || notOurs(view, peerEnd);
      if (lost !== "") return never(lost);
      const views = bothMinors(view, end, peerEnd, sinceMs);
      if (views === undefined) return NOT_YET;
      const resyncing = views.filter(({ drbd }) => drbd !== undefined && isInSync(drbd));
      const stillMs = Math.min(...resyncing.map((v) => v.stillMs ?? 0));
      if (resyncing.length === 0 || stillMs < forMs) return NOT_YET;
      return seen(`the resync has not moved for ${Math.floor(stillMs / 1000)} s`);
    },
};

/** Both ends have less left than at first, for a while; or there is nothing left. */
function watchResync(end: DrbdEnd | undefined, peerEnd: DrbdEnd | undefined, sinceMs: number): Watch {
  let first: readonly number[] | undefined;
  let movedAtMs: number | undefined;
  return (view) => {
    if (freshGaneti(view, sinceMs) === undefined) return NOT_YET; // whose the minors are is Ganeti's word, of now
    const lost = notOurs(view, end) || notOurs(view, peerEnd);
    if (lost !== "") return never(lost);
    const views = bothMinors(view, end, peerEnd, sinceMs);
    const ends = views?.map((v) => v.drbd).filter((drbd) => drbd !== undefined);
    if (views === undefined || ends?.length !== 2) return NOT_YET;
    if (ends.some(isStandAlone)) return aPersonDecides(ends);
    if (ends.every(isRedundant)) return seen("Connected and UpToDate on both ends");
    if (!ends.every(isInSync)) return notYet(words(ends));
    if (views.every((v) => (v.stillMs ?? 0) >= STALLED_AGAIN_MS))
      return never("the resync came back and stands again: the cut does not mend it");
    const left = ends.map((drbd) => drbd.outOfSyncKib ?? drbd.resync?.leftKib ?? 0);
    const begun = first ?? left;
    first ??= left;
    if (!left.every((kib, i) => kib < (begun[i] ?? 0))) return NOT_YET;
    const readAtMs = Math.min(...views.map((v) => v.readAtMs));
    movedAtMs ??= readAtMs;
    const moving = views.every((v) => (v.stillMs ?? 0) < MOVING_FOR_MS);
    if (!moving || readAtMs - movedAtMs < MOVING_FOR_MS) return NOT_YET;
    return seen(
      `the resync moves: ${left.map((kib, i) => `${begun[i]} → ${kib} KiB`).join(", ")} out of sync`,
    );
  };
}

function cutOf(view: ClusterView, end: DrbdEnd | undefined, sinceMs: number) {
  const node = view.nodes.get(end?.node ?? "");
  const source = node?.sources.get(Source.LINK_CUTS);
  const facts = factsOf(node, Source.LINK_CUTS, "linkCuts");
  if (source === undefined || facts === undefined || source.readAtMs < sinceMs) return "unknown";
  return facts.cuts.find((c) => c.peerAddress === end?.peerAddress && c.port === end.port);
}

/** Asks of both ends, and of the cut, which may go first. */
function drbdOf(end: DrbdEnd | undefined, peerEnd: DrbdEnd | undefined): Ask[] {
  return [end, peerEnd].map((of) => ({ node: of?.node ?? "", source: Source.PROC_DRBD }));
}

function bothMinors(
  view: ClusterView,
  end: DrbdEnd | undefined,
  peerEnd: DrbdEnd | undefined,
  sinceMs: number,
): MinorView[] | undefined {
  const found = [end, peerEnd].map((of) => view.nodes.get(of?.node ?? "")?.minors.get(of?.minor ?? -1));
  const fresh = found.filter((v) => v !== undefined).filter((v) => v.readAtMs >= sinceMs);
  return fresh.length === 2 ? fresh : undefined;
}

function isStandAlone({ connection }: DrbdMinor): boolean {
  return connection === ConnectionState.STAND_ALONE;
}

function aPersonDecides(ends: readonly DrbdMinor[]): Seen {
  return never(`an end went StandAlone (${words(ends)}): a person decides (I8)`);
}

function words(ends: readonly DrbdMinor[]): string {
  return ends.map((drbd) => connectionWord(drbd.connection)).join(", ");
}
