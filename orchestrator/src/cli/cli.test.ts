/**
 * The whole command line against a real grpc-js server on loopback, with real certificates: what is typed, what is
 * printed, which exit code. Nothing is spawned.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import {
  Metadata,
  Server,
  ServerCredentials,
  status as grpcStatus,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import {
  GetStatusResponse,
  OrchestratorServiceService,
  RunState,
  type VigieErrorCode,
  type WatchRequest,
} from "@vigie/proto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, issueCertificate, type Authority } from "../ca/authority.js";
import { writeKeyPair } from "../ca/files.js";
import { runCli } from "./cli.js";
import { CODE_KEY } from "./failure.js";
import type { Io } from "./io.js";
import * as sample from "./samples.js";

type Answers = Partial<Record<keyof typeof OrchestratorServiceService, (request: never) => unknown>>;

class Refusal extends Error {
  constructor(
    readonly status: grpcStatus,
    readonly code: VigieErrorCode | undefined,
    message: string,
  ) {
    super(message);
  }
}

let folder: string;
let authority: Authority;
let server: Server | undefined;
let port: number;
let asked: { method: string; request: unknown }[];
let answers: Answers;

const NEVER = Symbol("no answer");

const HAPPY: Answers = {
  getStatus: () => sample.STATUS,
  listNodes: () => sample.NODES,
  listResources: () => sample.RESOURCES,
  listInstances: () => ({ instances: [] }),
  listIncidents: () => ({ incidents: [sample.INCIDENT, sample.SILENT] }),
  getIncident: () => sample.INCIDENT_SHOWN,
  planRun: () => ({ run: sample.PLANNED }),
  approveRun: () => ({ run: sample.RUN }),
  abortRun: () => ({ run: { ...sample.RUN, state: RunState.ABORTED } }),
  listRuns: () => ({ runs: [{ ...sample.RUN, events: [] }] }),
  getRun: () => ({ run: sample.RUN }),
  listAudit: () => ({ records: [] }),
  confirmLeadership: () => ({
    leadership: { leads: true, epoch: 8, votes: 1, voters: 2, reason: "confirmed by laurent" },
  }),
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-cli-"));
  authority = await createAuthority();
  writeKeyPair(folder, "ca", authority);
  await issue("orchestrator", "localhost");
  await issue("operator", "laurent");
  await listen();
  config("vigie.toml", {});
});
afterAll(() => {
  server?.forceShutdown();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  answers = { ...HAPPY };
});
afterEach(() => expect(process.exitCode).toBeUndefined());

async function issue(
  role: "orchestrator" | "operator",
  name: string,
  by = authority,
  base = role,
): Promise<void> {
  writeKeyPair(folder, base, await issueCertificate(by, { role, name, days: 1 }));
}

/** Paths are relative to the file's own folder. */
function config(name: string, changes: Record<string, string>): string {
  const values = {
    server: `localhost:${port}`,
    ca: "ca.pem",
    certificate: "operator.pem",
    key: "operator.key",
    ...changes,
  };
  const text = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  const path = join(folder, name);
  writeFileSync(path, text.join(""));
  return path;
}

async function listen(at = 0, names = "orchestrator"): Promise<void> {
  server = new Server();
  const handlers = Object.keys(OrchestratorServiceService).map(
    (method) => [method, handlerFor(method)] as const,
  );
  server.addService(OrchestratorServiceService, Object.fromEntries(handlers));
  const pairs = [{ cert_chain: readFileIn(`${names}.pem`), private_key: readFileIn(`${names}.key`) }];
  const credentials = ServerCredentials.createSsl(readFileIn("ca.pem"), pairs, true);
  port = await new Promise<number>((resolve, reject) => {
    server?.bindAsync(`127.0.0.1:${at}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

function readFileIn(name: string): Buffer {
  return readFileSync(join(folder, name));
}

function handlerFor(method: string): UntypedHandleCall {
  if (method === "watch") return watchHandler as UntypedHandleCall;
  const handler = (
    call: { request: unknown },
    callback: (error: unknown, response?: unknown) => void,
  ): void => {
    asked.push({ method, request: call.request });
    try {
      const response = answers[method as keyof Answers]?.(call.request as never);
      if (response !== NEVER) callback(null, response);
    } catch (error) {
      callback(asGrpcError(error));
    }
  };
  return handler as unknown as UntypedHandleCall;
}

function asGrpcError(error: unknown): object {
  const refusal = error as Refusal;
  const metadata = new Metadata();
  if (refusal.code !== undefined) metadata.set(CODE_KEY, refusal.code);
  return { code: refusal.status, details: refusal.message, metadata };
}

/** Sends the events after the cursor, two at a time, and then breaks the stream: the client must resume. */
function watchHandler(call: {
  request: WatchRequest;
  write: (it: unknown) => void;
  emit: (event: "error", error: object) => void;
}): void {
  asked.push({ method: "watch", request: call.request });
  const rest = sample.EVENTS.filter((it) => it.cursor > (call.request.afterCursor ?? 0));
  for (const event of rest.slice(0, 2)) call.write(event);
  const broken = { code: grpcStatus.UNAVAILABLE, details: "the orchestrator restarts" };
  setTimeout(() => call.emit("error", broken), 50);
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function vigie(line: string, over: Partial<Io> = {}): Promise<Outcome> {
  const written = { out: "", err: "" };
  const io: Io = {
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    stdin: new PassThrough(),
    env: { VIGIE_CONFIG: join(folder, "vigie.toml") },
    isTTY: false,
    columns: undefined,
    now: () => sample.NOW,
    ...over,
  };
  const code = await runCli(
    line.split(" ").filter((it) => it !== ""),
    io,
  );
  return { code, ...written };
}

/** A person at a terminal who types this. */
function terminal(typed: string): Partial<Io> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(typed);
  return { stdin, isTTY: true, columns: 100 };
}

describe("every subcommand prints what it was asked for", () => {
  test.each([
    ["nodes", "h4.example  silent"],
    ["resources", "a-customer-with-a-long-name.hosting.example/1  unknown"],
    ["incidents", "i-01kax9  critical"],
    ["incident show i-01", "Evidence when it was opened"],
    ["plan reset-stalled-sync web1.example/0", "vigie approve r-01kaxb --hash"],
    ["approve r-01kaxb --hash 9f2c", "cut-link is sent"],
    ["abort r-01kaxb --reason wrong", "aborted"],
    ["runs --open", "r-01kaxb  running"],
    ["run show r-01kaxb", "holds    peer report age: 0.9 s (I7)"],
    ["audit", "The hash chain is intact"],
    ["lead --reason h2-is-dead", "leads with epoch 8"],
  ])("vigie %s", async (line, text) => {
    const { code, out, err } = await vigie(line);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(text);
  });

  test.each([
    ["status", "health"],
    ["nodes", "nodes"],
    ["resources", "resources"],
    ["incidents", "incidents"],
    ["incident show i-01", "incident"],
    ["plan reset-stalled-sync web1.example", "plan"],
    ["approve r-01kaxb --hash 9f2c", "state"],
    ["abort r-01kaxb --reason wrong", "state"],
    ["runs", "runs"],
    ["run show r-01kaxb", "events"],
    ["audit", "audit_intact"],
    ["lead --reason h2-is-dead", "epoch"],
    ["completion bash", "script"],
  ])("vigie %s --json", async (line, key) => {
    const { out } = await vigie(`${line} --json`);
    expect(JSON.parse(out)).toHaveProperty(key);
  });
});

test("what is typed reaches the orchestrator as it was meant", async () => {
  await vigie("plan reset-stalled-sync web1.example/3");
  await vigie("plan reset-stalled-sync --incident i-9");
  await vigie("abort r-1 --reason it-is-wrong");
  await vigie("resources --node h1.example");
  await vigie("audit --after 7 --limit 2");
  expect(asked.filter((it) => it.method !== "getStatus").map((it) => it.request)).toEqual([
    { runbook: "reset-stalled-sync", instance: "web1.example", diskIndex: 3, incidentId: "" },
    { runbook: "reset-stalled-sync", instance: "", diskIndex: 0, incidentId: "i-9" },
    { runId: "r-1", reason: "it-is-wrong" },
    { node: "h1.example", instance: "" },
    { afterSequence: 7, limit: 2 },
  ]);
});

describe("status", () => {
  test("exits 10 while something is wrong", async () => {
    const { code, out } = await vigie("status");
    expect(code).toBe(10);
    expect(out).toContain("running, step 2 of 4: both ends notice");
  });

  test("exits 0 when all is well", async () => {
    answers = {
      ...HAPPY,
      getStatus: () =>
        GetStatusResponse.fromPartial({ cluster: "c", auditIntact: true, leadership: { leads: true } }),
      listResources: () => ({ resources: [] }),
      listIncidents: () => ({ incidents: [] }),
      listRuns: () => ({ runs: [] }),
    };
    const { code, out } = await vigie("status");
    expect(code).toBe(0);
    expect(out).toContain("Nothing to do.");
  });

  test("a disk of which nothing is known is enough for 10", async () => {
    answers = {
      ...HAPPY,
      getStatus: () => GetStatusResponse.fromPartial({ auditIntact: true }),
      listIncidents: () => ({ incidents: [] }),
    };
    expect((await vigie("status")).code).toBe(10);
  });
});

describe("approve", () => {
  test("shows the plan and runs it after y, by the hash that was shown", async () => {
    const { code, out } = await vigie("approve r-01kaxb", terminal("y\n"));
    expect(code).toBe(0);
    expect(out).toMatch(/ipset add vigie-cuts[^]*Run this now on h1.example\? \[y\/N\]/);
    expect(asked.at(-1)).toEqual({
      method: "approveRun",
      request: { runId: "r-01kaxb", planHash: sample.PLAN.hash },
    });
  });

  test.each(["\n", "n\n", "yess\n", ""])("%j is no", async (typed) => {
    const { code, out } = await vigie("approve r-01kaxb", terminal(typed));
    expect(code).toBe(1);
    expect(out).toContain("Not approved; nothing was run.");
    expect(asked.map((it) => it.method)).toEqual(["getRun"]);
  });

  test("without a terminal and without a hash nothing is asked of anybody", async () => {
    const { code, err } = await vigie("approve r-01kaxb");
    expect(code).toBe(2);
    expect(err).toContain("without --hash this asks a person, and there is no terminal");
    expect(asked).toEqual([]);
  });

  test("a plan with refusals is not asked about", async () => {
    answers.getRun = () => ({ run: sample.REFUSED });
    const { code, out } = await vigie("approve r-01kaxb", terminal("y\n"));
    expect(code).toBe(6);
    expect(out).not.toContain("[y/N]");
  });
});

test("a plan that cannot be run exits 6, and is shown all the same", async () => {
  answers.planRun = () => ({ run: sample.REFUSED });
  const { code, out } = await vigie("plan reset-stalled-sync web1.example/0");
  expect(code).toBe(6);
  expect(out).toContain("h2.example's report is 3.1 s old");
});

test("a broken audit chain exits 1", async () => {
  answers.getStatus = () => ({ ...sample.STATUS, auditIntact: false });
  expect(await vigie("audit")).toMatchObject({ code: 1 });
});

describe("watch", () => {
  test("goes on after a broken stream at the cursor, misses nothing and repeats nothing", async () => {
    const { code, out, err } = await vigie("watch --after 10 --count 4");
    expect(code).toBe(0);
    expect(out.match(/incident|run |node|leadership/g)).toEqual(["incident", "run ", "node", "leadership"]);
    expect(err).toContain("the orchestrator restarts; trying again");
    const watches = asked.filter((it) => it.method === "watch");
    expect(watches.map((it) => it.request)).toEqual([{ afterCursor: 10 }, { afterCursor: 12 }]);
  });

  test("prints one JSON object a line", async () => {
    const { out } = await vigie("watch --after 10 --count 2 --json");
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
    expect(await vigie("watch --after 12", { signal: stop.signal })).toMatchObject({ code: 0 });
  });

  test("tells at once when there is nobody to watch", async () => {
    const { code, err } = await vigie("watch --server localhost:1");
    expect(code).toBe(5);
    expect(err).toContain("nothing listens there");
  });
});

describe("what the orchestrator refuses", () => {
  test.each([
    ["NOT_FOUND", grpcStatus.NOT_FOUND, 3],
    ["PERMISSION_DENIED", grpcStatus.PERMISSION_DENIED, 4],
    ["GUARD_REFUSED", grpcStatus.FAILED_PRECONDITION, 6],
    ["NOT_LEADING", grpcStatus.FAILED_PRECONDITION, 6],
    ["CONFLICT", grpcStatus.ABORTED, 6],
    ["PLAN_CHANGED", grpcStatus.FAILED_PRECONDITION, 6],
    ["INVALID_ARGUMENT", grpcStatus.INVALID_ARGUMENT, 2],
    ["VERIFY_FAILED", grpcStatus.INTERNAL, 1],
  ] as const)("%s has its exit code, its message, and --json says it too", async (code, status, exit) => {
    answers.approveRun = () => {
      throw new Refusal(status, code, "the run r-1 is what it is");
    };
    const plain = await vigie("approve r-1 --hash x");
    expect(plain.code).toBe(exit);
    expect(plain.err).toMatch(/^vigie: the run r-1 is what it is\n/);
    const json = await vigie("approve r-1 --hash x --json");
    expect(JSON.parse(json.err)).toMatchObject({
      error: { code, message: "the run r-1 is what it is", exit_code: exit },
    });
  });

  test("a refusal without Vigie's own code is judged by its gRPC status", async () => {
    answers.getRun = () => {
      throw new Refusal(grpcStatus.UNAUTHENTICATED, undefined, "who are you\u001b[2J");
    };
    const { code, err } = await vigie("run show r-1");
    expect(code).toBe(4);
    expect(err).not.toContain("\u001b");
  });

  test("an answer that does not come in time is exit 5", async () => {
    answers.listNodes = () => NEVER;
    const { code, err } = await vigie("nodes --timeout 0.3");
    expect(code).toBe(5);
    expect(err).toContain("did not answer within 0.3 s");
  });
});

describe("who is at the other end", () => {
  test("nobody is exit 5, and says what to do", async () => {
    const { code, err } = await vigie("status --server localhost:1");
    expect(code).toBe(5);
    expect(err).toMatch(/^vigie: the orchestrator at localhost:1 cannot be reached: nothing listens there/);
    expect(err).toContain("next: is it running? systemctl status vigie-orchestrator");
  });

  test("an orchestrator of another name is not believed", async () => {
    const { code, err } = await vigie(`status --server 127.0.0.1:${port}`);
    expect(code).toBe(5);
    expect(err).toContain("its certificate is another host's");
  });

  test("an orchestrator of another authority is not believed", async () => {
    const other = await createAuthority();
    writeKeyPair(folder, "other-ca", other);
    const { code, err } = await vigie(`status --config ${config("other.toml", { ca: "other-ca.pem" })}`);
    expect(code).toBe(5);
    expect(err).toContain("its certificate is not of the authority in `ca`");
  });

  test("a certificate of another authority is refused by the server", async () => {
    await issue("operator", "eve", await createAuthority(), "eve" as "operator");
    const { code, err } = await vigie(
      `status --config ${config("eve.toml", { certificate: "eve.pem", key: "eve.key" })}`,
    );
    expect(code).toBe(5);
    expect(err).toMatch(/refused your certificate|may not be of its authority/);
  });
});

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
    const path = config("bad.toml", changes);
    const { code, err } = await vigie(`status --config ${path}`);
    expect(code).toBe(2);
    expect(err).toContain(`vigie: ${path}${message}`);
    expect(err.trimEnd()).not.toContain("\n");
  });

  test("a key of another certificate", async () => {
    const path = config("pair.toml", { key: "orchestrator.key" });
    expect(await vigie(`status --config ${path}`)).toMatchObject({ code: 2, out: "" });
  });

  test("no configuration at all", async () => {
    const { code, err } = await vigie("status", { env: { VIGIE_CONFIG: join(folder, "none.toml") } });
    expect(code).toBe(2);
    expect(err).toContain("none.toml: cannot be read: no such file");
  });
});

describe("bad usage is exit 2", () => {
  test.each([
    ["stauts", "Did you mean status?"],
    ["plan reset-stalled-sync", "name either INSTANCE[/DISK] or --incident ID"],
    ["plan reset-stalled-sync web1/0/1", "is not INSTANCE or INSTANCE/DISK"],
    ["abort r-1", "--reason"],
    ["runs --limit 0", "It must be a whole number from 1."],
    ["nodes --timeout soon", "It must be a number of seconds"],
    ["status --server nowhere", "is not host:port"],
    ["resources --health fine", "Allowed choices are ok"],
    ["completion tcsh", "Allowed choices are bash, zsh, fish"],
    ["run", "Usage: vigie run"],
  ])("vigie %s", async (line, text) => {
    const { code, err } = await vigie(line);
    expect(code).toBe(2);
    expect(err).toContain(text);
  });
});

test("help is on stdout, exits 0, and documents the exit codes and the JSON", async () => {
  const { code, out } = await vigie("--help");
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
    expect((await vigie(line, io)).out.includes("\u001b[32m")).toBe(wanted);
  });

  test("with NO_COLOR", async () => {
    const env = { VIGIE_CONFIG: join(folder, "vigie.toml"), NO_COLOR: "1" };
    expect((await vigie("nodes", { ...terminal(""), env })).out).not.toContain("\u001b");
  });
});

describe("ca", () => {
  test("makes an authority once, and certificates that this very command line can use", async () => {
    const dir = join(folder, "made");
    expect(await vigie(`ca init --dir ${dir}`)).toMatchObject({ code: 0 });
    const again = await vigie(`ca init --dir ${dir}`);
    expect(again.code).toBe(6);
    expect(again.err).toContain("ca.key exists and is not overwritten");
    const issued = await vigie(`ca issue agent h2.example --dir ${dir} --out ${dir} --days 30 --json`);
    expect(JSON.parse(issued.out)).toEqual({
      certificate: join(dir, "agent-h2.example.pem"),
      key: join(dir, "agent-h2.example.key"),
    });
  });

  test("refuses a role and a name that are none, and a folder without an authority", async () => {
    expect(await vigie("ca issue root eve")).toMatchObject({ code: 2 });
    expect(await vigie(`ca issue agent H2 --dir ${folder}`)).toMatchObject({ code: 2 });
    expect(await vigie(`ca issue agent h2 --dir ${join(folder, "none")}`)).toMatchObject({ code: 3 });
  });
});
