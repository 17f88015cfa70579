import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseConfigData } from "./ganeti-config.js";
import { damagedCopies, FUZZ_RUNS, sample } from "./testing.js";

const TEXT = sample("sources/ganeti/config.json");
const DRBD = {
  uuid: "cccccccc-0000-4000-8000-000000000001",
  index: 0,
  type: "drbd",
  sizeMib: 10240,
  nodeA: "h2.example",
  nodeB: "h3.example",
  minorA: 18,
  minorB: 27,
  port: 11000,
  dataLv: "kvmvg/1f2e.disk0_data",
  metaLv: "metavg/1f2e.disk0_meta",
};

interface ConfigShape {
  nodes: Record<string, { name: string }>;
  instances: Record<string, { disks: unknown[] }>;
  disks?: Record<string, { dev_type: string; logical_id: unknown[]; children?: { dev_type: string }[] }>;
}

/** The same configuration as 2.8 wrote it: disks within their instances, nodes under their names. */
function asOf28(text: string): string {
  const config = JSON.parse(text) as ConfigShape;
  const names = new Map(Object.entries(config.nodes).map(([uuid, { name }]) => [uuid, name]));
  for (const instance of Object.values(config.instances)) {
    instance.disks = instance.disks.map((uuid) => {
      const disk = config.disks?.[String(uuid)];
      const type = disk?.dev_type === "drbd" ? "drbd8" : "lvm";
      const logicalId = disk?.logical_id.map((part) => names.get(String(part)) ?? part);
      return { ...disk, dev_type: type, logical_id: logicalId };
    });
  }
  delete config.disks;
  config.nodes = Object.fromEntries(Object.values(config.nodes).map((node) => [node.name, node]));
  return JSON.stringify(config);
}

test("a DRBD disk has its minor on each node, its port and its two volumes", () => {
  const config = parseConfigData(TEXT);
  expect(config).toMatchObject({ serial: 42, clusterTags: ["production"], damaged: [] });
  expect(config.disksOf.get("web1.example")?.[0]).toEqual(DRBD);
  expect(config.disksOf.get("web1.example")?.[1]).toMatchObject({
    index: 1,
    minorA: 19,
    minorB: 28,
    port: 11001,
  });
});

test("a plain disk has one volume and no peer", () => {
  expect(parseConfigData(TEXT).disksOf.get("mail1.example")).toMatchObject([
    { type: "plain", dataLv: "kvmvg/5d6e.disk0", metaLv: "", nodeA: "", port: 0 },
  ]);
});

test("the form of 2.8 says the same", () => {
  expect(parseConfigData(asOf28(TEXT))).toEqual(parseConfigData(TEXT));
});

test("the shared secret is not in what was parsed, nor in a reason", () => {
  const { disksOf, damaged } = parseConfigData(TEXT.replace('"children"', '"chidren"'));
  expect(damaged).toHaveLength(1);
  expect(JSON.stringify([...disksOf, damaged])).not.toContain("secret");
  for (let length = 0; length < TEXT.length; length += 7) {
    expect(() => parseConfigData(TEXT.slice(0, length))).toThrow(/^(?!.*secret)/);
  }
});

test.each([
  ["11000", "110000", '"port" is not a whole number'],
  ["18,", "-1,", '"minor A" is not a whole number'],
  ['"aaaaaaaa-0000-4000-8000-000000000003",\n        11000', '"nobody", 11000', "a disk is on a node"],
  ['"size": 10240', '"size": "big"', '"size" is not a whole number'],
  ['"cccccccc-0000-4000-8000-000000000002"]', '"gone"]', '"disk/1" is not an object'],
])("%s written as %s makes that instance's disks unknown, and not the next one's", (from, to, reason) => {
  const { disksOf, damaged } = parseConfigData(TEXT.replace(from, to));
  expect([...disksOf.keys()]).toEqual(["mail1.example"]);
  expect(damaged).toMatchObject([{ object: "web1.example" }]);
  expect(damaged[0]?.reason).toContain(reason);
});

test("whatever happens to the file, it is parsed or refused", () => {
  fc.assert(
    fc.property(damagedCopies([TEXT, asOf28(TEXT)]), (text) => {
      try {
        const { disksOf, damaged } = parseConfigData(text);
        for (const { object } of damaged) expect(disksOf.has(object)).toBe(false);
      } catch (error) {
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
