import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ganetiJob, JOB_DETAIL_FIELDS, parseJob } from "./ganeti-job.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample } from "./testing.js";

type Cells = readonly (readonly [number, unknown])[];

function answer(...values: unknown[][]): unknown {
  const fields = JOB_DETAIL_FIELDS.map((name) => ({ name, title: name, kind: "text", doc: "" }));
  return { fields, data: values.map((row) => row.map((value) => [0, value])) };
}

const OPS = [{ OP_ID: "OP_INSTANCE_MIGRATE", reason: [["gnt:user", "vigie:r-7:migrate", 1]] }];
const LOG = [
  [
    [2, [1795367970, 858527], "message", "* done"],
    [1, [1795367943, 954987], "message", "Migrating instance web1.example"],
  ],
];

test("a job that failed tells its opcode's error, its log in order and its reason", () => {
  const failed = ["OpExecError", ["Disk 0 is degraded", "wrong_state"]];
  const row = [18, "error", ["INSTANCE_MIGRATE(web1.example)"], ["error"], [failed], LOG, OPS];
  expect(parseJob(answer(row), 18)).toEqual({
    id: 18,
    status: "error",
    opcodes: [
      {
        status: "error",
        summary: "INSTANCE_MIGRATE(web1.example)",
        error: "OpExecError: Disk 0 is degraded, wrong_state",
        childJobIds: [],
      },
    ],
    log: [
      { serial: 1, unixMs: 1795367943954, text: "Migrating instance web1.example" },
      { serial: 2, unixMs: 1795367970858, text: "* done" },
    ],
    reason: "vigie:r-7:migrate",
  });
});

test("a job that submitted others names those that Ganeti took", () => {
  const result = {
    jobs: [
      [true, 19],
      [true, "20"],
      [false, "no"],
    ],
    other: 1,
  };
  const row = [18, "success", ["NODE_EVACUATE(h3.example)"], ["success"], [result], [[]], OPS];
  expect(parseJob(answer(row), 18).opcodes).toMatchObject([{ childJobIds: [19, 20], error: "" }]);
});

test("a job that Ganeti does not know is lost, and one that was not asked for does not stand in for it", () => {
  expect(parseJob(answer(), 18)).toMatchObject({ id: 18, status: "lost", opcodes: [], log: [] });
  expect(parseJob(answer([17, "success", [], [], [], [], []]), 18)).toMatchObject({ status: "lost" });
});

test("of a long log the newest two hundred lines are kept, and a message that is no text is told as it is", () => {
  const log = Array.from({ length: 250 }, (_, index) => [index + 1, [1, 0], "remote", { at: index + 1 }]);
  const { log: kept } = parseJob(answer([18, "running", ["X"], ["running"], [null], [log], OPS]), 18);
  expect(kept).toHaveLength(200);
  expect(kept.at(-1)).toMatchObject({ serial: 250, text: '{"at":250}' });
});

test("the jobs of a real Ganeti 3.0 are understood", () => {
  const lab = JSON.parse(sample("lab/luxi.json")) as {
    "Query job": { request: [string, string[]]; reply: { result: { data: Cells[] } } };
  };
  const { request, reply } = lab["Query job"];
  const rows = reply.result.data.map((row) =>
    JOB_DETAIL_FIELDS.map((name) => row[request[1].indexOf(name)]?.[1]),
  );
  const jobs = rows.map(([id]) => parseJob(answer(...rows), id as number));
  expect(jobs.map(({ status }) => status)).not.toContain("lost");
  expect(jobs[4]).toMatchObject({
    status: "success",
    opcodes: [{ summary: "INSTANCE_CREATE(web1.lab.example)" }],
  });
  expect(jobs[4]?.log[0]).toMatchObject({ serial: 1, text: "* creating instance disks..." });
});

describe("where it is read", () => {
  const files = {
    "/var/lib/ganeti/ssconf_master_node": "h1.example\n",
    "/var/lib/ganeti/ssconf_release_version": "3.0.2\n",
  };

  test("the master asks for this job only", async () => {
    const asked: unknown[] = [];
    const exchange = (request: string): string => {
      asked.push((JSON.parse(request) as { args: unknown[] }).args[2]);
      return JSON.stringify({ success: true, result: answer() });
    };
    const reading = await ganetiJob("h1.example").read(fakeHost({ files, exchange }), {
      minor: 0,
      jobId: 18,
    });
    expect(asked).toEqual([["=", "id", 18]]);
    expect(reading).toMatchObject({ state: "ok", facts: { value: { id: 18, status: "lost" } } });
  });

  test("another node has no queue", async () => {
    expect(await ganetiJob("h2.example").read(fakeHost({ files }))).toEqual({
      state: "absent",
      reason: "the master is h1.example",
    });
  });
});

test("whatever happens to an answer, it is parsed or refused", () => {
  const text = JSON.stringify(answer([18, "error", ["X"], ["error"], [["E", ["x"]]], LOG, OPS]));
  fc.assert(
    fc.property(damagedCopies([text]), (damaged) => {
      try {
        parseJob(JSON.parse(damaged), 18);
      } catch (error) {
        if (error instanceof SyntaxError) return;
        expect(error).toMatchObject({ code: "PARSE_FAILED" });
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
