import { loadConfig } from "@vigie/proto";
import { expect, test } from "vitest";
import { agentConfigSchema } from "./config.js";

const load = (text: string) => loadConfig(text, "agent.toml", agentConfigSchema);

test("an empty file is a whole configuration", () => {
  expect(load("")).toMatchObject({
    state_dir: "/var/lib/vigie/agent",
    orchestrator_port: 7443,
    kill_switch: "/etc/vigie/stop",
    tls: { key: "/etc/vigie/tls/agent.key" },
  });
});

test.each([
  ["kil_switch = '/tmp/stop'", /^agent\.toml:1: kil_switch: .*kill_switch/],
  [
    "\norchestrator_port = '7443'",
    /^agent\.toml:2: orchestrator_port: expected a (?:whole )?number, got "7443"/,
  ],
  ["orchestrator_port = 0", /^agent\.toml:1: orchestrator_port: expected at least 1/],
  ["log_level = 'loud'", /^agent\.toml:1: log_level: expected one of "debug"/],
  ["[tls]\nkeyfile = 'k'", /^agent\.toml:2: tls\.keyfile: /],
  ["port = ", /^agent\.toml:1: TOML: /],
])("%j is refused, with the line, the key and what was expected", (text, message) => {
  expect(() => load(text)).toThrow(message);
});
