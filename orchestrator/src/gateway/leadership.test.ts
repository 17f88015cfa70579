import { SsconfFacts } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { countVotes, nextEpoch, overtakenBy } from "./leadership.js";
import { unseenNode, type NodeView } from "../view/node-view.js";
import { emptyView, type ClusterView } from "../view/cluster-view.js";

const NOW_MS = 100_000;

/** One letter a node, h1 first: y names h1 master, n another, s is silent, o Ganeti calls offline, x has no session. */
function clusterOf(letters: string): ClusterView {
  const nodes = letters.split("").map((letter, i): NodeView => {
    const agoMs = letter === "s" ? 5_001 : 5_000;
    return {
      ...unseenNode(`h${i + 1}`),
      neverSeen: false,
      connected: letter !== "x",
      masterNode: letter === "n" ? "h9" : "h1",
      reportedAtMs: NOW_MS - agoMs,
    };
  });
  const names = nodes.map(({ name }) => name);
  const offlineNodes = names.filter((_name, i) => letters[i] === "o");
  return {
    ...emptyView("h1"),
    nodes: new Map(nodes.map((node) => [node.name, node])),
    ssconf: SsconfFacts.create({ nodeList: names, offlineNodes }),
  };
}

const vote = (letters: string, confirmedBy?: string) =>
  countVotes(clusterOf(letters), "h1", NOW_MS, confirmedBy);

/** Every word of this length over the letters. */
function words(length: number, letters: string): string[] {
  if (length === 0) return [""];
  return words(length - 1, letters).flatMap((word) => letters.split("").map((letter) => word + letter));
}

describe.each([1, 2, 3, 4, 5])("of %i nodes", (count) => {
  test("a strict majority of those that Ganeti does not mark offline leads, and nothing less (I26)", () => {
    const wrong = words(count, "ynso").filter((letters) => {
      const voters = letters.replaceAll("o", "").length;
      const yes = letters.replaceAll(/[^y]/g, "").length;
      const { leads, votes, voters: counted } = vote(letters);
      return leads !== yes > voters / 2 || votes !== yes || counted !== voters;
    });
    expect(wrong).toEqual([]);
  });

  test("a person's confirmation counts only with a vote for and none against", () => {
    const wrong = words(count, "ynsx").filter((letters) => {
      const yes = letters.replaceAll(/[^y]/g, "").length;
      const expected = yes > count / 2 || (yes > 0 && !letters.includes("n"));
      return vote(letters, "anna").leads !== expected;
    });
    expect(wrong).toEqual([]);
  });

  test("no two orchestrators can lead at once", () => {
    const other = (letters: string): boolean =>
      countVotes(
        clusterOf(letters.replaceAll("n", "N").replaceAll("y", "n").replaceAll("N", "y")),
        "h1",
        NOW_MS,
        undefined,
      ).leads;
    expect(words(count, "yns").filter((letters) => vote(letters).leads && other(letters))).toEqual([]);
  });
});

test("two nodes, one of them down: nobody leads until a person answers for it, by name", () => {
  expect(vote("ys")).toMatchObject({
    leads: false,
    reason: "1 of 2 nodes say that h1 is master: not a majority",
  });
  expect(vote("ys", "anna")).toMatchObject({
    leads: true,
    reason: expect.stringContaining("anna answered for the rest"),
  });
  expect(vote("yo")).toMatchObject({ leads: true, voters: 1 });
});

test("without a word of the own node there are no voters, and nobody leads", () => {
  const view = { ...clusterOf("yyy"), ssconf: undefined };
  expect(countVotes(view, "h1", NOW_MS, "anna")).toMatchObject({ leads: false, voters: 0 });
});

test("a cluster whose every node is marked offline has no leader", () => {
  expect(vote("ooo").leads).toBe(false);
});

test("a new epoch is above every one that any node or this store has seen (I25)", () => {
  const view = clusterOf("yyy");
  const seen = (epochs: number[]): ClusterView => ({
    ...view,
    nodes: new Map([...view.nodes.values()].map((n, i) => [n.name, { ...n, highestEpoch: epochs[i] ?? 0 }])),
  });
  expect(nextEpoch(seen([3, 7, 1]), 5)).toBe(8);
  expect(nextEpoch(seen([3, 7, 1]), 9)).toBe(10);
  expect(overtakenBy(seen([3, 7, 1]), 6)).toBe(7);
  expect(overtakenBy(seen([3, 7, 1]), 7)).toBeUndefined();
});
