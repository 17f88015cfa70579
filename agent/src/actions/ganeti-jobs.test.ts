/** What goes into Ganeti's queue, and what is killed in it, as the performer does it. */
import { ActionOutcome, Source, SourceReport, SourceState, type ActionRequest } from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { performStage, requestFor, UNIX_MS, type PerformStage } from "../testing.js";

const { DONE, ALREADY_SO, REFUSED, FAILED, UNKNOWN } = ActionOutcome;
const REASON = "vigie:r-1:migrate";
const NOW_MS = UNIX_MS + 100_000;

interface Job {
  readonly id: number;
  readonly status: string;
  readonly summary?: string;
  readonly reason?: string;
  readonly receivedUnixMs?: number;
}

let stage: PerformStage;
let jobs: Job[];
let drained: unknown;
let place: readonly [string, readonly string[]] | undefined; // by Ganeti's configuration
beforeEach(() => {
  stage = performStage();
  jobs = [];
  drained = false;
  place = ["h1.example", ["h2.example"]];
  stage.world.luxi = answer;
  stage.world.run = ({ file }) => {
    if (!file.includes("gnt-instance")) return {};
    jobs.push({ id: 18, status: "queued", reason: REASON });
    return { stdout: "18\n", stderr: "JobID: 18\n" };
  };
});
afterEach(() => stage.end());

function answer(request: string): string {
  const { method, args } = JSON.parse(request) as { method: string; args: [string, string[], unknown] };
  if (method === "QueryConfigValues") return JSON.stringify({ success: true, result: [drained] });
  const [what, fields, filter] = args;
  if (what === "instance") {
    const rows = place === undefined ? [] : [["web1.example", ...place].map((value) => [0, value])];
    return JSON.stringify({
      success: true,
      result: { fields: fields.map((name) => ({ name })), data: rows },
    });
  }
  const rows = jobs.map((job): Record<string, unknown> => ({
    id: job.id,
    status: job.status,
    summary: [job.summary ?? "INSTANCE_MIGRATE(web1.example)"],
    received_ts: [Math.trunc((job.receivedUnixMs ?? NOW_MS) / 1000), 0],
    ops: [{ reason: [["gnt:user", job.reason ?? "", 1]] }],
  }));
  const data = rows.filter((row) => fits(row, filter)).map((row) => fields.map((field) => [0, row[field]]));
  return JSON.stringify({ success: true, result: { fields: fields.map((name) => ({ name })), data } });
}

/** ["=", "id", 9], or ["|", …] of such. */
function fits(row: Readonly<Record<string, unknown>>, filter: unknown): boolean {
  if (!Array.isArray(filter)) return true;
  const [operator, ...rest] = filter as unknown[];
  return operator === "|" ? rest.some((each) => fits(row, each)) : row[String(rest[0])] === rest[1];
}

const migrate = (change: Partial<ActionRequest> = {}): ActionRequest =>
  requestFor(
    {
      $case: "submitGanetiJob",
      value: {
        job: { $case: "migrateInstance", value: { instance: "web1.example", cleanup: false } },
        place: { primaryNode: "h1.example", secondaryNodes: ["h2.example"] },
      },
    },
    { stepId: "migrate", ...change },
  );

const gnt = (): string[] => stage.ran.map(({ file, args }) => `${file.split("/").at(-1)} ${args[0]}`);

describe("a job", () => {
  test("is submitted once, and its id is in the result", async () => {
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18 });
    expect(gnt()).toEqual(["gnt-instance migrate"]);
  });

  test("is submitted by the master only", async () => {
    stage.world.master = "h2.example";
    const result = await stage.perform(migrate(), { orchestratorNode: "h2.example" });
    expect(result).toMatchObject({ outcome: REFUSED, code: "IDENTITY_MISMATCH" });
    expect(gnt()).toEqual([]);
  });

  test.each(["queued", "waiting", "running", "canceling", "success"])(
    "that Ganeti has already, and is %s, is adopted and not submitted again (I30)",
    async (status) => {
      jobs = [{ id: 9, status, reason: REASON }];
      expect(await stage.perform(migrate())).toMatchObject({ outcome: ALREADY_SO, jobId: 9 });
      expect(gnt()).toEqual([]);
    },
  );

  test.each(["error", "canceled"])(
    "of an earlier attempt that ended in %s is no obstacle",
    async (status) => {
      jobs = [{ id: 9, status, reason: REASON }];
      expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18 });
    },
  );

  test("of another step of this run is not this one, and not in its way", async () => {
    jobs = [{ id: 8, status: "running", reason: "vigie:r-1:migrate-2" }];
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18 });
  });

  test.each(["queued", "waiting", "running", "canceling"])(
    "that a person has put in about the same instance, and is %s, is waited for (I31)",
    async (status) => {
      jobs = [{ id: 9, status, reason: "" }];
      const result = await stage.perform(migrate());
      expect(result).toMatchObject({ outcome: REFUSED, code: "TOO_LATE" }); // it is asked again, with all that is then
      expect(result.message).toContain(`job 9 is ${status}: INSTANCE_MIGRATE(web1.example)`);
      expect(gnt()).toEqual([]);
    },
  );

  test("about another instance is not in its way", async () => {
    jobs = [{ id: 9, status: "running", summary: "INSTANCE_MIGRATE(web12.example)", reason: "" }];
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE });
  });

  test.each<[string, readonly [string, readonly string[]] | undefined]>([
    ["whose guest was moved by hand", ["h2.example", ["h1.example"]]],
    ["that has another second node", ["h1.example", ["h3.example"]]],
    ["that was removed", undefined],
  ])("about an instance %s since it was planned is not submitted (I15)", async (_what, now) => {
    place = now;
    const result = await stage.perform(migrate());
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("planned h1.example and h2.example");
    expect(gnt()).toEqual([]);
  });

  test("is refused while the queue is drained (I31)", async () => {
    drained = true;
    const result = await stage.perform(migrate());
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("takes no new jobs");
    expect(gnt()).toEqual([]);
  });

  test("is not submitted while nobody can say whether it is there already (I11)", async () => {
    stage.world.luxi = () => {
      throw new Error("connect ECONNREFUSED");
    };
    expect(await stage.perform(migrate())).toMatchObject({ outcome: REFUSED, code: "SOURCE_FAILED" });
    expect(gnt()).toEqual([]);
  });

  test("whose id Ganeti does not know afterwards was not submitted, whatever the exit code (F5)", async () => {
    stage.world.run = () => ({ stdout: "18\n" });
    expect(await stage.perform(migrate())).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
  });

  test("whose command printed no id is unknown", async () => {
    stage.world.run = () => ({ stdout: "" });
    expect(await stage.perform(migrate())).toMatchObject({ outcome: UNKNOWN, code: "VERIFY_FAILED" });
  });

  test("whose command was killed at its deadline is found by its reason", async () => {
    stage.world.run = () => {
      jobs.push({ id: 18, status: "queued", reason: REASON });
      return { end: "timed-out", exitCode: -1 };
    };
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18 });
  });

  test("whose command failed, and that is nowhere, failed", async () => {
    stage.world.run = () => ({ exitCode: 1, stderr: "Failure: prerequisites not met" });
    const result = await stage.perform(migrate());
    expect(result).toMatchObject({ outcome: FAILED, code: "COMMAND_FAILED" });
    expect(result.message).toContain("prerequisites not met");
  });
});

describe("after a crash between intent and result (I22, I30)", () => {
  async function crashed(): Promise<void> {
    let begun: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (begun = resolve));
    stage.world.run = () => (begun(), new Promise<never>(() => undefined));
    void stage.perform(migrate());
    await reached;
    stage = stage.restarted();
    stage.world.luxi = answer;
  }

  test("the job is found by its reason, and the answer is kept", async () => {
    await crashed();
    jobs = [{ id: 18, status: "error", reason: REASON }];
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18, replayed: false });
    expect(await stage.perform(migrate())).toMatchObject({ outcome: DONE, jobId: 18, replayed: true });
    expect(gnt()).toEqual([]);
  });

  test("a failed job of an attempt before is not taken for this one", async () => {
    await crashed();
    jobs = [{ id: 9, status: "error", reason: REASON, receivedUnixMs: NOW_MS - 60_000 }];
    expect(await stage.perform(migrate())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_TIMED_OUT" });
    expect(gnt()).toEqual([]);
  });

  test("a job that is nowhere is unknown, and is not submitted again", async () => {
    await crashed();
    expect(await stage.perform(migrate())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_TIMED_OUT" });
    expect(gnt()).toEqual([]);
  });
});

describe("a migration that hangs", () => {
  const kill = (attempt = 1): ActionRequest =>
    requestFor(
      { $case: "killMigrationJob", value: { jobId: 7, instance: "web1.example" } },
      { stepId: "kill", attempt },
    );

  beforeEach(() => {
    jobs = [{ id: 7, status: "running" }];
    stage.world.run = () => {
      jobs = [{ id: 7, status: "error" }];
      return {};
    };
  });

  test("is killed, and seen to have ended", async () => {
    expect(await stage.perform(kill())).toMatchObject({ outcome: DONE, message: "job 7 is error" });
    expect(gnt()).toEqual(["gnt-job cancel"]);
  });

  test("that has ended needs no killing", async () => {
    jobs = [{ id: 7, status: "success" }];
    expect(await stage.perform(kill())).toMatchObject({ outcome: ALREADY_SO });
    jobs = [];
    expect(await stage.perform(kill(2))).toMatchObject({ outcome: ALREADY_SO });
    expect(gnt()).toEqual([]);
  });

  test.each<[string, Job]>([
    ["another instance's", { id: 7, status: "running", summary: "INSTANCE_MIGRATE(web11.example)" }],
    ["another kind of job", { id: 7, status: "running", summary: "INSTANCE_FAILOVER(web1.example)" }],
    ["a job of two parts", { id: 7, status: "running", summary: "X, INSTANCE_MIGRATE(web1.example)" }],
    ["a job that waits in the queue", { id: 7, status: "queued" }],
  ])("is not %s", async (_what, job) => {
    jobs = [job];
    expect(await stage.perform(kill())).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(gnt()).toEqual([]);
  });

  test("is seen to have ended when luxid finds its process dead, some seconds later", async () => {
    let looks = 0;
    stage.world.run = () => ({});
    stage.world.sleep = async () => {
      looks += 1;
      if (looks === 12) jobs = [{ id: 7, status: "error" }];
    };
    expect(await stage.perform(kill())).toMatchObject({ outcome: DONE, message: "job 7 is error" });
    expect(looks).toBe(12);
  });

  test("that runs on after it was killed is told as failed", async () => {
    stage.world.run = () => ({});
    stage.world.sleep = () => Promise.resolve();
    expect(await stage.perform(kill())).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
  });
});

describe("a migration that hangs in a Ganeti that cannot kill a job", () => {
  const restart = (attempt = 1): ActionRequest =>
    requestFor(
      { $case: "restartGaneti", value: { jobId: 7, instance: "web1.example" } },
      { stepId: "restart", attempt },
    );
  const release = (version: string): void => {
    stage.world.machine = { files: { "/var/lib/ganeti/ssconf_release_version": `${version}\n` } };
  };

  beforeEach(() => {
    release("2.11.6");
    jobs = [
      { id: 6, status: "success", summary: "CLUSTER_VERIFY" },
      { id: 7, status: "running" },
    ];
    stage.world.run = () => {
      jobs = [{ id: 7, status: "error" }];
      return {};
    };
    stage.world.sleep = () => Promise.resolve();
  });

  test("ends when its daemons start again, which may be silent for a moment", async () => {
    let silent = 0;
    stage.world.luxi = (request) => {
      if (stage.ran.length === 0) return answer(request);
      silent += 1;
      if (silent < 4) throw new Error("no such socket");
      return answer(request);
    };
    expect(await stage.perform(restart())).toMatchObject({ outcome: DONE, message: "job 7 is error" });
    expect(stage.ran.map(({ file, args }) => [file, ...args].join(" "))).toEqual([
      "/usr/sbin/service ganeti restart",
    ]);
  });

  test("and what became of it is not known while they stay silent", async () => {
    stage.world.luxi = (request) => {
      if (stage.ran.length > 0) throw new Error("no such socket");
      return answer(request);
    };
    expect(await stage.perform(restart())).toMatchObject({ outcome: UNKNOWN });
  });

  test.each<[string, Job[]]>([
    ["waits in the queue", [{ id: 8, status: "queued", summary: "INSTANCE_CREATE(web9.example)" }]],
    ["runs", [{ id: 8, status: "running", summary: "INSTANCE_REPLACE_DISKS(web2.example)" }]],
    ["is being canceled", [{ id: 8, status: "canceling", summary: "X" }]],
  ])("is not ended while another job %s, which would end too (I31)", async (_what, others) => {
    jobs.push(...others);
    const result = await stage.perform(restart());
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("other jobs, which would end too is 8");
    expect(stage.ran).toEqual([]);
  });

  test.each(["2.12.4", "2.13.0", "3.0.2", "", "new"])(
    "is not ended so in Ganeti %s, where a job outlives its daemons or nobody can say",
    async (version) => {
      release(version);
      expect(await stage.perform(restart())).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
      expect(stage.ran).toEqual([]);
    },
  );

  test("that is another instance's, or over, is left alone", async () => {
    jobs = [{ id: 7, status: "running", summary: "INSTANCE_MIGRATE(web11.example)" }];
    expect(await stage.perform(restart())).toMatchObject({ outcome: REFUSED });
    jobs = [{ id: 7, status: "error" }];
    expect(await stage.perform(restart(2))).toMatchObject({ outcome: ALREADY_SO });
    expect(stage.ran).toEqual([]);
  });
});

describe("Ganeti's watcher", () => {
  let pausedUntilS: number;
  beforeEach(() => {
    pausedUntilS = 0;
    stage.world.read = async (source) =>
      SourceReport.create({
        source,
        state: SourceState.OK,
        ...(source === Source.GANETI && {
          facts: { $case: "ganeti", value: { watcherPausedUntilUnixS: pausedUntilS } },
        }),
      });
    stage.world.run = ({ args }) => {
      pausedUntilS = args[1] === "continue" ? 0 : NOW_MS / 1000 + Number.parseInt(args[2] ?? "0", 10);
      return {};
    };
  });
  const pause = (forS = 3_600): ActionRequest =>
    requestFor({ $case: "pauseWatcher", value: { forS } }, { stepId: "pause" });
  const goOn = (): ActionRequest =>
    requestFor({ $case: "continueWatcher", value: {} }, { stepId: "continue" });

  test("is paused for as long as it was asked, and goes on", async () => {
    expect(await stage.perform(pause())).toMatchObject({ outcome: DONE });
    expect(await stage.perform(goOn())).toMatchObject({ outcome: DONE });
    expect(gnt()).toEqual(["gnt-cluster watcher", "gnt-cluster watcher"]);
  });

  test("that is paused for longer is left so, and one that goes on too", async () => {
    expect(await stage.perform(goOn())).toMatchObject({ outcome: ALREADY_SO });
    pausedUntilS = NOW_MS / 1000 + 7_200;
    expect(await stage.perform(pause())).toMatchObject({ outcome: ALREADY_SO });
    expect(gnt()).toEqual([]);
  });

  test("that does not pause is told, whatever the exit code (F5)", async () => {
    stage.world.run = () => ({});
    expect(await stage.perform(pause())).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
  });

  test("is not paused for ever, or for a moment", async () => {
    for (const forS of [0, 59, 86_401, 1.5])
      expect(await stage.perform(pause(forS))).toMatchObject({ outcome: REFUSED, code: "INVALID_ARGUMENT" });
  });
});

describe("a node that comes back", () => {
  const readd = requestFor({ $case: "readdNode", value: { node: "h3.example" } }, { stepId: "readd" });
  let role: string;
  beforeEach(() => {
    role = "O";
    stage.world.read = async (source) =>
      SourceReport.create({
        source,
        state: SourceState.OK,
        facts: {
          $case: "ganeti",
          value: { nodes: [{ name: "h3.example", role, offline: role === "O", drained: role === "D" }] },
        },
      });
    stage.world.run = () => ((role = "C"), {});
  });

  test("is readded, and seen with its flags cleared", async () => {
    expect(await stage.perform(readd)).toMatchObject({ outcome: DONE, message: "h3.example is of role C" });
    expect(gnt()).toEqual(["gnt-node add"]);
  });

  test("that is still offline afterwards did not come back, whatever the exit code (F5)", async () => {
    stage.world.run = () => ({});
    expect(await stage.perform(readd)).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
  });

  test("is not one that Ganeti does not have", async () => {
    const other = requestFor({ $case: "readdNode", value: { node: "h4.example" } }, { stepId: "readd" });
    expect(await stage.perform(other)).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(gnt()).toEqual([]);
  });
});

describe("the cluster's balance", () => {
  const rebalance = requestFor({ $case: "rebalance", value: {} }, { stepId: "migrate" });
  const ends = (...statuses: string[]): void => {
    stage.world.run = () => {
      jobs = statuses.map((status, index) => ({ id: index + 1, status, reason: REASON }));
      return {};
    };
  };

  test("is done when every job that hbal submitted for us ended well, or there was none", async () => {
    ends("success", "success");
    expect(await stage.perform(rebalance)).toMatchObject({ outcome: DONE, message: "2 jobs ended well" });
    ends();
    jobs = [{ id: 9, status: "error", reason: "another's" }];
    expect(await stage.perform({ ...rebalance, attempt: 2 })).toMatchObject({ outcome: DONE });
  });

  test("is not, where one failed, and unknown where one goes on", async () => {
    ends("success", "error");
    expect(await stage.perform(rebalance)).toMatchObject({ outcome: FAILED, message: "jobs that failed: 2" });
    ends("running");
    expect(await stage.perform({ ...rebalance, attempt: 2 })).toMatchObject({ outcome: UNKNOWN });
  });

  test("is left as it is while the queue is drained (I31)", async () => {
    drained = true;
    expect(await stage.perform(rebalance)).toMatchObject({ outcome: REFUSED });
    expect(stage.ran).toEqual([]);
  });
});

describe("a queue of thousands of jobs that nobody archives", () => {
  const many = (count: number): Job[] =>
    Array.from({ length: count }, (_, id) => ({ id: id + 100, status: "success", reason: `of ${id}` }));

  test("is looked through some at a time, and the one that is ours is found wherever it stands (I30)", async () => {
    jobs = [...many(1_500), { id: 9_000, status: "success", reason: REASON }];
    let longest = 0;
    stage.world.luxi = (request) => {
      const text = answer(request);
      longest = Math.max(longest, text.length);
      return text;
    };
    expect(await stage.perform(migrate())).toMatchObject({ outcome: ALREADY_SO, jobId: 9_000 });
    expect(longest).toBeLessThan(64 * 1024);
  });

  test("and is longer than can be looked through refuses the action, and says what to do (I11)", async () => {
    jobs = many(10_001);
    const result = await stage.perform(migrate());
    expect(result).toMatchObject({ outcome: REFUSED, code: "SOURCE_FAILED" });
    expect(result.message).toContain("holds 10001 jobs");
    expect(result.message).toContain("gnt-job autoarchive");
    expect(gnt()).toEqual([]);
  });
});
