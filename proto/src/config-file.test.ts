import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as classic from "zod";
import * as mini from "zod/mini";
import { configError, loadConfig, readConfigFile } from "./config-file.js";
import type { VigieError } from "./errors.js";

const CLASSIC = classic.strictObject({
  server: classic.string().regex(/^[^:]+:\d+$/, "host:port"),
  period_ms: classic.int().min(100).optional(),
  mode: classic.enum(["observe", "ask", "auto"]).default("ask"),
  tls: classic.strictObject({ key: classic.string(), depth: classic.int().optional() }),
  nodes: classic.array(classic.strictObject({ name: classic.string() })).default([]),
});
const MINI = mini.strictObject({
  server: mini.string().check(mini.regex(/^[^:]+:\d+$/, "host:port")),
  period_ms: mini.optional(mini.int().check(mini.minimum(100))),
  mode: mini._default(mini.enum(["observe", "ask", "auto"]), "ask"),
  tls: mini.strictObject({ key: mini.string(), depth: mini.optional(mini.int()) }),
  nodes: mini._default(mini.array(mini.strictObject({ name: mini.string() })), []),
});
const GOOD = 'server = "h1:7443"\n\n[tls]\nkey = "k.pem"\n';

describe.each([
  ["zod", CLASSIC],
  ["zod/mini", MINI],
] as const)("with a schema of %s", (_, schema) => {
  function messageOf(text: string): string {
    try {
      loadConfig(text, "vigie.toml", schema);
    } catch (error) {
      expect(error).toMatchObject({ name: "VigieError", code: "BAD_CONFIG" });
      return (error as VigieError).message;
    }
    return "accepted";
  }

  test("a good file gives its values and the defaults", () => {
    const config = loadConfig(GOOD, "vigie.toml", schema);
    expect(config).toEqual({ server: "h1:7443", mode: "ask", tls: { key: "k.pem" }, nodes: [] });
  });

  test.each([
    [
      "a mistyped key, although it also leaves one missing",
      'sever = "h1:7443"\n[tls]\nkey = "k"',
      "vigie.toml:1: sever: expected one of server, period_ms, mode, tls, nodes (did you mean server?), got an unknown key",
    ],
    [
      "an unknown key that resembles none",
      `${GOOD}wavelength = 3`,
      "vigie.toml:5: tls.wavelength: expected one of key, depth, got an unknown key",
    ],
    [
      "a missing key at the top",
      '# hello\n[tls]\nkey = "k"',
      "vigie.toml:1: server: expected a string, got nothing",
    ],
    [
      "a missing key in a table",
      'server = "a:1"\n\n[tls]\n',
      "vigie.toml:3: tls.key: expected a string, got nothing",
    ],
    ["a missing table", 'server = "a:1"\n', "vigie.toml:1: tls: expected a table, got nothing"],
    ["a bad type", `period_ms = "1"\n${GOOD}`, 'vigie.toml:1: period_ms: expected a number, got "1"'],
    [
      "a fraction",
      `period_ms = 100.5\n${GOOD}`,
      "vigie.toml:1: period_ms: expected a whole number, got 100.5",
    ],
    [
      "a number too small",
      `\nperiod_ms = 1\n${GOOD}`,
      "vigie.toml:2: period_ms: expected at least 100, got 1",
    ],
    [
      "a word outside the list",
      `mode = "Auto"\n${GOOD}`,
      'vigie.toml:1: mode: expected one of "observe", "ask", "auto", got "Auto"',
    ],
    [
      "a form with words of its own",
      GOOD.replace(":7443", ""),
      'vigie.toml:1: server: expected host:port, got "h1"',
    ],
    [
      "an item of a list of tables",
      `${GOOD}[[nodes]]\nname = "a"\n[[nodes]]\nname = 2`,
      "vigie.toml:8: nodes[1].name: expected a string, got 2",
    ],
    [
      "a syntax error",
      'server = "h1:7443\n',
      "vigie.toml:1: TOML: expected a well-formed document, got control characters are not allowed in strings",
    ],
    [
      "a key given twice",
      `${GOOD}key = "again"\n`,
      "vigie.toml:5: TOML: expected a well-formed document, got ",
    ],
  ])("%s is one line with file, line, key and what was expected", (_, text, message) => {
    expect(messageOf(text)).toContain(message);
    expect(messageOf(text)).not.toContain("\n");
  });
});

test("an object that is not strict refuses unknown keys all the same, a loose one does not", () => {
  const plain = classic.object({ a: classic.int() });
  expect(() => loadConfig("a = 1\nb = 2", "f", plain)).toThrow("f:2: b: expected one of a");
  const loose = classic.looseObject({ a: classic.int() });
  expect(loadConfig("a = 1\nb = 2", "f", loose)).toEqual({ a: 1, b: 2 });
  const record = classic.record(classic.string(), classic.strictObject({ x: classic.int() }));
  expect(() => loadConfig("[h1]\nx = 1\n[h2]\nx = 1\ny = 1", "f", record)).toThrow(
    "f:5: h2.y: expected one of x",
  );
});

test("a union names what each of its options expects", () => {
  const schema = classic.strictObject({ port: classic.union([classic.int(), classic.literal("auto")]) });
  expect(() => loadConfig("port = true", "f", schema)).toThrow(
    'f:1: port: expected a number or "auto", got true',
  );
});

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a file that is not there is named, with what to do", () => {
  const path = join(folder, "vigie.toml");
  expect(() => readConfigFile(path, MINI)).toThrow(`${path}: cannot be read: no such file; write it`);
  expect(() => readConfigFile(folder, MINI)).toThrow("it is a directory");
  writeFileSync(path, GOOD);
  expect(readConfigFile(path, MINI).tls.key).toBe("k.pem");
});

test("a value that only the world refuses is reported on its line too", () => {
  const path = join(folder, "other.toml");
  writeFileSync(path, GOOD);
  const error = configError(path, ["tls", "key"], "a readable file", "no such file");
  expect(error).toMatchObject({
    code: "BAD_CONFIG",
    message: `${path}:4: tls.key: expected a readable file, got no such file`,
  });
});
