/** What comes between a check and the command: a person, another leader, or the world itself. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ActionOutcome,
  ConnectionState,
  DetachMinor,
  DiscardVictim,
  DiskState,
  DrbdGenerations,
  Role,
  Source,
  SourceReport,
  SourceState,
  type ActionRequest,
} from "@vigie/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EPOCH_JUMP_MAX } from "./epoch.js";
import { lost, whole } from "./guards/testing.js";
import { cutRequest, performStage, requestFor, restoreRequest, type PerformStage } from "./testing.js";

let stage: PerformStage;
beforeEach(() => (stage = performStage()));
afterEach(() => stage.end());

const { DONE, REFUSED, FAILED, ALREADY_SO } = ActionOutcome;
const CUT = "write +10.0.0.2";
const commands = (): string[] =>
  stage.happened.filter((what) => /^(?:run|write)/.test(what) && !/^run -[SC]$/.test(what));

const CHANGES: readonly [string, () => void, string][] = [
  ["the kill switch", () => void (stage.world.readOnly = "/etc/vigie/stop exists"), "READ_ONLY"],
  [
    "the cluster's kill switch",
    () => stage.journal.append({ kind: "stop", stop: { number: 1, why: "anna: wrong disk" } }, 0),
    "READ_ONLY",
  ],
  ["another master", () => void (stage.world.master = "h2.example"), "STALE_EPOCH"],
  ["a later leader", () => stage.journal.append({ kind: "epoch", epoch: 9 }, 0), "STALE_EPOCH"],
];

describe("between any two commands of a cut", () => {
  const HOW_MANY = 10; // before the write that cuts

  test.each(CHANGES)("%s stops it: no command more is run", async (_what, change, code) => {
    for (let after = 1; after <= HOW_MANY; after += 1) {
      stage.end();
      stage = performStage();
      stage.world.run = ({ args }) => {
        const counted = !args.includes("-S") && !args.includes("-C");
        if (counted && stage.ran.length === after) change();
        return undefined;
      };
      expect(await stage.perform(cutRequest())).toMatchObject({ outcome: REFUSED, code });
      expect(commands()).toHaveLength(after);
    }
  });

  test.each(CHANGES)(
    "%s after the cut leaves it to the kernel: its connections are not ended",
    async (_what, change) => {
      stage.world.write = () => void change();
      expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE });
      expect(stage.ran.filter(({ file }) => file.endsWith("ss"))).toEqual([]);
    },
  );

  test("a kernel that cannot end the connections, or a tool that fails, leaves the cut as it is", async () => {
    stage.world.run = ({ file }) =>
      file.endsWith("ss") ? { exitCode: 255, stderr: "not supported" } : undefined;
    const result = await stage.perform(cutRequest());
    expect(result).toMatchObject({ outcome: DONE });
    expect(result.commands.at(-1)).toMatchObject({ exitCode: 255, output: "not supported" });
  });

  test("the resync that ends by itself stops it: a whole mirror is not cut (I14)", async () => {
    stage.world.run = ({ args }) => {
      if (args.includes("-N")) stage.world.own = { ...whole().seen.own! };
      return undefined;
    };
    const result = await stage.perform(cutRequest());
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(result.message).toContain("own cs is Connected");
    expect(result.guard.some(({ name, holds }) => name === "own cs" && !holds)).toBe(true);
    expect(stage.happened).not.toContain(CUT);
  });

  test("what waits for the lock of iptables makes the facts no older: they are read after it", async () => {
    stage.world.run = ({ args }) => {
      if (args.includes("-A")) stage.world.nowMs += 200;
      return undefined;
    };
    const readAt: number[] = [];
    stage.world.looking = async () => void readAt.push(stage.world.nowMs);
    stage.world.write = () => void readAt.push(stage.world.nowMs);
    expect(await stage.perform(cutRequest())).toMatchObject({ outcome: DONE });
    expect(readAt.at(-1)! - readAt.at(-2)!).toBeLessThanOrEqual(2_000);
  });
});

describe("the victim of a split brain", () => {
  const UUID = "A876B5BE329C3969";
  const { end, report, seen } = whole();
  const apart = {
    connection: ConnectionState.WF_CONNECTION,
    peerRole: Role.UNKNOWN,
    peerDisk: DiskState.D_UNKNOWN,
  };
  const discard = (change: Partial<ActionRequest> = {}): ActionRequest => {
    const drbd = { ...report.drbd!, connection: ConnectionState.STAND_ALONE };
    const peer = { ...report, drbd };
    const victim = { end, typedNode: end.node, currentUuid: UUID, survivorUuid: report.currentUuid, peer };
    return requestFor({ $case: "discardVictim", value: DiscardVictim.create(victim) }, change);
  };
  let ran: string[];

  beforeEach(() => {
    ran = [];
    stage.world.own = { ...seen.own!, ...apart };
    stage.world.read = async (source) =>
      source === Source.DRBD_GENERATIONS
        ? SourceReport.create({
            source,
            state: SourceState.OK,
            facts: { $case: "drbdGenerations", value: DrbdGenerations.create({ currentUuid: UUID }) },
          })
        : SourceReport.create({ source, state: SourceState.ABSENT });
    stage.world.run = ({ args }) => (obey(args[0] ?? ""), {});
  });

  function obey(verb: string, then: () => void = () => undefined): void {
    ran.push(verb);
    const own = stage.world.own!;
    if (verb === "secondary") stage.world.own = { ...own, role: Role.SECONDARY };
    if (verb === "disconnect") stage.world.own = { ...own, connection: ConnectionState.STAND_ALONE };
    if (verb === "invalidate") stage.world.own = { ...own, disk: DiskState.INCONSISTENT };
    then();
  }

  test("gives up in three commands, the last of which alone takes something away", async () => {
    expect(await stage.perform(discard())).toMatchObject({ outcome: DONE });
    expect(ran).toEqual(["secondary", "disconnect", "invalidate"]);
  });

  test.each(CHANGES)("keeps its data where %s comes after the first command", async (_what, change, code) => {
    stage.world.run = ({ args }) => (obey(args[0] ?? "", change), {});
    expect(await stage.perform(discard())).toMatchObject({ outcome: FAILED, code });
    expect(ran).toEqual(["secondary"]);
  });

  test("keeps its data where its generation changes before the last command", async () => {
    stage.world.run = ({ args }) => {
      obey(args[0] ?? "");
      if (args[0] === "disconnect") stage.world.read = async (source) => SourceReport.create({ source });
      return {};
    };
    expect(await stage.perform(discard())).toMatchObject({ outcome: FAILED, code: "GUARD_REFUSED" });
    expect(ran).toEqual(["secondary", "disconnect"]);
  });

  test("keeps its data where the request has grown too old by the command that counts, however fresh the facts (I27)", async () => {
    stage.world.run = ({ args }) => {
      obey(args[0] ?? "");
      if (args[0] === "disconnect") stage.world.nowMs += 600;
      return {};
    };
    expect(await stage.perform(discard({ notAfterMs: 500 }))).toMatchObject({
      outcome: REFUSED,
      code: "TOO_LATE",
      message: expect.stringContaining("was good for 500 ms"),
    });
    expect(ran).toEqual(["secondary", "disconnect"]);
  });

  test("keeps its data where the first commands took too long, and gives them up at the next try", async () => {
    stage.world.run = ({ args }) => {
      obey(args[0] ?? "");
      if (args[0] === "disconnect") stage.world.nowMs += 2_500;
      return {};
    };
    expect(await stage.perform(discard())).toMatchObject({ outcome: REFUSED, code: "TOO_LATE" });
    expect(ran).toEqual(["secondary", "disconnect"]);
    const sentAtMs = (): number => stage.world.nowMs - 100;
    expect(await stage.perform(discard({ attempt: 2 }), { sentAtMs })).toMatchObject({ outcome: DONE });
    expect(ran).toEqual(["secondary", "disconnect", "invalidate"]);
  });
});

describe("an epoch", () => {
  test("of a request is remembered before anything is done: a lower one is over from then on (I25)", async () => {
    expect(await stage.perform(cutRequest({ epoch: 9 }))).toMatchObject({ outcome: DONE });
    expect(stage.happened.indexOf("epoch")).toBeLessThan(stage.happened.indexOf("look at the minor"));
    expect(await stage.perform(restoreRequest({ epoch: 3 }))).toMatchObject({ code: "STALE_EPOCH" });
    stage = stage.restarted();
    expect(await stage.perform(restoreRequest({ epoch: 8 }))).toMatchObject({ code: "STALE_EPOCH" });
  });

  test("of who is not the master is not remembered (I26)", async () => {
    stage.world.master = "h2.example";
    await stage.perform(cutRequest({ epoch: 900 }));
    expect(stage.journal.highestEpoch()).toBe(0);
  });

  test("beyond reason is refused and not remembered, so that later leaders are not locked out", async () => {
    const beyond = cutRequest({ epoch: Number.MAX_SAFE_INTEGER });
    const result = await stage.perform(beyond);
    expect(result).toMatchObject({ outcome: REFUSED, code: "STALE_EPOCH" });
    expect(result.message).toContain("beyond reason");
    expect(await stage.perform(cutRequest({ epoch: EPOCH_JUMP_MAX, stepId: "next" }))).toMatchObject({
      outcome: DONE,
    });
  });
});

describe("what is so already", () => {
  const detach = (end = whole().end): ActionRequest =>
    requestFor({ $case: "detachMinor", value: DetachMinor.create({ end, peer: whole().report }) });

  beforeEach(() => (stage.world.own = { ...lost().seen.own! }));

  test("of the minor that was named is answered so, with what it was recognized by", async () => {
    const result = await stage.perform(detach());
    expect(result).toMatchObject({ outcome: ALREADY_SO });
    expect(result.guard.map(({ name }) => name)).toContain("backing device");
  });

  test.each([
    ["port", { port: 12_999 }],
    ["peer", { peerAddress: "10.9.9.9" }],
    ["volume", { dataLv: "kvmvg/zzz.disk0_data" }],
    ["boot", { bootId: "another" }],
  ])("of another %s is refused: it is another instance's (I13)", async (_what, change) => {
    const result = await stage.perform(detach({ ...whole().end, ...change }));
    expect(result).toMatchObject({ outcome: REFUSED, code: "GUARD_REFUSED" });
    expect(stage.ran).toEqual([]);
  });
});

/** Where a file of the agent's starts a command or writes into the kernel, and why it may do so by itself. */
const BY_THEMSELVES = [
  "actions/cut-drbd-link.ts", // asks iptables what stands before the cut
  "actions/locate-disk.ts", // asks whether ledctl is there
  "heartbeat.ts", // tells systemd that the agent lives
  "hung-guard.ts", // hands each on
  "run-steps.ts", // for run-action.ts
  "sources/reading.ts", // for what only reads
  "sweep.ts", // takes our own away, which is always safe
];

test("no action runs a command but by the one runner that looks last", () => {
  const folder = import.meta.dirname;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/test(?:ing)?\.ts$/.test(path))
    .filter((path) => /\bhost\.(?:run|writeFile)\(/.test(readFileSync(join(folder, path), "utf8")));
  expect(files.toSorted()).toEqual(BY_THEMSELVES);
});
