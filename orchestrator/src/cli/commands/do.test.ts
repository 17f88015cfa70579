/** `vigie do`: nothing runs that was not shown, and whoever asked sees how it ends. */
import { status as grpcStatus } from "@grpc/grpc-js";
import { Run, RunEventKind, RunState } from "@vigie/proto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as sample from "../testing/samples.js";
import { Refusal } from "../testing/server.js";
import { openStage, terminal, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.reset();
  stage.answers.getRun = () => ({ run: sample.SUCCEEDED_RUN });
});

const methods = (): string[] => stage.asked.map((it) => it.method);
const lastOf = (method: string): unknown => stage.asked.findLast((it) => it.method === method)?.request;

/** The run as it is at each look; the last one stays. */
function seenAs(...runs: Run[]): void {
  let n = 0;
  stage.answers.getRun = () => ({ run: runs[Math.min(n++, runs.length - 1)] });
}

describe("at a terminal", () => {
  test("the plan is shown, approved by its hash after yes, and followed to its end", async () => {
    seenAs(sample.RUN, sample.RUN, sample.SUCCEEDED_RUN);
    const { code, out } = await stage.vigie(
      "do reset-stalled-sync web1.example --no-color",
      terminal("yes\n"),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/xt_recent\/vigie-cut[^]*Type yes: [^]*cut-link is sent[^]*succeeded after 15 s/);
    expect(lastOf("approveRun")).toEqual({ runId: "r-01kaxb", planHash: sample.PLAN.hash, typedWord: "" });
    expect(out.match(/cut-link is sent/g)).toHaveLength(1); // a row is told once
    expect(out).toContain("step 2 of 4: both ends notice");
  });

  test("anything but yes leaves nothing behind: the run that waited for it is aborted", async () => {
    const { code, out } = await stage.vigie("do reset-stalled-sync web1.example", terminal("no\n"));
    expect(code).toBe(1);
    expect(out).toContain("Not approved; nothing was run.");
    expect(methods()).not.toContain("approveRun");
    expect(lastOf("abortRun")).toMatchObject({ runId: "r-01kaxb" });
  });

  test("a plan that asks for a word takes that word, also after --yes", async () => {
    stage.answers.planRun = () => ({ run: sample.RETIRE_PLANNED });
    const wrong = await stage.vigie("do reset-stalled-sync web1 --yes", terminal("yes\n"));
    expect(wrong.code).toBe(1);
    expect(methods()).not.toContain("approveRun");
    await stage.vigie("do reset-stalled-sync web1 --yes", terminal("h2.example\n"));
    expect(lastOf("approveRun")).toMatchObject({ typedWord: "h2.example" });
  });

  test("what a step asks a person is asked, and yes is sent on", async () => {
    seenAs(sample.ASKING_RUN, sample.WAITING_RUN, { ...sample.WAITING_RUN, state: RunState.SUCCEEDED });
    const { code, out } = await stage.vigie("do reset-stalled-sync web1", terminal("yes\nyes\n"));
    expect(code).toBe(0);
    expect(out).toContain("is the new disk in slot 3 of h2.example?\nIs it so? Type yes: ");
    expect(out).toContain("done about");
    expect(lastOf("controlRun")).toMatchObject({ verb: "RUN_VERB_CONFIRM", stepId: "pull-it-out" });
  });
});

describe("without a terminal", () => {
  test("nobody can say yes: the plan is shown, nothing is kept, and it is refused", async () => {
    const { code, out, err } = await stage.vigie("do reset-stalled-sync web1.example");
    expect(code).toBe(6);
    expect(out).toContain("xt_recent/vigie-cut");
    expect(err).toBe("vigie: not approved: there is no terminal to ask at; with --yes it runs\n");
    expect(lastOf("planRun")).toMatchObject({ dryRun: true });
    expect(methods()).not.toContain("approveRun");
  });

  test("with --yes it runs, and is told in plain lines", async () => {
    seenAs(sample.RUN, sample.SUCCEEDED_RUN);
    const { code, out } = await stage.vigie("do reset-stalled-sync web1.example --yes");
    expect(code).toBe(0);
    expect(out).not.toContain("\u001b");
    expect(out).toContain("await-link-down is seen in the world: both ends in WFConnection\n");
  });

  test("a word that the plan asks for must be given, and be the right one", async () => {
    stage.answers.planRun = () => ({ run: sample.RETIRE_PLANNED });
    for (const words of ["--yes", "--yes --word h1.example"]) {
      const { code, err } = await stage.vigie(`do reset-stalled-sync web1 ${words}`);
      expect(code).toBe(6);
      expect(err).toContain("not approved, and aborted: with --yes --word h2.example it runs");
    }
    expect(methods()).not.toContain("approveRun");
    await stage.vigie("do reset-stalled-sync web1 --yes --word h2.example --no-follow");
    expect(lastOf("approveRun")).toMatchObject({ typedWord: "h2.example" });
  });

  test("--json is one object a line: the planned run, then its rows", async () => {
    const { out } = await stage.vigie("do reset-stalled-sync web1.example --yes --json");
    const lines = out.trimEnd().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ id: "r-01kaxb", state: "awaiting-approval" });
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ event: { kind: "ended", state: "succeeded" } });
    expect(lines).toHaveLength(1 + sample.SUCCEEDED_RUN.events.length);
  });
});

describe("the exit code says how it stands", () => {
  test.each([
    [RunState.SUCCEEDED, 0],
    [RunState.FAILED, 7],
    [RunState.ABORTED, 8],
    [RunState.FROZEN, 9],
    [RunState.PAUSED, 11],
  ])("%s", async (state, code) => {
    stage.answers.getRun = () => ({ run: { ...sample.RUN, state } });
    const outcome = await stage.vigie("do reset-stalled-sync web1.example --yes");
    expect(outcome.code).toBe(code);
  });

  test("a run that waits for a person, with nobody to ask", async () => {
    stage.answers.getRun = () => ({ run: sample.ASKING_RUN });
    const { code, out } = await stage.vigie("do reset-stalled-sync web1.example --yes");
    expect(code).toBe(11);
    expect(out).toContain("It waits for a person: is the new disk in slot 3 of h2.example?");
    expect(out).toContain("vigie run continue r-01kaxd");
  });

  test("a plan with refusals ends with the way out, and nobody is asked", async () => {
    stage.answers.planRun = () => ({ run: sample.REFUSED });
    const { code, out } = await stage.vigie(
      "do reset-stalled-sync web1.example --no-color",
      terminal("yes\n"),
    );
    expect(code).toBe(6);
    expect(out).toContain("The way out\n  vigie do resolve-split-brain web1.example");
    expect(methods()).not.toContain("approveRun");
  });
});

test("a dry run is planned as one, and shows what a person would type", async () => {
  stage.answers.planRun = () => ({ run: { ...sample.PLANNED, state: RunState.PLANNED } });
  const { code, out } = await stage.vigie("do reset-stalled-sync web1 --dry-run", terminal(""));
  expect(code).toBe(0);
  expect(out).toContain("To plan it again and run it:\n  vigie do reset-stalled-sync web1.example disk=0");
  expect(lastOf("planRun")).toMatchObject({ dryRun: true });
});

describe("following", () => {
  test("Ctrl-C only stops following, and says how to come back", async () => {
    const stop = new AbortController();
    stage.answers.getRun = () => {
      stop.abort();
      return { run: sample.RUN };
    };
    const { code, out } = await stage.vigie("run follow r-01kaxb", { signal: stop.signal });
    expect(code).toBe(11);
    expect(out).toContain("the run goes on. Come back: vigie run follow r-01kaxb");
    expect(methods()).toEqual(["getRun"]);
  });

  test("goes on after a lost connection, and tells no row twice", async () => {
    let n = 0;
    stage.answers.getRun = () => {
      n += 1;
      if (n === 2) throw new Refusal(grpcStatus.UNAVAILABLE, "UNAVAILABLE", "the orchestrator restarts");
      return { run: n < 4 ? sample.RUN : sample.SUCCEEDED_RUN };
    };
    const { code, out, err } = await stage.vigie("run follow r-01kaxb");
    expect(code).toBe(0);
    expect(err).toContain("trying again");
    expect(out.match(/cut-link is sent/g)).toHaveLength(1);
  });

  test("a paused run that a person has just ended is followed to its end", async () => {
    const ended = { ...sample.RUN.events[0], sequence: 7, kind: RunEventKind.TAKEN_OVER, text: "by hand" };
    const ending = Run.fromPartial({
      ...sample.RUN,
      state: RunState.PAUSED,
      events: [...sample.RUN.events, ended],
    });
    seenAs(ending, { ...ending, state: RunState.ABORTED });
    const { code, out } = await stage.vigie("run follow r-01kaxb");
    expect(code).toBe(8);
    expect(out).toContain("taken over by hand: by hand");
  });

  test("a run that is not there is told at once", async () => {
    stage.answers.getRun = () => {
      throw new Refusal(grpcStatus.NOT_FOUND, "NOT_FOUND", "there is no run r-9");
    };
    expect(await stage.vigie("run follow r-9")).toMatchObject({ code: 3 });
  });
});
