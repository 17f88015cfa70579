import { loadConfig } from "@vigie/proto";
import { expect, test } from "vitest";
import { orchestratorConfigSchema } from "./config.js";

const load = (text: string) => loadConfig(text, "o.toml", orchestratorConfigSchema);

test("an empty file is a whole configuration, with every limit at its safe figure", () => {
  expect(load("")).toMatchObject({
    listen: "0.0.0.0:7443",
    policy: { stalled_sync: "auto", split_brain: "observe", per_node_every_s: 300, per_cluster_per_hour: 3 },
    detect: { stall_after_s: 7, silent_after_s: 5 },
    cut: { ttl_s: 30 },
    keep: {
      runs_days: 400,
      incidents_days: 400,
      events_days: 30,
      audit_in_store_days: 90,
      incident_lines: 200,
    },
    notify: [],
  });
});

test.each([
  ["[policy]\nstaled_sync = 'auto'", /^o\.toml:2: policy\.staled_sync: .*stalled_sync/],
  [
    "[policy]\nstalled_sync = 'yes'",
    /^o\.toml:2: policy\.stalled_sync: expected one of "observe", "ask", "auto"/,
  ],
  ["[policy]\nper_node_every_s = 1", /^o\.toml:2: policy\.per_node_every_s: expected at least 60/],
  ["[policy]\nper_cluster_per_hour = 100", /per_cluster_per_hour: expected at most 20/],
  [
    "[policy]\nper_resource_every_s = 700000\n[keep]\nruns_days = 7",
    /^o\.toml:2: policy\.per_resource_every_s: expected at most keep\.runs_days, in seconds/,
  ],
  ["[cut]\nttl_s = 61", /^o\.toml:2: cut\.ttl_s: expected at most 60/],
  ["[cut]\nttl_s = 5", /^o\.toml:2: cut\.ttl_s: expected at least 18/],
  ["[detect]\nstall_after_s = 4", /stall_after_s: expected at least 5/],
  [
    "[[notify]]\nname = 'a'\ntype = 'mial'",
    /^o\.toml:3: notify\[0\]\.type: expected one of "webhook", "mail"/,
  ],
  ["[[notify]]\nname = 'a'\ntype = 'mail'\nto = ['a@b']\nhots = 'x'", /^o\.toml:5: .*did you mean host\?/],
  [
    "[[notify]]\nname = 'a'\ntype = 'mail'\nto = ['a@b']\nquiet = ['22-6']",
    /quiet\[0\]: expected a window in UTC/,
  ],
  [
    "[[notify]]\nname = 'a'\ntype = 'mail'\nto = ['a@b']\nuser = 'v'",
    /user and password_file together, or neither/,
  ],
  [
    "[[notify]]\nname = 'a'\ntype = 'mail'\nto = ['a@b']\nuser = 'v'\npassword_file = '/p'",
    /tls: expected "starttls" or "implicit", for a password is sent/,
  ],
  [
    "[[notify]]\nname = 'a'\ntype = 'webhook'\nurl = 'https://u:p@h/'\nsecret_file = '/s'",
    /url: expected http:\/\/ or https:\/\/, without a user/,
  ],
  [
    "[[notify]]\nname = 'a'\ntype = 'mail'\nto = ['a@b']\n[[notify]]\nname = 'a'\ntype = 'alertmanager'\nurl = 'http://a'",
    /a name of its own for each/,
  ],
  ["listen = 'h1'", /^o\.toml:1: listen: /],
])("%j is refused, with the line, the key and what was expected", (text, message) => {
  expect(() => load(text)).toThrow(message);
});
