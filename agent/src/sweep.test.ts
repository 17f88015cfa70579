import { LinkCut, VigieError } from "@vigie/proto";
import { expect, test } from "vitest";
import type { Command } from "./host.js";
import type { Journal, JournalEntry } from "./journal.js";
import { fakeHost } from "./sources/testing.js";
import { sweepAll, sweepAtStart, sweepAtStop, sweepUnknown } from "./sweep.js";

const OURS = LinkCut.create({ peerAddress: "10.0.0.2", port: 11_000, runId: "r-1", expiresInS: 9 });
const STRANGE = LinkCut.create({ peerAddress: "10.0.0.3", port: 11_001, runId: "", expiresInS: 0 });

function stage(append: () => void = () => undefined) {
  const ran: string[] = [];
  const told: JournalEntry[] = [];
  const run = ({ file, args }: Command) => {
    ran.push([file.replace("/usr/sbin/", ""), ...args].join(" "));
    return { exitCode: 1, stderr: "The set with the given name does not exist" };
  };
  const journal = { append: (entry: JournalEntry) => (append(), told.push(entry)) } as unknown as Journal;
  return { host: fakeHost({ run }), journal, ran, told };
}

const full = (): never => {
  throw new VigieError("JOURNAL_BROKEN", "the disk is full");
};

test("at its start the agent ends every cut, whoever made it, in both families (I20)", async () => {
  const { host, journal, ran, told } = stage();
  await sweepAtStart(host, journal, [OURS]);
  expect(ran).toEqual(["ipset flush vigie-cut", "ipset flush vigie-cut6"]);
  expect(told).toEqual([{ kind: "sweep", detail: { why: "agent start", cuts: [OURS] } }]);
});

test("at its start with nothing standing it still flushes, for a reading may have failed, and tells nothing", async () => {
  const { host, journal, ran, told } = stage();
  await sweepAtStart(host, journal, []);
  expect([ran.length, told.length]).toEqual([2, 0]);
});

test("a cut that nobody answers for is removed and told; one of this life is left", async () => {
  const { host, journal, ran, told } = stage();
  const removed = await sweepUnknown(host, journal, [OURS, STRANGE], (runId) => runId === "r-1");
  expect(removed).toEqual([STRANGE]);
  expect(ran).toEqual(["ipset del vigie-cut 10.0.0.3,tcp:11001 -exist"]);
  expect(told).toEqual([{ kind: "sweep", detail: { why: "nobody answers for it", cuts: [STRANGE] } }]);
});

test("nothing unknown: nothing is run or told", async () => {
  const { host, journal, ran, told } = stage();
  expect(await sweepUnknown(host, journal, [OURS], () => true)).toEqual([]);
  expect([ran, told]).toEqual([[], []]);
});

test("a journal that cannot be written does not leave a cut standing (I17, I24)", async () => {
  const { host, journal, ran } = stage(full);
  await sweepAtStart(host, journal, [OURS]);
  await sweepUnknown(host, journal, [STRANGE], () => false);
  expect(ran).toContain("ipset flush vigie-cut");
  expect(ran).toContain("ipset del vigie-cut 10.0.0.3,tcp:11001 -exist");
});

test("at its stop nothing of ours is left: cuts first, then rules, then the sets", async () => {
  const { host, ran } = stage();
  await sweepAtStop(host);
  expect(ran.filter((line) => !line.includes("6"))).toEqual([
    "ipset flush vigie-cut",
    "iptables -w 3 -D INPUT -j VIGIE-CUT",
    "iptables -w 3 -D OUTPUT -j VIGIE-CUT",
    "iptables -w 3 -F VIGIE-CUT",
    "iptables -w 3 -X VIGIE-CUT",
    "ipset destroy vigie-cut",
  ]);
  expect(ran.filter((line) => line.includes("6"))).toHaveLength(6);
});

test("an entry that is not understood takes all cuts with it: it cuts something, and nobody knows what (I20)", async () => {
  const { host, journal, ran, told } = stage();
  const damaged = [{ line: 2, reason: "not understood", minor: undefined, object: "vigie-cut" }];
  await sweepAll(host, journal, damaged);
  expect(ran).toEqual(["ipset flush vigie-cut", "ipset flush vigie-cut6"]);
  expect(told).toEqual([{ kind: "sweep", detail: { why: "not understood", damaged } }]);
});
