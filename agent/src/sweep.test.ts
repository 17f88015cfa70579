import { LinkCut, VigieError } from "@vigie/proto";
import { expect, test } from "vitest";
import { fakeFirewall } from "./fake-firewall.js";
import type { Command, Host } from "./host.js";
import type { Journal } from "./journal.js";
import type { JournalEntry } from "./journal-record.js";
import { fenceSteps, makeCut, tablesCommand, type TimedCut } from "./link-fence.js";
import { errno, fakeHost } from "./sources/testing.js";
import { removeAll, sweepAll, sweepAtStart, sweepUnknown, tidy } from "./sweep.js";

const OURS: TimedCut = { peerAddress: "10.0.0.2", port: 11_000, ttlS: 30, runId: "r-1" };
const STRANGE: TimedCut = { peerAddress: "fd00::3", port: 11_001, ttlS: 30, runId: "r-9" };
const SITE = tablesCommand("/usr/sbin/iptables", "-A", "INPUT", "-p", "tcp", "--dport", "22", "-j", "ACCEPT");

/** A node whose firewall has a rule of the site's, and these cuts. */
async function stage(cuts: readonly TimedCut[] = [], append: () => void = () => undefined) {
  let nowMs = 0;
  const firewall = fakeFirewall(() => nowMs);
  const ran: string[] = [];
  const host: Host = {
    ...fakeHost({}),
    listFolder: async (path) => firewall.listFolder(path) ?? Promise.reject(errno("ENOENT")),
    readFile: async (path) => firewall.readFile(path) ?? Promise.reject(errno("ENOENT")),
    writeFile: async (path, text) => void firewall.writeFile(path, text),
    run: async (command: Command) => {
      ran.push(command.args.join(" "));
      return { end: "exited", truncated: false, durationMs: 1, ...firewall.run(command)! };
    },
  };
  firewall.run(SITE);
  for (const cut of cuts) await fence(cut);
  ran.length = 0;
  const told: JournalEntry[] = [];
  const journal = { append: (entry: JournalEntry) => (append(), told.push(entry)) } as unknown as Journal;
  return { host, journal, firewall, ran, told, fence, pass: (ms: number) => (nowMs += ms) };

  async function fence(cut: TimedCut, made = true): Promise<void> {
    for (const { run } of fenceSteps(cut)) await host.run(run);
    if (made) await host.writeFile(makeCut(cut).path, makeCut(cut).write.text);
  }
}

const AS_BEFORE = ["-P INPUT ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-P OUTPUT ACCEPT"];
const SAME_IN_IPV6 = ["-P INPUT ACCEPT", "-P OUTPUT ACCEPT"];

const standing = ({ peerAddress, port, runId }: TimedCut) =>
  LinkCut.create({ peerAddress, port, runId, expiresInS: 9 });

const full = (): never => {
  throw new VigieError("JOURNAL_BROKEN", "the disk is full");
};

test("at its start the agent ends every cut, whoever made it, and the firewall is as it was (I20)", async () => {
  const { host, journal, firewall, told } = await stage([OURS, STRANGE]);
  expect(firewall.cuts()).toHaveLength(2);
  await sweepAtStart(host, journal, [standing(OURS)]);
  expect(firewall.rules()).toEqual([...AS_BEFORE, ...SAME_IN_IPV6]);
  expect(told).toEqual([{ kind: "sweep", detail: { why: "agent start", cuts: [standing(OURS)] } }]);
});

test("at its start with no cut it looks all the same, for a reading may have failed, and tells nothing", async () => {
  const { host, journal, ran, told } = await stage();
  await sweepAtStart(host, journal, []);
  expect([ran, told]).toEqual([["-w 3 -S", "-w 3 -S"], []]);
});

test("a chain of an earlier release goes too, with every jump to it", async () => {
  const { host, firewall } = await stage();
  const tables = (...args: string[]) => host.run(tablesCommand("/usr/sbin/iptables", ...args));
  await tables("-N", "VIGIE-CUT");
  await tables("-A", "INPUT", "-j", "VIGIE-CUT");
  await tables("-A", "INPUT", "-j", "VIGIE-CUT");
  await removeAll(host);
  expect(firewall.rules()).toEqual([...AS_BEFORE, ...SAME_IN_IPV6]);
});

test("the rules of a cut go once its time is over, and those of one that stands stay", async () => {
  const { host, firewall, fence, pass } = await stage([OURS]);
  pass(20_000);
  await fence(STRANGE);
  await tidy(host, [standing(OURS), standing(STRANGE)], false);
  expect(firewall.cuts()).toHaveLength(2);
  pass(11_000);
  await tidy(host, [standing(STRANGE)], false);
  expect(firewall.cuts()).toEqual([STRANGE]);
  expect(firewall.rules().slice(0, 3)).toEqual(AS_BEFORE);
});

test("rules whose cut was not made yet are left for the step that comes again, and go with the minute", async () => {
  const { host, firewall, fence } = await stage();
  await fence(OURS, false);
  await tidy(host, [], false);
  expect(firewall.rules()).toContain("-N VIGIE-CUT-11000");
  await tidy(host, [], true);
  expect(firewall.rules()).toEqual([...AS_BEFORE, ...SAME_IN_IPV6]);
});

test("with nothing of ours in the kernel no command is run", async () => {
  const { host, ran } = await stage();
  await tidy(host, [], true);
  expect(ran).toEqual([]);
});

test("a cut that nobody answers for is removed and told; one of this life is left", async () => {
  const { host, journal, firewall, told } = await stage([OURS, STRANGE]);
  const cuts = [standing(OURS), standing(STRANGE)];
  const removed = await sweepUnknown(host, journal, cuts, (runId) => runId === "r-1");
  expect(removed).toEqual([standing(STRANGE)]);
  expect(firewall.cuts()).toEqual([OURS]);
  expect(told).toEqual([
    { kind: "sweep", detail: { why: "nobody answers for it", cuts: [standing(STRANGE)] } },
  ]);
});

test("nothing unknown: nothing is run or told", async () => {
  const { host, journal, ran, told } = await stage([OURS]);
  expect(await sweepUnknown(host, journal, [standing(OURS)], () => true)).toEqual([]);
  expect([ran, told]).toEqual([[], []]);
});

test("a journal that cannot be written does not leave a cut standing (I17, I24)", async () => {
  const { host, journal, firewall } = await stage([OURS, STRANGE], full);
  await sweepUnknown(host, journal, [standing(STRANGE)], () => false);
  expect(firewall.cuts()).toEqual([OURS]);
  await sweepAtStart(host, journal, [standing(OURS)]);
  expect(firewall.cuts()).toEqual([]);
});

test("a list that is not understood takes all cuts with it: it cuts something, and nobody knows what (I20)", async () => {
  const { host, journal, firewall, told } = await stage([OURS, STRANGE]);
  const damaged = [{ line: 1, reason: "not understood", minor: undefined, object: "vigie-cut" }];
  await sweepAll(host, journal, damaged);
  expect(firewall.cuts()).toEqual([]);
  expect(told).toEqual([{ kind: "sweep", detail: { why: "not understood", damaged } }]);
});
