/** `vigie watch` over a server that breaks the stream after every second event. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("watch", () => {
  test("goes on after a broken stream at the cursor, misses nothing and repeats nothing", async () => {
    const { code, out, err } = await stage.vigie("watch --after 10 --count 4");
    expect(code).toBe(0);
    expect(out.match(/incident|run |node|leadership/g)).toEqual(["incident", "run ", "node", "leadership"]);
    expect(err).toContain("the orchestrator restarts; trying again");
    const watches = stage.asked.filter((it) => it.method === "watch");
    expect(watches.map((it) => it.request)).toEqual([{ afterCursor: 10 }, { afterCursor: 12 }]);
  });

  test("prints one JSON object a line", async () => {
    const { out } = await stage.vigie("watch --after 10 --count 2 --json");
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((it) => JSON.parse(it) as unknown),
    ).toMatchObject([
      { cursor: 11, event: { incident: { kind: "stalled-sync" } } },
      { cursor: 12, event: { run: { state: "running" } } },
    ]);
  });

  test("ends when it is interrupted", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    expect(await stage.vigie("watch --after 12", { signal: stop.signal })).toMatchObject({ code: 0 });
  });

  test("tells at once when there is nobody to watch", async () => {
    const { code, err } = await stage.vigie("watch --server localhost:1");
    expect(code).toBe(5);
    expect(err).toContain("nothing listens there");
  });
});
