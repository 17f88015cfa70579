import {
  ActionRequest,
  ActionResult,
  Hello,
  Observed,
  Report,
  Source,
  SourceReport,
  type Clock,
  type IdentityRole,
  type LogEnd,
  type SessionRequest,
  type SessionResponse,
} from "@vigie/proto";
import { beforeEach, describe, expect, test } from "vitest";
import { createGateway, type AgentSession, type Gateway } from "./gateway.js";

interface Agent {
  readonly session: AgentSession;
  readonly heard: SessionResponse[];
  closed: boolean;
}

let sleepers: (() => void)[];
let slept: number[]; // ms
let events: string[];
const AUDIT: LogEnd = { records: 9, head: "ab" };
let keep: () => Promise<LogEnd>;
let gateway: Gateway;

const clock: Clock = {
  monotonicMs: () => 0,
  wallUnixMs: () => 0,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      slept.push(ms);
      sleepers.push(resolve);
      signal?.addEventListener("abort", () => resolve());
    }),
};

beforeEach(() => {
  sleepers = [];
  slept = [];
  events = [];
  keep = async () => AUDIT;
  gateway = createGateway(clock, "h1", {
    hello: (node) => void events.push(`hello ${node}`),
    report: (node) => (events.push(`report ${node}`), keep()),
    gone: (node) => void events.push(`gone ${node}`),
  });
});

function connect(name: string, hello: Partial<Hello> | "silent" = {}, role: IdentityRole = "agent"): Agent {
  const agent = { heard: [] as SessionResponse[], closed: false };
  const session = gateway.accept(
    { role, name },
    { send: (message) => void agent.heard.push(message), close: () => void (agent.closed = true) },
  );
  const made = Object.assign(agent, { session });
  if (hello !== "silent")
    say(made, { $case: "hello", value: Hello.create({ protocolVersion: 2, node: name, ...hello }) });
  return made;
}

function say(agent: Agent, body: NonNullable<SessionRequest["body"]>): void {
  agent.session.receive({ body });
}

const kinds = ({ heard }: Agent): (string | undefined)[] => heard.map(({ body }) => body?.$case);
const report: NonNullable<SessionRequest["body"]> = {
  $case: "report",
  value: Report.create({ sequence: 7 }),
};

test("an agent that says hello is welcomed, and told who leads where somebody does", () => {
  expect(kinds(connect("h1"))).toEqual(["welcome"]);
  gateway.lead(5);
  expect(kinds(connect("h2"))).toEqual(["welcome", "lead"]);
  expect(events).toEqual(["hello h1", "hello h2"]);
});

describe("is refused, and nothing of it is taken:", () => {
  test.each<[string, () => Agent]>([
    ["a hello of another node than the certificate's (I16)", () => connect("h1", { node: "h2" })],
    ["another protocol (I40)", () => connect("h1", { protocolVersion: 1 })],
    ["a person's certificate", () => connect("anna", {}, "admin")],
    ["an orchestrator's certificate", () => connect("h1", {}, "orchestrator")],
  ])("%s", (_what, join) => {
    const agent = join();
    expect(kinds(agent)).toEqual(["refusal"]);
    expect(agent.closed).toBe(true);
    expect(events).toEqual([]);
  });

  test("a report before the hello", () => {
    const early = connect("h2", "silent");
    say(early, report);
    expect(kinds(early)).toEqual(["refusal"]);
    expect(events).toEqual([]);
  });
});

test("a report is acknowledged once what it changed is on disk", async () => {
  let kept: () => void = () => undefined;
  keep = () => new Promise((resolve) => (kept = () => resolve(AUDIT)));
  const agent = connect("h1");
  say(agent, report);
  await Promise.resolve();
  expect(kinds(agent)).toEqual(["welcome"]);
  kept();
  await new Promise((resolve) => setImmediate(resolve));
  expect(agent.heard.at(-1)?.body).toEqual({ $case: "ack", value: { sequence: 7, audit: AUDIT } });
});

test("a report that could not be kept is not acknowledged", async () => {
  keep = () => Promise.reject(new Error("disk full"));
  const agent = connect("h1");
  say(agent, report);
  await new Promise((resolve) => setImmediate(resolve));
  expect(kinds(agent)).toEqual(["welcome"]);
});

describe("of two sessions of one node the newer is the one", () => {
  test("the older is closed, and its last words count for nothing", () => {
    const older = connect("h1");
    const newer = connect("h1");
    expect([older.closed, newer.closed]).toEqual([true, false]);
    say(older, report);
    expect(events).toEqual(["hello h1", "hello h1"]);
  });

  test("the older one's end does not make the node gone", () => {
    const older = connect("h1");
    const newer = connect("h1");
    older.session.closed();
    expect(events).not.toContain("gone h1");
    newer.session.closed();
    expect(events).toContain("gone h1");
  });
});

describe("a question", () => {
  test("gets the answer that names it, of several that were asked at once", async () => {
    const agent = connect("h1");
    const [first, second] = [
      gateway.observe("h1", Source.PROC_DRBD),
      gateway.observe("h1", Source.LINK_CUTS),
    ];
    const ids = agent.heard.flatMap(({ body }) =>
      body?.$case === "observeNow" ? [body.value.requestId] : [],
    );
    for (const [at, requestId] of [...ids.entries()].toReversed()) {
      const source = at === 0 ? Source.PROC_DRBD : Source.LINK_CUTS;
      const value = Observed.create({ requestId, report: SourceReport.create({ source }) });
      say(agent, { $case: "observed", value });
    }
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ observed }) => observed.report?.source)).toEqual([
      Source.PROC_DRBD,
      Source.LINK_CUTS,
    ]);
  });

  test("to a node without a session is refused at once", async () => {
    await expect(gateway.observe("h9", Source.LVM)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(() => gateway.act(ActionRequest.create({ node: "h9" }), 1)).toThrow(/no session/);
  });

  test("that is not answered in time is over", async () => {
    connect("h1");
    const asked = gateway.observe("h1", Source.LVM);
    for (const wake of sleepers) wake();
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("that runs LVM's tools is waited for as long as the agent gives them", async () => {
    const agent = connect("h1");
    for (const source of [Source.PROC_DRBD, Source.LVM]) void gateway.observe("h1", source).catch(() => "");
    agent.session.closed();
    expect(slept.slice(-2)).toEqual([2_000, 21_000]);
  });

  test("whose session ends before the answer is of unknown effect", async () => {
    const agent = connect("h1");
    const asked = gateway.act(
      ActionRequest.create({ node: "h1", runId: "r-1", stepId: "cut-link", attempt: 1 }),
      9,
    );
    agent.session.closed();
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("about a key is not answered by another node's agent (I41)", async () => {
    const [h1, h2] = [connect("h1"), connect("h2")];
    const key = { runId: "r-1", stepId: "cut-link", attempt: 1 };
    let answered = "";
    const asked = gateway
      .act(ActionRequest.create({ node: "h1", ...key }), 9)
      .then(({ message }) => (answered = message));
    say(h2, { $case: "actionResult", value: ActionResult.create({ ...key, message: "forged" }) });
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe("");
    say(h1, { $case: "actionResult", value: ActionResult.create({ ...key, message: "true" }) });
    expect(await asked).toBe("true");
  });
});
