/** The whole command line: what is typed, what is printed, which exit code. Nothing is spawned. */
import { join } from "node:path";
import { IncidentVerb } from "@vigie/proto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, terminal, type Stage } from "./testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

describe("every subcommand prints what it was stage.asked for", () => {
  test.each([
    ["nodes", "h4.example  silent"],
    ["resources", "a-customer-with-a-long-name.hosting.example/1  unknown"],
    ["incidents", "i-01kax9  critical"],
    ["incident show i-01", "Evidence when it was opened"],
    ["incident ack i-01kaw3 --reason on-my-way", "acknowledged by laurent, at"],
    ["incident snooze i-01kaw3 --for 4h", "i-01kaw3"],
    ["incident wake i-01kaw3", "i-01kaw3"],
    ["maintenance begin h4 --for 2h --reason new-firmware", "h4.example is under maintenance until"],
    ["maintenance end h4", "The maintenance of h4.example is over."],
    ["maintenance list", "new firmware"],
    ["plan reset-stalled-sync web1.example/0", "vigie approve r-01kaxb --hash"],
    ["approve r-01kaxb --hash 9f2c", "cut-link is sent"],
    ["abort r-01kaxb --reason wrong", "aborted"],
    ["runs --open", "r-01kaxb  running"],
    [
      "do reset-stalled-sync web1 --yes --no-follow",
      "r-01kaxb has begun. See it live: vigie run follow r-01kaxb",
    ],
    ["instances", "web1.example   stalled"],
    ["instance show web1", "Ganeti wants it up"],
    ["runbook list", "rebuild-redundancy  [TARGET…] [AT_ONCE]"],
    ["runbook show reset-stalled-sync", "vigie do reset-stalled-sync INSTANCE [DISK]"],
    ["holders h2.example /dev/drbd45", "h2.example# kpartx -d /dev/drbd45"],
    ["notify", "pager    webhook"],
    ["notify test", "ops (mail) delivered"],
    ["locks", "pair h1.example h2.example  r-01kaxa"],
    ["stop --reason the-switch-is-replaced", "STOPPED."],
    ["run show r-01kaxb", "holds    peer report age: 0.9 s (I7)"],
    ["audit", "The hash chain is intact"],
    ["lead --reason h2-is-dead", "leads with epoch 8"],
  ])("vigie %s", async (line, text) => {
    const { code, out, err } = await stage.vigie(line);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(text);
  });

  test.each([
    ["status", "health"],
    ["nodes", "nodes"],
    ["resources", "resources"],
    ["incidents", "incidents"],
    ["incident show i-01", "incident"],
    ["incident ack i-01", "incident"],
    ["maintenance begin h4 --for 90min", "unaware_nodes"],
    ["maintenance end h4", "still_open"],
    ["maintenance list", "maintenances"],
    ["plan reset-stalled-sync web1.example", "plan"],
    ["approve r-01kaxb --hash 9f2c", "state"],
    ["abort r-01kaxb --reason wrong", "state"],
    ["runs", "runs"],
    ["instances", "instances"],
    ["instance show mail.example", "resources"],
    ["runbook list", "runbooks"],
    ["runbook show reset-stalled-sync", "explanation"],
    ["holders h2.example 45", "manual_commands"],
    ["notify", "channels"],
    ["notify test ops", "tests"],
    ["locks", "locks"],
    ["stop --reason x", "stopped"],
    ["run pause r-1", "progress"],
    ["run show r-01kaxb", "events"],
    ["audit", "audit_intact"],
    ["lead --reason h2-is-dead", "epoch"],
    ["completion bash", "script"],
  ])("vigie %s --json", async (line, key) => {
    const { out } = await stage.vigie(`${line} --json`);
    expect(JSON.parse(out)).toHaveProperty(key);
  });
});

test("what is typed reaches the orchestrator as it was meant", async () => {
  await stage.vigie("plan reset-stalled-sync web1.example/3");
  await stage.vigie("plan reset-stalled-sync --incident i-9");
  await stage.vigie("holders h2.example drbd45");
  await stage.vigie("stop --reason rack-2");
  await stage.vigie("abort r-1 --reason it-is-wrong");
  await stage.vigie("resources --node h1.example");
  await stage.vigie("audit --after 7 --limit 2");
  await stage.vigie("maintenance begin h4 --for 90min --reason firmware");
  await stage.vigie("maintenance end h4");
  await stage.vigie("incident snooze i-1 --for 2h");
  await stage.vigie("incident ack i-1 --reason mine");
  const looks = ["getStatus", "listRunbooks"];
  expect(stage.asked.filter((it) => !looks.includes(it.method)).map((it) => it.request)).toEqual([
    {
      runbook: "reset-stalled-sync",
      parameters: [
        { name: "instance", value: "web1.example" },
        { name: "disk", value: "3" },
      ],
      incidentId: "",
      dryRun: false,
    },
    { runbook: "reset-stalled-sync", parameters: [], incidentId: "i-9", dryRun: false },
    { node: "h2.example", minor: 45 },
    { stopped: true, reason: "rack-2" },
    { runId: "r-1", reason: "it-is-wrong" },
    { node: "h1.example", instance: "" },
    { afterSequence: 7, limit: 2, sinceUnixMs: 0 },
    { node: "h4", forMs: 5_400_000, reason: "firmware" },
    { node: "h4", reason: "" },
    { id: "i-1", verb: IncidentVerb.SNOOZE, forMs: 7_200_000, reason: "" },
    { id: "i-1", verb: IncidentVerb.ACKNOWLEDGE, forMs: 0, reason: "mine" },
  ]);
});

describe("bad usage is exit 2", () => {
  test.each([
    ["stauts", "Did you mean status?"],
    [
      "plan reset-stalled-sync",
      "needs instance (Ganeti's name of the instance): vigie do reset-stalled-sync",
    ],
    [
      "plan reset-stalled-sync web1 0 1",
      '"1" is one word too many: vigie do reset-stalled-sync INSTANCE [DISK]',
    ],
    ["plan reset-stalled-sync web1 --param dsk=1", "whose parameters are: instance, disk"],
    ["plan reset-stalled-sync web1 --incident i-9", "the parameters come from the incident"],
    ["abort r-1", "--reason"],
    ["runs --limit 0", "It must be a whole number from 1."],
    ["maintenance begin h4", "--for"],
    ["maintenance begin h4 --for 2", "It must be a time such as 90min, 2h or 1d."],
    ["incident snooze i-1 --for 0h", "It must be a time such as"],
    ["nodes --timeout soon", "It must be a number of seconds"],
    ["status --server nowhere", "is not host:port"],
    ["resources --health fine", "Allowed choices are ok"],
    ["notify tset", "too many arguments"],
    ["completion tcsh", "Allowed choices are bash, zsh, fish"],
    ["run", "Usage: vigie run"],
    ["holders h2.example sdb", "It must be the N of /dev/drbdN."],
    ["stop", "--reason"],
    ["do reset-stalled-sync", "needs instance"],
  ])("vigie %s", async (line, text) => {
    const { code, err } = await stage.vigie(line);
    expect(code).toBe(2);
    expect(err).toContain(text);
  });
});

describe("what there is not is exit 3, with the nearest that there is", () => {
  test.each([
    ["do reset-staled-sync web1", "did you mean reset-stalled-sync?"],
    ["runbook show rebuild-redundanzy", "did you mean rebuild-redundancy?"],
    ["instance show web1.exampel", "did you mean web1.example?"],
  ])("vigie %s", async (line, text) => {
    const { code, err } = await stage.vigie(line);
    expect(code).toBe(3);
    expect(err).toContain(text);
  });
});

test("vigie go that does not take hold exits 1", async () => {
  expect(await stage.vigie("go --reason x")).toMatchObject({ code: 1 }); // the server says that it is still stopped
});

test("help is on stdout, exits 0, and documents the exit codes and the JSON", async () => {
  const { code, out } = await stage.vigie("--help");
  expect(code).toBe(0);
  expect(out).toContain("10  vigie status only");
  expect(out).toContain("out_of_sync_kib");
});

describe("colours", () => {
  test.each([
    ["on a terminal", "nodes", terminal(""), true],
    ["on a pipe", "nodes", {}, false],
    ["with --no-color", "nodes --no-color", terminal(""), false],
  ])("%s", async (_, line, io, wanted) => {
    expect((await stage.vigie(line, io)).out.includes("\u001b[32m")).toBe(wanted);
  });

  test("with NO_COLOR", async () => {
    const env = { VIGIE_CONFIG: join(stage.folder, "vigie.toml"), NO_COLOR: "1" };
    expect((await stage.vigie("nodes", { ...terminal(""), env })).out).not.toContain("\u001b");
  });
});
