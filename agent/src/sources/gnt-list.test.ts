import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseInstanceList, parseJobList, parseNodeList } from "./gnt-list.js";
import { damagedCopies, FUZZ_RUNS } from "./testing.js";

const NODES = `h1.example|u1|M|N|N|10.77.0.11|10.78.0.11|default|3|
h2.example|u2|O|Y|N|10.77.0.12|10.78.0.12|default|7|rack2,old
`;
const INSTANCES = `web1.example|i1|h2.example|up|drbd|5|h3.example|web,production
mail1.example|i2|h1.example|down|plain|2||
`;
const JOBS = `17|success|2026-11-22 17:17:43.087320|2026-11-22 17:17:45.308931|CLUSTER_VERIFY
18|running|2026-11-22 17:20:00.000000|2026-11-22 17:20:01.500000|INSTANCE_MIGRATE(web1.example)
19|queued|2026-11-22 17:20:02.000000|-|INSTANCE_REPLACE_DISKS(mail1.example)|x
`;

test("nodes are listed with their role, offline and drained", () => {
  const { items, damaged } = parseNodeList(NODES);
  expect(damaged).toEqual([]);
  expect(items).toMatchObject([
    { name: "h1.example", role: "M", offline: false, tags: [], serial: 3 },
    { name: "h2.example", role: "O", offline: true, tags: ["rack2", "old"], secondaryIp: "10.78.0.12" },
  ]);
});

test("instances are listed with their nodes and what Ganeti wants of them", () => {
  expect(parseInstanceList(INSTANCES).items).toMatchObject([
    { name: "web1.example", primaryNode: "h2.example", secondaryNodes: ["h3.example"], adminState: "up" },
    { name: "mail1.example", secondaryNodes: [], adminState: "down", diskTemplate: "plain" },
  ]);
});

test("only jobs that are not finished are kept, and a separator in the summary stays in it", () => {
  expect(parseJobList(JOBS).items).toMatchObject([
    { id: 18, instances: ["web1.example"], startedUnixMs: Date.parse("2026-11-22T17:20:01.500") },
    { id: 19, startedUnixMs: 0, summary: "INSTANCE_REPLACE_DISKS(mail1.example)|x" },
  ]);
});

test.each([
  ["|u2|", "|?|", "uuid is not known"],
  ["|O|", "|??|", 'unknown role "??"'],
  ["|Y|", "|*|", "offline is neither Y nor N"],
  ["|7|rack2,old", "", "8 fields, not 10"],
])("%s listed as %s damages that node, and not the one before", (from, to, reason) => {
  const { items, damaged } = parseNodeList(NODES.replace(from, to));
  expect(items).toHaveLength(1);
  expect(damaged).toEqual([{ line: 2, reason, minor: undefined, object: "h2.example" }]);
});

test("whatever happens to the lists, they never throw", () => {
  fc.assert(
    fc.property(damagedCopies([NODES, INSTANCES, JOBS]), (text) => {
      for (const parse of [parseNodeList, parseInstanceList, parseJobList]) parse(text);
    }),
    { numRuns: FUZZ_RUNS },
  );
});
