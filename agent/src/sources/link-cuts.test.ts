import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command, CommandOutcome } from "../host.js";
import { linkCuts, parseIpsetSave } from "./link-cuts.js";
import { damagedCopies, fakeHost, FUZZ_RUNS } from "./testing.js";

const SAVED = `create vigie-cut hash:ip,port family inet hashsize 1024 maxelem 65536 timeout 30 comment bucketsize 12 initval 0x5a2f3c41
add vigie-cut 10.77.0.12,tcp:11000 timeout 27 comment "r-7"
add vigie-cut 10.77.0.13,tcp:11001 timeout 3
`;
const NO_SET = { exitCode: 1, stderr: "ipset v7.17: The set with the given name does not exist\n" };

test("an entry is a cut: whose link, for how long, and of which run", () => {
  expect(parseIpsetSave(SAVED)).toEqual({
    cuts: [
      { peerAddress: "10.77.0.12", port: 11000, expiresInS: 27, runId: "r-7" },
      { peerAddress: "10.77.0.13", port: 11001, expiresInS: 3, runId: "" },
    ],
    damaged: [],
  });
});

test.each([
  "add vigie-cut 10.77.0.12,udp:11000 timeout 27",
  "add vigie-cut 10.77.0.12,tcp:0 timeout 27",
  "add vigie-cut 10.77.0.12,tcp:99999 timeout 27",
  "add vigie-cut 10.77.0.999,tcp:11000 timeout 27",
  "add vigie-cut 10.77.0.12,tcp:11000",
  "add vigie-cut 10.77.0.12 timeout 27",
  "anything else",
])("%s is damaged: it may cut something", (line) => {
  const { cuts, damaged } = parseIpsetSave(`${SAVED}${line}\n`);
  expect(cuts).toHaveLength(2);
  expect(damaged).toMatchObject([{ line: 4 }]);
});

function reading(run: (command: Command) => Partial<CommandOutcome>): ReturnType<typeof linkCuts.read> {
  return linkCuts.read(
    fakeHost({ run, links: { "/etc/alternatives/iptables": "/usr/sbin/iptables-legacy" } }),
  );
}

describe("the reading", () => {
  test("both families' sets are listed, and a set that does not exist holds nothing", async () => {
    expect(
      await reading(({ args }) => (args.includes("vigie-cut") ? { stdout: SAVED } : NO_SET)),
    ).toMatchObject({
      state: "ok",
      facts: { value: { cuts: [{ port: 11000 }, { port: 11001 }], backend: "iptables-legacy + ipset" } },
    });
    expect(await reading(() => NO_SET)).toMatchObject({
      state: "ok",
      facts: { value: { cuts: [] } },
      damaged: [],
    });
  });

  test("without the tool there can be no cut of ours", async () => {
    const missing = { end: "not-started" as const, exitCode: -1, stderr: "spawn /usr/sbin/ipset ENOENT" };
    expect(await reading(() => missing)).toEqual({ state: "absent", reason: "ipset is not installed" });
  });

  test("any other trouble is a failure: a cut may stand", async () => {
    const denied = { exitCode: 1, stderr: "ipset v7.17: Kernel error received: Operation not permitted\n" };
    await expect(reading(() => denied)).rejects.toMatchObject({ code: "COMMAND_FAILED" });
  });
});

test("whatever happens to the text, a cut has an address, a port and an end", () => {
  fc.assert(
    fc.property(damagedCopies([SAVED]), (text) => {
      for (const { port, expiresInS } of parseIpsetSave(text).cuts) {
        expect(port).toBeGreaterThan(0);
        expect(Number.isSafeInteger(expiresInS)).toBe(true);
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
