/** A wrong configuration is one line and exit code 2. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("a wrong configuration is exit 2 and one line", () => {
  test.each([
    ["an unknown key", { colour: "red" }, ":5: colour: expected one of server, ca, certificate, key"],
    ["a server without a port", { server: "h1" }, ':1: server: expected host:port, got "h1"'],
    [
      "a file that is not there",
      { key: "none.key" },
      ":4: key: expected a readable file, got no such file: ",
    ],
    ["a file that is no PEM", { ca: "vigie.toml" }, ":2: ca: expected a PEM file, got "],
  ])("%s", async (_, changes, message) => {
    const path = stage.config("bad.toml", changes);
    const { code, err } = await stage.vigie(`status --config ${path}`);
    expect(code).toBe(2);
    expect(err).toContain(`vigie: ${path}${message}`);
    expect(err.trimEnd()).not.toContain("\n");
  });

  test("a key of another certificate", async () => {
    const path = stage.config("pair.toml", { key: "orchestrator.key" });
    const { code, err } = await stage.vigie(`status --config ${path}`);
    expect(code).toBe(2);
    expect(err).toBe(
      `vigie: ${path}:4: key: expected the private key of \`certificate\`, got another one, or a damaged file: orchestrator.key\n`,
    );
  });

  test("no configuration at all", async () => {
    const { code, err } = await stage.vigie("status", {
      env: { VIGIE_CONFIG: join(stage.folder, "none.toml") },
    });
    expect(code).toBe(2);
    expect(err).toContain("none.toml: cannot be read: no such file");
  });
});
