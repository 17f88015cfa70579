/** What a person may do with an open run, as it reaches the orchestrator. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openStage, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

test.each([
  ["pause r-1", { verb: "RUN_VERB_PAUSE", stepId: "", reason: "" }],
  ["resume r-1 --reason tea-is-over", { verb: "RUN_VERB_RESUME", reason: "tea-is-over" }],
  ["retry r-1 --step cut-link", { verb: "RUN_VERB_RETRY_STEP", stepId: "cut-link" }],
  ["skip r-1 --reason done-by-hand", { verb: "RUN_VERB_SKIP_STEP", reason: "done-by-hand" }],
  ["take-over r-1 --reason by-hand", { verb: "RUN_VERB_TAKE_OVER", reason: "by-hand" }],
  ["continue r-1", { verb: "RUN_VERB_CONFIRM", stepId: "" }],
])("vigie run %s", async (line, request) => {
  const { code, out } = await stage.vigie(`run ${line}`);
  expect(code).toBe(0);
  expect(out).toContain("r-01kaxb  reset-stalled-sync");
  expect(stage.asked).toEqual([
    { method: "controlRun", request: expect.objectContaining({ runId: "r-1", ...request }) as unknown },
  ]);
});

test.each(["skip", "take-over"])("vigie run %s needs a reason", async (verb) => {
  expect(await stage.vigie(`run ${verb} r-1`)).toMatchObject({ code: 2 });
  expect(stage.asked).toEqual([]);
});
