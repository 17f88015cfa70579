/**
 * Leadership is what the agents say (I26): an orchestrator acts only while a strict majority of the nodes that
 * Ganeti does not mark offline has a live session with it and each names its node as master. It asks nobody else
 * and keeps no lock. With two nodes and one down there is no majority: a person may confirm, once, by name.
 */
import type { Leadership } from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";

/** A vote counts while its node reported this recently. */
export const VOTE_AGE_MS = 5_000;

export interface Vote {
  readonly leads: boolean;
  readonly votes: number;
  readonly voters: number;
  readonly reason: string; // for people
}

/** @param confirmedBy a person who answered for the nodes that cannot be asked; undefined: nobody */
export function countVotes(
  view: ClusterView,
  ownNode: string,
  nowMs: number,
  confirmedBy: string | undefined,
): Vote {
  const { ssconf } = view;
  if (ssconf === undefined)
    return {
      leads: false,
      votes: 0,
      voters: 0,
      reason: `the agent on ${ownNode} has not told the cluster's nodes`,
    };
  const voters = ssconf.nodeList.filter((name) => !ssconf.offlineNodes.includes(name));
  const asked = voters
    .map((name) => view.nodes.get(name))
    .filter((n) => n?.connected === true && nowMs - n.reportedAtMs <= VOTE_AGE_MS);
  const votes = asked.filter((node) => node?.masterNode === ownNode).length;
  const against = asked.length - votes;
  const tally = `${votes} of ${voters.length} nodes say that ${ownNode} is master`;
  if (votes * 2 > voters.length) return { leads: true, votes, voters: voters.length, reason: tally };
  const confirmed = confirmedBy !== undefined && votes > 0 && against === 0;
  const reason = confirmed ? `${tally}; ${confirmedBy} answered for the rest` : `${tally}: not a majority`;
  return { leads: confirmed, votes, voters: voters.length, reason };
}

/** Agents refuse a greater jump; one node's damaged number must not take the whole cluster's along (I41). */
const JUMP_MAX = 2 ** 20;

/** Above every epoch that anybody has seen (I25), but for numbers beyond reason. */
export function nextEpoch(view: ClusterView, stored: number): number {
  const seen = [...view.nodes.values()].map((node) => node.highestEpoch).toSorted((a, b) => a - b);
  return (
    seen.reduce(
      (highest, epoch) => (epoch - highest >= JUMP_MAX ? highest : Math.max(highest, epoch)),
      stored,
    ) + 1
  );
}

/** Somebody else led after us: an agent has seen a higher epoch than ours. */
export function overtakenBy(view: ClusterView, ownEpoch: number): number | undefined {
  const higher = [...view.nodes.values()]
    .map((node) => node.highestEpoch)
    .filter((epoch) => epoch > ownEpoch && epoch - ownEpoch < JUMP_MAX);
  return higher.length === 0 ? undefined : Math.max(...higher);
}

export function leadershipMessage(vote: Vote, epoch: number): Leadership {
  return {
    leads: vote.leads,
    epoch: vote.leads ? epoch : 0,
    votes: vote.votes,
    voters: vote.voters,
    reason: vote.reason,
  };
}
