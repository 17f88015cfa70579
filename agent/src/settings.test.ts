import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfigFile } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { agentConfigSchema, type AgentConfig } from "./config.js";
import { createSettings, type Settings } from "./settings.js";

let folder: string;
let path: string;
let told: [string, Record<string, unknown>][];
let levels: string[];
let settings: Settings;

const write = (text: string): void => writeFileSync(path, text);
const read = (): AgentConfig => readConfigFile(path, agentConfigSchema);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-settings-"));
  path = join(folder, "agent.toml");
  write('log_level = "info"\n');
  told = [];
  levels = [];
  settings = createSettings(
    read(),
    read,
    (event, detail) => told.push([event, detail]),
    ({ log_level }) => levels.push(log_level),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what may change while the agent runs does, and is told by its key", () => {
  write(
    'log_level = "debug"\nkill_switch = "/etc/vigie/halt"\norchestrator_port = 7444\n[tls]\nca = "/x/ca.pem"\n',
  );
  settings.reload();
  expect(told).toEqual([
    [
      "config.reloaded",
      { changed: ["orchestrator_port", "kill_switch", "log_level", "tls"], needsRestart: [] },
    ],
  ]);
  expect(levels).toEqual(["debug"]);
  expect(settings.now()).toMatchObject({ kill_switch: "/etc/vigie/halt", tls: { ca: "/x/ca.pem" } });
});

test("the journal's folder and the node's name hold until the next start, and it is told that they need one", () => {
  write('state_dir = "/elsewhere"\nnode = "h9"\n');
  settings.reload();
  expect(told).toEqual([["config.reloaded", { changed: [], needsRestart: ["node", "state_dir"] }]]);
  expect(settings.now()).toMatchObject({ state_dir: "/var/lib/vigie/agent", node: undefined });
});

test.each([
  ["a mistyped key", 'log_level = "debug"\nkil_switch = "x"\n', /agent\.toml:2: kil_switch: /],
  ["a word that is none", '\nlog_level = "loud"\n', /agent\.toml:2: log_level: /],
  ["half a file", 'log_level = "deb', /agent\.toml:1: TOML: /],
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
