import * as fc from "fast-check";
import { Source } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { linkCuts } from "./link-cuts.js";
import { damagedCopies, errno, fakeHost, FUZZ_RUNS } from "./testing.js";

const LISTS = "/proc/net/xt_recent";
const NAME = "vigie-cut,10.77.0.12,11000,30,r-7";
const V6 = "vigie-cut,fd00::12,11001,40,r-8";
const entry = (seen: number): string => `src=10.77.0.12 ttl: 0 last_seen: ${seen} oldest_pkt: 1 ${seen}\n`;

/** The lists with their texts, read at this time, by one source or another. */
function reading(lists: Readonly<Record<string, string | Error>>, nowMs = 0, source = linkCuts()) {
  const files = Object.fromEntries(Object.entries(lists).map(([name, text]) => [`${LISTS}/${name}`, text]));
  const folders = { [LISTS]: Object.keys(lists) };
  const links = { "/etc/alternatives/iptables": "/usr/sbin/iptables-legacy" };
  return source.read(
    { ...fakeHost({ files, folders, links }), monotonicMs: () => nowMs },
    { minor: 0, jobId: 0 },
  );
}

test("a list with the peer in it is a cut: whose link, for how long, and of which run", async () => {
  expect(await reading({ [NAME]: entry(4295024438), [V6]: entry(7), ssh: entry(1) })).toMatchObject({
    state: "ok",
    facts: {
      $case: "linkCuts",
      value: {
        cuts: [
          { peerAddress: "10.77.0.12", port: 11000, expiresInS: 30, runId: "r-7" },
          { peerAddress: "fd00::12", port: 11001, expiresInS: 40, runId: "r-8" },
        ],
        backend: "iptables-legacy",
      },
    },
    damaged: [],
  });
});

test("a cut ends when its time is over since its line was first read, which is after it was made", async () => {
  const source = linkCuts();
  const cutsAt = async (nowMs: number, text: string) => {
    const { facts } = (await reading({ [NAME]: text }, nowMs, source)) as never as {
      facts: { value: { cuts: { expiresInS: number }[] } };
    };
    return facts.value.cuts.map(({ expiresInS }) => expiresInS);
  };
  expect(await cutsAt(5_000, entry(7))).toEqual([30]);
  expect(await cutsAt(34_999, entry(7))).toEqual([1]);
  expect(await cutsAt(35_000, entry(7))).toEqual([]);
  expect(await cutsAt(36_000, entry(8))).toEqual([30]); // made once more
});

test("rules whose cut was not made, and a list that goes while it is read, cut nothing", async () => {
  const gone = errno("ENOENT");
  expect(await reading({ [NAME]: "", [V6]: gone })).toMatchObject({
    facts: { value: { cuts: [] } },
    damaged: [],
  });
});

test("without the kernel's module there is no list, and no cut", async () => {
  expect(await linkCuts().read(fakeHost({}), { minor: 0, jobId: 0 })).toMatchObject({
    state: "ok",
    facts: { value: { cuts: [] } },
  });
});

test("lists that cannot be read are a failure: a cut may stand", async () => {
  await expect(reading({ [NAME]: errno("EACCES") })).rejects.toMatchObject({ code: "EACCES" });
});

describe("it is damaged, for it cuts something and nobody knows what:", () => {
  test.each([
    ["a name that this agent would not make", "vigie-cut,10.77.0.12,11000", entry(7)],
    ["an address that is none", "vigie-cut,10.77.0.999,11000,30,r-7", entry(7)],
    ["a port that is none", "vigie-cut,10.77.0.12,99999,30,r-7", entry(7)],
    ["a text that is not the kernel's", NAME, "10.77.0.12\n"],
  ])("%s", async (_what, name, text) => {
    expect(await reading({ [name]: text })).toMatchObject({
      facts: { value: { cuts: [] } },
      damaged: [{ object: name }],
    });
  });
});

test("whatever happens to the names, a cut has an address, a port and an end", async () => {
  const copies = damagedCopies([NAME, V6]);
  await fc.assert(
    fc.asyncProperty(copies, async (name) => {
      const read = await reading({ [name]: entry(7) });
      const cuts = read.state === "ok" && read.facts.$case === "linkCuts" ? read.facts.value.cuts : [];
      for (const { port, expiresInS } of cuts) {
        expect(port).toBeGreaterThan(0);
        expect(expiresInS).toBeGreaterThan(0);
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});

test("it is read often enough for a cut of half a minute", () => {
  expect(linkCuts()).toMatchObject({ source: Source.LINK_CUTS, periodMs: 5_000 });
});

test.each([
  ["can", "CONFIG_INET_DIAG=y\nCONFIG_INET_DIAG_DESTROY=y\n", true],
  ["cannot", "CONFIG_INET_DIAG=y\n# CONFIG_INET_DIAG_DESTROY is not set\n", false],
  ["does not say whether it can", undefined, false],
])("a kernel that %s end connections is reported so", async (_what, config, destroysSockets) => {
  const files = {
    "/proc/sys/kernel/osrelease": "6.1.0-37-amd64\n",
    ...(config === undefined ? {} : { "/boot/config-6.1.0-37-amd64": config }),
  };
  const read = await linkCuts().read(fakeHost({ files }), { minor: 0, jobId: 0 });
  expect(read).toMatchObject({ facts: { value: { destroysSockets } } });
});
