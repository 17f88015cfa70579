import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command } from "../host.js";
import { INSTANCE_FIELDS, NODE_FIELDS, parseInstances, parseNodes } from "./ganeti-inventory.js";
import { JOB_FIELDS, parseJobs } from "./ganeti-jobs.js";
import { ganeti } from "./ganeti.js";
import { luxiVersion } from "./luxi.js";
import type { Reading } from "./source.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample, type FakeMachine } from "./testing.js";

type Cells = readonly (readonly [number, unknown])[];

function answer(fields: readonly string[], ...rows: Cells[]): { fields: unknown[]; data: Cells[] } {
  return { fields: fields.map((name) => ({ name, title: name, kind: "text", doc: "" })), data: rows };
}

function cells(...values: unknown[]): Cells {
  return values.map((value) => [0, value]);
}

const NODES = answer(
  NODE_FIELDS,
  cells("h1.example", "u1", "M", false, false, "10.77.0.11", "10.78.0.11", "default", ["rack1"], 1),
  cells("h2.example", "u2", "D", false, true, "10.77.0.12", "10.78.0.12", "default", [], 4),
);
const INSTANCES = answer(
  INSTANCE_FIELDS,
  cells("web1.example", "i1", "h2.example", ["h3.example"], "up", "drbd", [], 5),
  cells("mail1.example", "i2", "h1.example", [], "down", "plain", [], 2),
);
const GROUPS = answer(["name", "tags"], cells("default", ["vigie:ask"]));
const STATUSES = answer(["name", "status"], cells("web1.example", "running"), [
  [0, "mail1.example"],
  [2, null],
]);
const OPS = [
  {
    OP_ID: "OP_INSTANCE_MIGRATE",
    instance_name: "web1.example",
    osparams_secret: "hidden",
    reason: [
      ["gnt:client:gnt-instance", "migrate", 1],
      ["gnt:user", "vigie run r-7", 2],
    ],
  },
  { OP_ID: "OP_INSTANCE_QUERY_DATA", instances: ["web1.example", "mail1.example"], reason: [] },
];
const JOBS = answer(JOB_FIELDS, [
  ...cells(18, "running", ["INSTANCE_MIGRATE(web1.example)"], [1795367938, 952555]),
  [3, null],
  [0, OPS],
]);

const FILES = {
  "/var/lib/ganeti/ssconf_master_node": "h1.example\n",
  "/var/lib/ganeti/ssconf_release_version": "3.0.2\n",
  "/var/lib/ganeti/config.data": sample("sources/ganeti/config.json"),
};

function replies(request: string): unknown {
  const { method, args } = JSON.parse(request) as { method: string; args: [string, string[]] };
  if (method === "QueryConfigValues") return [false, 1795367999.5];
  const [what, fields] = args;
  if (fields.includes("status") && what === "instance") return STATUSES;
  return { node: NODES, instance: INSTANCES, job: JOBS, group: GROUPS }[what];
}

function answering(request: string): string {
  return JSON.stringify({ success: true, result: replies(request) });
}

function master(machine: FakeMachine = {}): FakeMachine {
  return { files: FILES, exchange: answering, ...machine };
}

const LISTS: Readonly<Record<string, string>> = {
  "/usr/sbin/gnt-node": "h1.example|u1|M|N|N|10.77.0.11|10.78.0.11|default|3|\n",
  "/usr/sbin/gnt-instance": "mail1.example|i2|h1.example|down|plain|2||\n",
  "/usr/sbin/gnt-job": "18|running|-|-|INSTANCE_MIGRATE(web1.example)\n",
};

function gntList({ file }: Command): { stdout: string } {
  return { stdout: LISTS[file] ?? "" };
}

function silent(): string {
  throw new Error("connect ECONNREFUSED");
}

function refusing(): string {
  return JSON.stringify({ success: false, result: "Failed to parse request" });
}

function failing(): { exitCode: number; stderr: string } {
  return { exitCode: 1, stderr: "Cannot communicate with the master daemon" };
}

interface LabPair {
  readonly request: readonly [string, readonly string[]];
  readonly reply: { readonly result: { readonly data: readonly Cells[] } };
}

/** The lab's answer, cut down to the fields that are asked for; what it was not asked is an empty list. */
function labAnswer(what: string, wanted: readonly string[]): unknown {
  const lab = JSON.parse(sample("lab/luxi.json")) as Record<string, LabPair>;
  const pair = lab[`Query ${what}`];
  if (pair === undefined) throw new Error(`the lab asked no ${what}`);
  const [, asked] = pair.request;
  const rowOf = (row: Cells): Cells => wanted.map((name) => row[asked.indexOf(name)] ?? [0, []]);
  return answer(wanted, ...pair.reply.result.data.map(rowOf));
}

function read(machine: FakeMachine, nodeName = "h1.example"): Promise<Reading> {
  return ganeti(nodeName).read(fakeHost(machine));
}

describe("on the master", () => {
  test("nodes, instances with their disks, and open jobs are known over LUXI", async () => {
    const reading = await read(master());
    expect(reading).toMatchObject({
      state: "ok",
      damaged: [],
      facts: {
        $case: "ganeti",
        value: {
          via: "luxi",
          configSerial: 42,
          clusterTags: ["production"],
          groups: [{ name: "default", tags: ["vigie:ask"] }],
          queueDrained: false,
          watcherPausedUntilUnixS: 1795367999,
          nodes: [
            { name: "h1.example", role: "M" },
            { role: "D", drained: true },
          ],
          instances: [{ name: "web1.example", disks: [{ minorA: 18, minorB: 27 }, { minorA: 19 }] }, {}],
        },
      },
    });
  });

  test("the volume group that every node should have is the configuration's", async () => {
    const config = FILES["/var/lib/ganeti/config.data"];
    const withVg = config.replace('"cluster": {', '"cluster": { "volume_group_name": "kvmvg",');
    const vgIn = async (text: string): Promise<unknown> =>
      read(master({ files: { ...FILES, "/var/lib/ganeti/config.data": text } }));
    expect(await vgIn(withVg)).toMatchObject({ facts: { value: { vgName: "kvmvg" } } });
    expect(await vgIn(config)).toMatchObject({ facts: { value: { vgName: "" } } });
  });

  test("a job tells its instances, its reason, and that it has not started", async () => {
    expect(parseJobs(JOBS).items).toEqual([
      {
        id: 18,
        status: "running",
        summary: "INSTANCE_MIGRATE(web1.example)",
        instances: ["web1.example", "mail1.example"],
        receivedUnixMs: 1795367938952,
        startedUnixMs: 0,
        reason: "migrate; vigie run r-7",
      },
    ]);
  });

  test("the live status is asked beside the readings, once a minute, and forgotten after two", async () => {
    const source = ganeti("h1.example");
    let statusAsked = 0;
    const exchange = (request: string): string => {
      if (request.includes('"status"],null')) statusAsked++;
      return answering(request);
    };
    const statusAt = async (nowMs: number): Promise<(string | undefined)[]> => {
      const reading = await source.read({ ...fakeHost(master({ exchange })), monotonicMs: () => nowMs });
      if (reading.state !== "ok" || reading.facts.$case !== "ganeti") throw new Error("it is not ok");
      return reading.facts.value.instances.map(({ status }) => status);
    };
    expect(await statusAt(0)).toEqual(["", ""]);
    expect(await statusAt(2_000)).toEqual(["running", ""]);
    expect(await statusAt(59_999)).toEqual(["running", ""]);
    expect(statusAsked).toBe(1);
    expect(await statusAt(200_000)).toEqual(["", ""]);
    expect(statusAsked).toBe(2);
  });

  test("the live status is asked again within ten seconds after Ganeti changed an instance", async () => {
    const source = ganeti("h1.example");
    let serial = 5;
    let asked = 0;
    const exchange = (request: string): string => {
      if (request.includes('"status"],null')) asked++;
      return answering(request).replace("[0,5]", `[0,${serial}]`);
    };
    const askedBy = async (nowMs: number): Promise<number> => {
      await source.read({ ...fakeHost(master({ exchange })), monotonicMs: () => nowMs });
      return asked;
    };
    expect(await askedBy(0)).toBe(1);
    expect(await askedBy(12_000)).toBe(1);
    serial = 6; // a job begins to stop it
    expect(await askedBy(14_000)).toBe(2);
    serial = 7; // and has stopped it
    expect(await askedBy(16_000)).toBe(2);
    expect(await askedBy(24_000)).toBe(3);
    expect(await askedBy(40_000)).toBe(3);
  });

  test("no secret comes out of the configuration or of an opcode", async () => {
    expect(JSON.stringify(await read(master()))).not.toMatch(/secret|hidden/);
  });

  test("an instance whose disks are not understood is damaged, and not one without disks", async () => {
    const config = FILES["/var/lib/ganeti/config.data"].replace("11001", "0.5");
    const reading = await read(master({ files: { ...FILES, "/var/lib/ganeti/config.data": config } }));
    expect(reading).toMatchObject({
      damaged: [{ object: "web1.example" }],
      facts: { value: { instances: [{ name: "mail1.example" }] } },
    });
  });

  test("an instance that the configuration file does not have yet is damaged", async () => {
    const config = FILES["/var/lib/ganeti/config.data"].replace('"mail1.example"', '"mail2.example"');
    const reading = await read(master({ files: { ...FILES, "/var/lib/ganeti/config.data": config } }));
    expect(reading).toMatchObject({
      damaged: [{ object: "mail1.example", reason: "its disks are not known" }],
    });
  });

  test("without a readable configuration file nothing is told, for every instance would look diskless (I11)", async () => {
    const files = { ...FILES, "/var/lib/ganeti/config.data": '{"top-secret' };
    const failure = await read(master({ files })).catch((error: unknown) => String(error));
    expect(failure).toContain("config.data");
    expect(failure).not.toContain("secret");
  });

  test("a node that has no value for a field is damaged, and its neighbour is not", () => {
    const damagedNodes = {
      ...NODES,
      data: NODES.data.map((row, index) => (index === 1 ? [...row.slice(0, 9), [2, null]] : row)),
    };
    const { items, damaged } = parseNodes(damagedNodes);
    expect(items).toHaveLength(1);
    expect(damaged).toMatchObject([{ object: "h2.example", reason: "serial_no has no value (status 2)" }]);
  });
});

describe("elsewhere", () => {
  test("a node that is not the master has no inventory", async () => {
    expect(await read(master(), "h2.example")).toEqual({
      state: "absent",
      reason: "the master is h1.example",
    });
  });

  test("a machine of no cluster has none either", async () => {
    expect(await read({})).toMatchObject({ state: "absent" });
  });
});

describe("LUXI's version", () => {
  test("is made of the release without its revision", () => {
    expect([luxiVersion("3.0.2"), luxiVersion("2.16.1"), luxiVersion("3.1.0~rc2-1")]).toEqual([
      3000000, 2160000, 3010000,
    ]);
  });

  test("is taken from the server where it refuses ours", async () => {
    const asked: number[] = [];
    const exchange = (request: string): string => {
      const { version } = JSON.parse(request) as { version: number };
      asked.push(version);
      if (version === 3010000) return JSON.stringify({ success: true, result: replies(request) });
      return JSON.stringify({
        success: false,
        result: "LUXI version mismatch, server 3010000, request 3000000",
      });
    };
    expect(await read(master({ exchange }))).toMatchObject({ facts: { value: { via: "luxi" } } });
    expect(new Set(asked)).toEqual(new Set([3000000, 3010000]));
  });
});

describe("where the socket does not answer", () => {
  test("the gnt programs are asked, and the flags read from their files", async () => {
    const files = {
      ...FILES,
      "/var/lib/ganeti/queue/drain": "",
      "/var/lib/ganeti/watcher.pause": "1795368038.2\n",
    };
    expect(await read({ files, exchange: silent, run: gntList })).toMatchObject({
      facts: {
        value: {
          via: "gnt-list",
          nodes: [{ name: "h1.example" }],
          instances: [{ name: "mail1.example", disks: [{ dataLv: "kvmvg/5d6e.disk0" }] }],
          jobs: [{ id: 18 }],
          queueDrained: true,
          watcherPausedUntilUnixS: 1795368038,
        },
      },
    });
  });

  test("they are not run again at once: they cost a core", async () => {
    let runs = 0;
    const run = (command: Command): { stdout: string } => {
      runs++;
      return gntList(command);
    };
    const source = ganeti("h1.example");
    const host = fakeHost({ files: FILES, exchange: silent, run });
    await source.read(host);
    await source.read(host);
    expect(runs).toBe(3);
  });

  test("and where those fail too, the source has failed", async () => {
    const reading = read({ files: FILES, exchange: silent, run: failing });
    await expect(reading).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });

  test("a refusal counts as no answer", async () => {
    const reading = await read({ files: FILES, exchange: refusing, run: gntList });
    expect(reading).toMatchObject({ facts: { value: { via: "gnt-list" } } });
  });
});

test("the answers of a real Ganeti 3.0 are understood", () => {
  expect(parseNodes(labAnswer("node", NODE_FIELDS))).toMatchObject({
    items: [{ role: "M" }, {}, {}],
    damaged: [],
  });
  expect(parseInstances(labAnswer("instance", INSTANCE_FIELDS)).items).toMatchObject([
    {
      name: "web1.lab.example",
      primaryNode: "h2.lab.example",
      secondaryNodes: ["h3.lab.example"],
      diskTemplate: "drbd",
    },
  ]);
  expect(parseJobs(labAnswer("job", JOB_FIELDS)).items.at(-1)).toMatchObject({
    id: 6,
    instances: ["web1.lab.example"],
    receivedUnixMs: 1795368037693,
  });
});

test("whatever happens to an answer, it is parsed or refused", () => {
  const texts = [NODES, INSTANCES, JOBS].map((each) => JSON.stringify(each));
  fc.assert(
    fc.property(damagedCopies(texts), (text) => {
      for (const parse of [parseNodes, parseInstances, parseJobs]) {
        try {
          parse(JSON.parse(text));
        } catch (error) {
          if (error instanceof SyntaxError) return;
          expect(error).toMatchObject({ code: "PARSE_FAILED" });
        }
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
