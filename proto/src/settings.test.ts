import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { readConfigFile } from "./config-file.js";
import { createSettings, type Settings } from "./settings.js";

const schema = z.strictObject({
  node: z.string().optional(),
  state_dir: z.string().default("/var/lib/x"),
  log_level: z.enum(["debug", "info", "error"]).default("info"),
  kill_switch: z.string().default("/etc/x/stop"),
  tls: z.strictObject({ ca: z.string() }).default({ ca: "/etc/x/ca.pem" }),
});
type Config = z.infer<typeof schema>;

let folder: string;
let path: string;
let told: [string, Record<string, unknown>][];
let levels: string[];
let settings: Settings<Config>;

const write = (text: string): void => writeFileSync(path, text);
const read = (): Config => readConfigFile(path, schema);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-settings-"));
  path = join(folder, "x.toml");
  write('log_level = "info"\n');
  told = [];
  levels = [];
  settings = createSettings(read(), {
    read,
    atStart: ["node", "state_dir"],
    tell: (event, detail) => told.push([event, detail]),
    changed: ({ log_level }) => levels.push(log_level),
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what may change while the process runs does, and is told by its key", () => {
  write('log_level = "debug"\nkill_switch = "/etc/x/halt"\n[tls]\nca = "/x/ca.pem"\n');
  settings.reload();
  expect(told).toEqual([
    ["config.reloaded", { changed: ["log_level", "kill_switch", "tls"], needsRestart: [] }],
  ]);
  expect(levels).toEqual(["debug"]);
  expect(settings.now()).toMatchObject({ kill_switch: "/etc/x/halt", tls: { ca: "/x/ca.pem" } });
});

test("what the process is built on holds until the next start, and it is told that it needs one", () => {
  write('state_dir = "/elsewhere"\nnode = "h9"\n');
  settings.reload();
  expect(told).toEqual([["config.reloaded", { changed: [], needsRestart: ["node", "state_dir"] }]]);
  expect(settings.now()).toMatchObject({ state_dir: "/var/lib/x", node: undefined });
});

test.each([
  ["a mistyped key", 'log_level = "debug"\nkil_switch = "x"\n', /x\.toml:2: kil_switch: /],
  ["a word that is none", '\nlog_level = "loud"\n', /x\.toml:2: log_level: /],
  ["half a file", 'log_level = "deb', /x\.toml:1: TOML: /],
])("%s changes nothing, and its line is told", (_what, text, reason) => {
  const before = settings.now();
  write(text);
  settings.reload();
  expect(told).toEqual([["config.refused", { alarm: true, reason: expect.stringMatching(reason) }]]);
  expect(told[0]?.[1]["reason"]).toMatch(/the settings are as before$/);
  expect(settings.now()).toBe(before);
  expect(levels).toEqual([]);
});

test("a file that is gone changes nothing, and one that is mended counts again", () => {
  rmSync(path);
  settings.reload();
  write('log_level = "error"\n');
  settings.reload();
  expect(told.map(([event]) => event)).toEqual(["config.refused", "config.reloaded"]);
  expect(settings.now().log_level).toBe("error");
});
