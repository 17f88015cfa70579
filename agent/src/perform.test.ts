import { ActionOutcome, ConnectionState, Role, type ActionRequest } from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command } from "./host.js";
import { REAL_DISK } from "./journal-disk.js";
import { openJournal } from "./journal.js";
import type { Caller } from "./task.js";
import { cutRequest, performStage, restoreRequest, type PerformStage } from "./testing.js";

let stage: PerformStage;
beforeEach(() => (stage = performStage()));
afterEach(() => stage.end());

const { DONE, ALREADY_SO, REFUSED, FAILED, UNKNOWN } = ActionOutcome;
const isNew = ({ args }: Command): boolean => args.includes("-N");
const CUT = "write +10.0.0.2";

/** A request that was refused before anything was written or run. */
async function refused(request: ActionRequest, code: string): Promise<string> {
  const result = await stage.perform(request);
  expect(result).toMatchObject({ outcome: REFUSED, code });
  expect(stage.ran).toEqual([]);
  expect(stage.happened).not.toContain("intent");
  return result.message;
}

test("a cut is guarded, written down, run, looked at, and written down again, in this order (I14, I22)", async () => {
  expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE, code: "" });
  expect(stage.happened.filter((what) => !/^run -[SC]$/.test(what))).toEqual([
    "epoch",
    "look at the cuts",
    "look at the minor",
    "intent",
    "run -N",
    "run -F",
    ...Array.from({ length: 6 }, () => "run -A"),
    "run -I",
    "run -I",
    "look at the cuts",
    "look at the minor",
    CUT,
    "run -K",
    "look at the cuts",
    "result",
  ]);
});

test("the result shows every fact of the guard and every command that changed something", async () => {
  const { guard, commands } = await stage.perform(cutRequest());
  expect(guard.map(({ name }) => name)).toContain("own still");
  expect(commands.map(({ argv }) => argv[0])).toEqual([
    ...Array.from({ length: 10 }, () => "/usr/sbin/iptables"),
    "echo",
    "/usr/bin/ss",
  ]);
  expect(commands.at(-2)?.argv.join(" ")).toBe(
    "echo +10.0.0.2 > /proc/net/xt_recent/vigie-cut,10.0.0.2,11018,30,r-1",
  );
});

test("rules that are there already, as after a step that was too late, are not made twice", async () => {
  stage.world.looking = async () => void (stage.world.nowMs += stage.ran.some(isNew) ? 2_001 : 0);
  expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code: "TOO_LATE" });
  expect(stage.happened).not.toContain(CUT);
  stage.world.looking = () => Promise.resolve();
  stage.ran.length = 0;
  expect(await stage.perform(cutRequest({ attempt: 2 }), soon(stage))).toMatchObject({ outcome: DONE });
  expect(stage.ran.map(({ file }) => file)).toEqual(["/usr/bin/ss"]);
});

test("rules that another run left on this link are made anew: the kernel has a list only where a rule names it", async () => {
  const { own } = stage.world;
  let left = false;
  stage.world.run = ({ args }) => {
    if (args.includes("-I") && !left)
      stage.world.own = { ...own!, role: Role.SECONDARY, peerRole: Role.SECONDARY };
    left ||= args.includes("-I");
    return undefined;
  };
  expect(await stage.perform(cutRequest({ runId: "r-1" }))).toMatchObject({ outcome: REFUSED });
  stage.world.own = own;
  expect(await stage.perform(cutRequest({ runId: "r-2" }))).toMatchObject({ outcome: DONE });
});

test("a site's ACCEPT that got above the cut's rules refuses it: the cut would be none", async () => {
  stage.world.run = ({ args }) =>
    args.includes("-S") && args.includes("INPUT")
      ? { stdout: "-P INPUT DROP\n-A INPUT -i eth1 -j ACCEPT\n-A INPUT -j VIGIE-CUT-11018\n" }
      : undefined;
  const result = await stage.perform(cutRequest());
  expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
  expect(result.message).toBe("the cut in INPUT is behind -A INPUT -i eth1 -j ACCEPT");
  expect(stage.happened).not.toContain(CUT);
});

test("a guard that refuses for what is not known now says so with its fact: it may be asked again (I11)", async () => {
  stage.world.own = undefined;
  const result = await stage.perform(cutRequest());
  expect(result).toMatchObject({
    outcome: REFUSED,
    code: "NOT_KNOWN_YET",
    message: "own minor is damaged (I11)",
  });
  expect(stage.ran).toEqual([]);
  expect(stage.happened.at(-1)).toBe("result");
});

test("a cut that the kernel does not list afterwards has failed, whatever the exit codes said (F5)", async () => {
  stage.world.write = () => Promise.resolve();
  expect(await stage.perform(cutRequest())).toMatchObject({ outcome: FAILED, code: "VERIFY_FAILED" });
});

test("the first command that fails is the last that is run", async () => {
  stage.world.run = ({ args }) =>
    args.includes("-N") ? { exitCode: 4, stderr: "xtables lock held" } : undefined;
  const result = await stage.perform(cutRequest());
  expect(result).toMatchObject({ outcome: FAILED, code: "COMMAND_FAILED" });
  expect(result.message).toContain("xtables lock held");
  expect(stage.ran.at(-1)?.args).toContain("-N");
});

test("a command that crashes leaves its effect unknown, and the answer names the signal (I11)", async () => {
  stage.world.run = (command) =>
    isNew(command) ? { end: "signalled", exitCode: -1, signal: "SIGSEGV" } : undefined;
  const result = await stage.perform(cutRequest());
  expect(result).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_FAILED" });
  expect(result.message).toContain("ended by SIGSEGV");
  expect(result.commands.at(-1)).toMatchObject({ exitCode: -1, signal: "SIGSEGV" });
});

test("a restore of a link that is not cut runs nothing", async () => {
  expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: ALREADY_SO });
  expect(stage.ran).toEqual([]);
});

test("a restore takes the cut away, whatever the minor's state is (I17)", async () => {
  await stage.perform(cutRequest());
  stage.world.own = undefined;
  expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: DONE });
  expect(stage.world.cuts).toEqual([]);
});

test("a restore that cannot see whether the cut stands takes it away, and does not say that it is gone (I11)", async () => {
  await stage.perform(cutRequest());
  stage.ran.length = 0;
  stage.world.cutsUnknown = "/proc is not there";
  const result = await stage.perform(restoreRequest());
  expect(stage.ran.map(({ args }) => args[2])).toEqual(["-F", "-D", "-D", "-X"]);
  expect(result).toMatchObject({ outcome: UNKNOWN, code: "VERIFY_FAILED" });
  expect(result.message).toContain("/proc is not there");
});

describe("who asks, and when", () => {
  test("a request to another node is refused (I16)", async () => {
    expect(await refused(cutRequest({ node: "h2.example" }), "IDENTITY_MISMATCH")).toContain("h2.example");
  });

  test("a request about another node's end is refused (I16)", async () => {
    const request = cutRequest();
    const kind = request.action?.kind;
    if (kind?.$case === "cutDrbdLink" && kind.value.end !== undefined) kind.value.end.node = "h3.example";
    expect(await refused(request, "IDENTITY_MISMATCH")).toContain("h3.example");
  });

  test("a lower epoch than one ever seen is refused, after a restart too (I25)", async () => {
    stage.journal.append({ kind: "epoch", epoch: 4 }, 0);
    await refused(cutRequest(), "STALE_EPOCH");
    stage = stage.restarted();
    await refused(cutRequest(), "STALE_EPOCH");
    expect(await stage.perform(cutRequest({ epoch: 4 }))).toMatchObject({ outcome: DONE });
  });

  test("an orchestrator that does not lead, and so has no epoch, is refused (I26)", async () => {
    await refused(cutRequest({ epoch: 0 }), "STALE_EPOCH");
  });

  test("an orchestrator on a node that is not the master is refused (I26)", async () => {
    stage.world.master = "h2.example";
    await refused(cutRequest(), "STALE_EPOCH");
  });

  test("the kill switch refuses everything (I33)", async () => {
    stage.world.readOnly = "/etc/vigie/stop exists";
    expect(await refused(cutRequest(), "READ_ONLY")).toContain("/etc/vigie/stop");
    await refused(restoreRequest(), "READ_ONLY");
  });

  test("the cluster's kill switch refuses what is new, and not what takes a cut back (I33)", async () => {
    stage.journal.append({ kind: "stop", stop: { number: 1, why: "anna: wrong disk" } }, 0);
    expect(await refused(cutRequest(), "READ_ONLY")).toContain("anna: wrong disk");
    expect((await stage.perform(restoreRequest())).outcome).not.toBe(REFUSED);
    stage.journal.append({ kind: "stop", stop: { number: 2, why: "" } }, 0);
    expect(await stage.perform(cutRequest({ attempt: 2 }))).toMatchObject({ outcome: DONE });
  });

  test.each([
    ["a higher epoch", () => stage.journal.append({ kind: "epoch", epoch: 9 }, 0), "STALE_EPOCH"],
    ["a moved master", () => void (stage.world.master = "h2.example"), "STALE_EPOCH"],
    ["the kill switch", () => void (stage.world.readOnly = "stopped"), "READ_ONLY"],
  ])("%s that comes while the guard looks refuses too", async (_what, change, code) => {
    stage.world.looking = async () => change();
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code });
    expect(stage.ran).toEqual([]);
  });

  test("a request that waited longer than it is good for is dropped (I27)", async () => {
    stage.world.nowMs = 99_900 + 2_001;
    await refused(cutRequest(), "TOO_LATE");
  });

  test("a request that answers a report of another session is of unknown age, and is dropped (I27)", async () => {
    await refused(cutRequest({ answersSequence: 8 }), "TOO_LATE");
  });

  test("facts that are older than two seconds when it comes to run are not acted on (I14)", async () => {
    stage.world.looking = async () => void (stage.world.nowMs += 2_001);
    const result = await stage.perform(cutRequest({ notAfterMs: 60_000 }));
    expect(result).toMatchObject({ outcome: REFUSED, code: "TOO_LATE" });
    expect(stage.ran).toEqual([]);
  });

  test("a guard that took so long that the peer's report grew old is too late, and may be asked again (I7)", async () => {
    const slow = cutRequest({ notAfterMs: 60_000 });
    stage.world.nowMs += 1_800; // under way
    stage.world.looking = async () => void (stage.world.nowMs += 400);
    const result = await stage.perform(slow);
    expect(result).toMatchObject({ outcome: REFUSED, code: "TOO_LATE" });
    expect(result.message).toMatch(/^peer's report age is \d+ ms \(I7\)$/);
  });

  test("a guard that refuses only because it has not watched for long enough may be asked again later", async () => {
    stage.world.ownStillMs = 900;
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code: "NOT_KNOWN_YET" });
    expect(stage.ran).toEqual([]);
  });

  test("a guard that refuses for more than the age of what it saw has refused", async () => {
    stage.world.nowMs += 1_800;
    stage.world.looking = async () => void (stage.world.nowMs += 400);
    stage.world.own = { ...stage.world.own!, connection: ConnectionState.STAND_ALONE };
    const result = await stage.perform(cutRequest({ notAfterMs: 60_000 }));
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
  });
});

describe("the same key again (I23)", () => {
  test("gives the stored answer and runs nothing", async () => {
    const first = await stage.perform(cutRequest());
    const commands = stage.ran.length;
    expect(await stage.perform(cutRequest())).toEqual({ ...first, replayed: true });
    expect(stage.ran).toHaveLength(commands);
  });

  test("is answered so after a restart too", async () => {
    await stage.perform(cutRequest());
    stage = stage.restarted();
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE, replayed: true });
    expect(stage.ran).toEqual([]);
  });

  test("may come with a newer report of the peer", async () => {
    await stage.perform(cutRequest());
    const later = cutRequest();
    const kind = later.action?.kind;
    if (kind?.$case === "cutDrbdLink" && kind.value.peer !== undefined) kind.value.peer.ageMs = 300;
    expect(await stage.perform(later)).toMatchObject({ outcome: DONE, replayed: true });
  });

  test("with another body is refused", async () => {
    await stage.perform(cutRequest());
    const other = cutRequest();
    if (other.action?.kind?.$case === "cutDrbdLink") other.action.kind.value.ttlS = 60;
    const commands = stage.ran.length;
    expect(await stage.perform(other)).toMatchObject({ outcome: REFUSED, code: "KEY_REUSED" });
    expect(stage.ran).toHaveLength(commands);
  });

  test("that was begun and has no answer is unknown, and nothing is run (I22)", async () => {
    let begun: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (begun = resolve));
    stage.world.write = () => (begun(), new Promise<never>(() => undefined));
    void stage.perform(cutRequest());
    await reached;
    stage = stage.restarted();
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_TIMED_OUT" });
    expect(stage.ran).toEqual([]);
  });

  test("while the first is still at work waits for its answer, and runs nothing of its own", async () => {
    let go: () => void = () => undefined;
    stage.world.looking = () => {
      stage.world.looking = () => Promise.resolve();
      return new Promise<void>((resolve) => (go = resolve));
    };
    const first = stage.perform(cutRequest());
    await Promise.resolve();
    const second = stage.perform(cutRequest());
    await new Promise((resolve) => setImmediate(resolve));
    go();
    expect(await first).toMatchObject({ outcome: DONE });
    expect(await second).toMatchObject({ outcome: DONE, replayed: true });
    expect(stage.happened.filter((what) => what === CUT)).toHaveLength(1);
  });
});

describe("what became of a key, when the answer is missing (I22)", () => {
  test("one that was never begun is refused from then on, however late the request itself comes", async () => {
    expect(await stage.perform(cutRequest({ recall: true }))).toMatchObject({
      outcome: REFUSED,
      code: "NOT_BEGUN",
    });
    expect(await stage.perform(cutRequest())).toMatchObject({ code: "NOT_BEGUN", replayed: true });
    expect(stage.ran).toEqual([]);
  });

  test("one that was performed is answered from the journal", async () => {
    await stage.perform(cutRequest());
    expect(await stage.perform(cutRequest({ recall: true }))).toMatchObject({
      outcome: DONE,
      replayed: true,
    });
  });

  test("it is answered although everything is stopped: nothing is changed by it (I33)", async () => {
    stage.world.readOnly = "the stop file is there";
    expect(await stage.perform(cutRequest({ recall: true }))).toMatchObject({ code: "NOT_BEGUN" });
  });

  test("an orchestrator that does not lead is not answered (I25)", async () => {
    expect(await stage.perform(cutRequest({ recall: true, epoch: 0 }))).toMatchObject({
      code: "STALE_EPOCH",
    });
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE });
  });
});

describe("a resource that is in use", () => {
  test("takes no second action meanwhile (I9)", async () => {
    let go: () => void = () => undefined;
    stage.world.looking = () => {
      stage.world.looking = () => Promise.resolve();
      return new Promise<void>((resolve) => (go = resolve));
    };
    const first = stage.perform(cutRequest());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stage.perform(cutRequest({ runId: "r-2" }))).toMatchObject({
      outcome: REFUSED,
      code: "COMMAND_HUNG",
    });
    go();
    expect(await first).toMatchObject({ outcome: DONE });
    expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: DONE });
    expect(await stage.perform(cutRequest({ runId: "r-2" }))).toMatchObject({ outcome: DONE });
  });

  test("stays taken after a command that hangs in the kernel, for every action on it (I37)", async () => {
    stage.world.run = (command) => (isNew(command) ? { end: "hung", exitCode: -1 } : undefined);
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_HUNG" });
    stage.world.run = () => undefined;
    expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: REFUSED, code: "COMMAND_HUNG" });
  });

  test("is free again once that command has ended after all, and the world is looked at anew (I37)", async () => {
    const ended = Promise.withResolvers<void>();
    const hung = { end: "hung", exitCode: -1, ended: ended.promise } as const;
    stage.world.run = (command) => (isNew(command) ? hung : undefined);
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_HUNG" });
    stage.world.run = () => undefined;
    expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: REFUSED, code: "COMMAND_HUNG" });
    ended.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await stage.perform(cutRequest({ attempt: 2 }))).toMatchObject({ outcome: DONE });
  });

  test("is not taken by a question that hangs: it changed nothing, and was neither a yes nor a no (I11)", async () => {
    stage.world.run = ({ args }) => (args.includes("-S") ? { end: "hung", exitCode: -1 } : undefined);
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code: "SOURCE_FAILED" });
    expect(stage.ran).toEqual([]);
    stage.world.run = () => undefined;
    expect(await stage.perform(cutRequest({ attempt: 2 }))).toMatchObject({ outcome: DONE });
  });

  test("is free again after a command that was killed at its deadline; its effect is unknown", async () => {
    stage.world.run = (command) => (isNew(command) ? { end: "timed-out", exitCode: -1 } : undefined);
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: UNKNOWN, code: "COMMAND_TIMED_OUT" });
    stage.world.run = () => undefined;
    expect(await stage.perform(cutRequest({ attempt: 2 }))).toMatchObject({ outcome: DONE });
    expect(await stage.perform(restoreRequest())).toMatchObject({ outcome: DONE });
  });
});

describe("the firewall is tidied", () => {
  test("not while a cut is being made, which would lose its rules", async () => {
    let tidied = 0;
    stage.world.looking = () => stage.onFirewall(async () => void (tidied += 1));
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE });
    expect(tidied).toBe(0);
    await stage.onFirewall(async () => void (tidied += 1));
    expect(tidied).toBe(1);
  });

  test("to its end before a cut begins", async () => {
    const order: string[] = [];
    let go: () => void = () => undefined;
    const tidying = stage.onFirewall(async () => {
      await new Promise<void>((resolve) => (go = resolve));
      order.push("tidied");
    });
    stage.world.looking = async () => void order.push("looked");
    const cut = stage.perform(cutRequest());
    await new Promise((resolve) => setImmediate(resolve));
    go();
    await Promise.all([tidying, cut]);
    expect(order[0]).toBe("tidied");
  });
});

describe("a journal that cannot be written (I24)", () => {
  test("before: nothing is run", async () => {
    stage.end();
    stage = performStage(undefined, brokenAt("intent"));
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code: "JOURNAL_BROKEN" });
    expect(stage.ran).toEqual([]);
  });

  test("after: what ran may have taken effect, and the answer says that it is not known", async () => {
    stage.end();
    stage = performStage(undefined, brokenAt("result"));
    const result = await stage.perform(cutRequest());
    expect(stage.happened.filter((what) => what === CUT)).toHaveLength(1);
    expect(result).toMatchObject({ outcome: UNKNOWN, code: "JOURNAL_BROKEN" });
  });
});

/** A request of now. */
function soon({ world }: PerformStage): Partial<Caller> {
  return { sentAtMs: () => world.nowMs - 100 };
}

/** A disk that is full from the first record of this kind on. */
function brokenAt(kind: string): Parameters<typeof performStage>[1] {
  return (path) =>
    openJournal(path, {
      ...REAL_DISK,
      write: (file, text) => (text.includes(`"kind":"${kind}"`) ? 0 : REAL_DISK.write(file, text)),
    });
}
