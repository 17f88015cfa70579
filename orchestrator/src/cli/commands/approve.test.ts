/** Nothing runs that a person has not read. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as sample from "../testing/samples.js";
import { openStage, terminal, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("approve", () => {
  test("shows the plan and runs it after y, by the hash that was shown", async () => {
    const { code, out } = await stage.vigie("approve r-01kaxb", terminal("y\n"));
    expect(code).toBe(0);
    expect(out).toMatch(/xt_recent\/vigie-cut[^]*Run this now\? Type yes:/);
    expect(stage.asked.at(-1)).toEqual({
      method: "approveRun",
      request: { runId: "r-01kaxb", planHash: sample.PLAN.hash, typedWord: "" },
    });
  });

  test.each(["\n", "n\n", "yess\n", ""])("%j is no", async (typed) => {
    const { code, out } = await stage.vigie("approve r-01kaxb", terminal(typed));
    expect(code).toBe(1);
    expect(out).toContain("Not approved; nothing was run.");
    expect(stage.asked.map((it) => it.method)).toEqual(["getRun"]);
  });

  test("without a terminal and without a hash nothing is stage.asked of anybody", async () => {
    const { code, err } = await stage.vigie("approve r-01kaxb");
    expect(code).toBe(2);
    expect(err).toContain("without --hash this asks a person, and there is no terminal");
    expect(stage.asked).toEqual([]);
  });

  test("a plan that asks for a word is approved by that word, and by no yes", async () => {
    stage.answers.getRun = () => ({ run: sample.RETIRE_PLANNED });
    const yes = await stage.vigie("approve r-01kaxd", terminal("yes\n"));
    expect(yes.out).toContain("Type h2.example to run this now");
    expect(yes.out).toContain("Not approved; nothing was run.");
    expect((await stage.vigie("approve r-01kaxd", terminal("h2.example\n"))).code).toBe(0);
    expect(stage.asked.at(-1)?.request).toMatchObject({ runId: "r-01kaxd", typedWord: "h2.example" });
  });

  test("a plan with refusals is not stage.asked about", async () => {
    stage.answers.getRun = () => ({ run: sample.REFUSED });
    const { code, out } = await stage.vigie("approve r-01kaxb", terminal("y\n"));
    expect(code).toBe(6);
    expect(out).not.toContain("Type yes");
  });
});

test("a plan that cannot be run exits 6, and is shown all the same", async () => {
  stage.answers.planRun = () => ({ run: sample.REFUSED });
  const { code, out } = await stage.vigie("plan reset-stalled-sync web1.example/0");
  expect(code).toBe(6);
  expect(out).toContain("h2.example is StandAlone: a person decides (I8)");
});
