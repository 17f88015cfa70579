/** `vigie ca`, on real files. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("ca", () => {
  test("makes an authority once, and certificates that this very command line can use", async () => {
    const dir = join(stage.folder, "made");
    expect(await stage.vigie(`ca init --dir ${dir}`)).toMatchObject({ code: 0 });
    const again = await stage.vigie(`ca init --dir ${dir}`);
    expect(again.code).toBe(6);
    expect(again.err).toContain("ca.key exists and is not overwritten");
    const issued = await stage.vigie(`ca issue agent h2.example --dir ${dir} --out ${dir} --days 30 --json`);
    expect(JSON.parse(issued.out)).toEqual({
      certificate: join(dir, "agent-h2.example.pem"),
      key: join(dir, "agent-h2.example.key"),
    });
  });

  test("refuses a role and a name that are none, and a folder without an authority", async () => {
    expect(await stage.vigie("ca issue root eve")).toMatchObject({ code: 2 });
    expect(await stage.vigie(`ca issue agent H2 --dir ${stage.folder}`)).toMatchObject({ code: 2 });
    expect(await stage.vigie(`ca issue agent h2 --dir ${join(stage.folder, "none")}`)).toMatchObject({
      code: 3,
    });
  });
});
