import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSsconf, readMasterNode, ssconf } from "./ssconf.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS } from "./testing.js";

const TEXTS = {
  cluster_name: "cluster.example\n",
  cluster_tags: "htools:iextags:web\nproduction\n",
  master_candidates: "h1.example\nh2.example\n",
  master_node: "h1.example\n",
  node_list: "h1.example\nh2.example\nh3.example\n",
  node_primary_ips: "h1.example 10.77.0.11\nh2.example 10.77.0.12\nh3.example 10.77.0.13\n",
  node_secondary_ips: "h1.example 10.78.0.11\nh2.example 10.78.0.12\nh3.example 2001:db8::13\n",
  offline_nodes: "\n",
  release_version: "3.0.2\n",
};
const FILES = Object.fromEntries(
  Object.entries(TEXTS).map(([key, text]) => [`/var/lib/ganeti/ssconf_${key}`, text]),
);

test("a node knows its master, its peers and the addresses that DRBD uses", () => {
  const { facts, damaged } = parseSsconf(TEXTS);
  expect(damaged).toEqual([]);
  expect(facts).toMatchObject({
    clusterName: "cluster.example",
    masterNode: "h1.example",
    nodeList: ["h1.example", "h2.example", "h3.example"],
    offlineNodes: [],
    releaseVersion: "3.0.2",
    clusterTags: ["htools:iextags:web", "production"],
  });
  expect(facts.addresses[2]).toEqual({
    node: "h3.example",
    primaryIp: "10.77.0.13",
    secondaryIp: "2001:db8::13",
  });
});

test.each([
  ["node_list", "h1.example\n../h2\n", 2],
  ["node_list", "h1.example\n-oProxyCommand=x\n", 2],
  ["node_secondary_ips", "h1.example 10.78.0.256\n", 1],
  ["node_secondary_ips", "h1.example\n", 1],
  ["release_version", "new\n", 1],
  ["cluster_tags", "a b\n", 1],
])("an item of %s that cannot be one is damaged, with its line", (key, text, line) => {
  const { damaged } = parseSsconf({ ...TEXTS, [key]: text });
  expect(damaged).toContainEqual(expect.objectContaining({ object: `ssconf_${key}`, line }));
});

test("a node with two addresses has none that can be trusted", () => {
  const { facts, damaged } = parseSsconf({
    ...TEXTS,
    node_secondary_ips: "h1.example 10.78.0.11\nh1.example 10.78.0.66\n",
  });
  expect(facts.addresses[0]).toMatchObject({ node: "h1.example", secondaryIp: "" });
  expect(damaged).toMatchObject([{ reason: "h1.example is there twice" }]);
});

test("a file that is missing is said, and the others still read", () => {
  const { facts, damaged } = parseSsconf({ ...TEXTS, cluster_tags: undefined });
  expect(facts.masterNode).toBe("h1.example");
  expect(damaged).toEqual([
    { line: 0, reason: "there is no such file", minor: undefined, object: "ssconf_cluster_tags" },
  ]);
});

describe("the reading", () => {
  test("a machine without ssconf files is no node of a cluster", async () => {
    expect(await ssconf.read(fakeHost({}))).toEqual({
      state: "absent",
      reason: "this node is in no Ganeti cluster",
    });
  });

  test("all files are read", async () => {
    expect(await ssconf.read(fakeHost({ files: FILES }))).toMatchObject({ state: "ok", damaged: [] });
  });

  test("a file that cannot be read is a failure", async () => {
    const files = { ...FILES, "/var/lib/ganeti/ssconf_node_list": errno("EIO") };
    await expect(ssconf.read(fakeHost({ files }))).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });
});

function master(text: string): Promise<string> {
  return readMasterNode(fakeHost({ files: { "/var/lib/ganeti/ssconf_master_node": text } }));
}

describe("the master's name", () => {
  test("is the one line of its file", async () => {
    expect(await master("h2.example\n")).toBe("h2.example");
  });

  test.each(["", "\n", "h1\nh2\n", "h1 h2\n", "-h1\n", "h1/..\n", "h\u00e91\n"])(
    "is not taken from %j",
    async (text) => {
      await expect(master(text)).rejects.toMatchObject({ code: "SOURCE_FAILED" });
    },
  );

  test("cannot be told where there is no such file", async () => {
    await expect(readMasterNode(fakeHost({}))).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });
});

test("whatever happens to the files, names stay names", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(TEXTS)), damagedCopies(Object.values(TEXTS)), (key, text) => {
      const { facts } = parseSsconf({ ...TEXTS, [key]: text });
      const names = [
        facts.masterNode,
        ...facts.nodeList,
        ...facts.offlineNodes,
        ...facts.addresses.map((a) => a.node),
      ];
      for (const name of names) expect(name).toMatch(/^[\w.-]*$/);
    }),
    { numRuns: FUZZ_RUNS },
  );
});
