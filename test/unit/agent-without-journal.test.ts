/** An agent whose journal cannot be used: it sees and tells as ever, and does nothing (I22, I24, I39). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ActionOutcome, Source, type Report, type SessionRequest, type SessionResponse } from "@vigie/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runAgent } from "../../agent/src/agent.js";
import { openJournal, type Journal } from "../../agent/src/journal.js";
import { REAL_DISK } from "../../agent/src/journal-disk.js";
import { fakeHost } from "../../agent/src/sources/testing.js";
import { cutRequest } from "../../agent/src/testing.js";
import { createVirtualClock, type VirtualClock } from "../simulator/virtual-clock.js";

const NODE = "h1.example"; // which cutRequest is about
const FILES = {
  "/proc/drbd": "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: X\n",
  "/proc/sys/kernel/random/boot_id": "boot-1\n",
  "/var/lib/ganeti/ssconf_master_node": `${NODE}\n`,
};

let folder: string;
let path: string;
let clock: VirtualClock;
let stop: AbortController;
let sent: SessionRequest[];
let say: (body: NonNullable<SessionResponse["body"]>) => void;
let dials: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vigie-journal-"));
  path = join(folder, "journal");
  clock = createVirtualClock();
  stop = new AbortController();
  sent = [];
  dials = 0;
});
afterEach(async () => {
  stop.abort();
  await clock.advance(1_000);
  rmSync(folder, { recursive: true, force: true });
});

function start(journal: Journal): void {
  const host = { ...fakeHost({ files: FILES, folders: { "/sys/block": [], "/proc": [] } }), ...clock };
  const parts = { nodeName: NODE, version: "0", killSwitch: () => "/etc/vigie/stop", random: () => 1 };
  const quiet = { hung: () => [], log: () => undefined };
  void runAgent({ host, journal, dial: async () => connect(), ...parts, ...quiet }, stop.signal);
}

function connect() {
  const waiting: SessionResponse[] = [];
  let wake: () => void = () => undefined;
  const state = { open: true };
  dials += 1;
  say = (body) => {
    waiting.push({ body });
    wake();
  };
  async function* messages(): AsyncGenerator<SessionResponse> {
    while (state.open) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    send: (message: SessionRequest) => state.open && sent.push(message) > 0,
    messages: messages(),
    close: () => {
      state.open = false;
      wake();
    },
  };
}

async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1_000) {
    await clock.advance(1_000);
    say({ $case: "heartbeat", value: { monotonicMs: 0 } });
  }
}

const reports = (): Report[] => sent.flatMap(({ body }) => (body?.$case === "report" ? [body.value] : []));
const results = () => sent.flatMap(({ body }) => (body?.$case === "actionResult" ? [body.value] : []));

function oneByteChanged(): Journal {
  const journal = openJournal(path);
  journal.append({ kind: "epoch", epoch: 7 }, 1);
  journal.append({ kind: "epoch", epoch: 8 }, 2);
  journal.append({ kind: "epoch", epoch: 9 }, 3);
  journal.close();
  writeFileSync(path, readFileSync(path, "utf8").replace('"epoch":8', '"epoch":6'));
  return openJournal(path);
}

test("with one changed byte in its journal the agent observes and reports, and says why it does nothing", async () => {
  start(oneByteChanged());
  await pass(10_000);
  say({ $case: "lead", value: { epoch: 10 } });
  say({
    $case: "actionRequest",
    value: cutRequest({ epoch: 10, answersSequence: reports().at(-1)?.sequence ?? 0 }),
  });
  await pass(10_000);
  expect(dials).toBe(1);
  expect(reports().length).toBeGreaterThan(15);
  expect(reports()[0]?.sources.map(({ source }) => source)).toContain(Source.PROC_DRBD);
  expect(reports().at(-1)).toMatchObject({
    readOnly: true,
    readOnlyReason: expect.stringMatching(
      /record 2 is not what was written.*mv .*systemctl restart vigie-agent/,
    ),
    highestEpoch: 7,
  });
  expect(results()).toMatchObject([{ outcome: ActionOutcome.REFUSED, code: "READ_ONLY" }]);
});

test("asked what became of a step, it says that it does not know: the damaged record may be that step's (I22)", async () => {
  start(oneByteChanged());
  await pass(3_000);
  say({ $case: "actionRequest", value: cutRequest({ recall: true }) });
  await pass(1_000);
  expect(results()).toMatchObject([
    { outcome: ActionOutcome.UNKNOWN, message: expect.stringContaining("is not known") },
  ]);
});

test("a disk that is full when a leader begins ends no session, and every report says why nothing is done (I24)", async () => {
  start(openJournal(path, { ...REAL_DISK, write: () => 0 }));
  await pass(5_000);
  say({ $case: "lead", value: { epoch: 4 } });
  await pass(60_000);
  expect(dials).toBe(1);
  expect(reports().at(-1)).toMatchObject({
    readOnly: true,
    readOnlyReason: expect.stringContaining("the disk is full"),
  });
});

test("an agent that runs for ninety days checkpoints its journal once a day", async () => {
  const journal = openJournal(path, { ...REAL_DISK, sync: () => undefined, syncFolder: () => undefined });
  start(journal);
  for (let hour = 0; hour < 90 * 24; hour += 1) await clock.leap(3_600_000);
  expect(journal.records()).toBeGreaterThanOrEqual(89);
  expect(journal.records()).toBeLessThanOrEqual(90);
  expect(readFileSync(path, "utf8").trim().split("\n").length).toBeLessThanOrEqual(31);
});
