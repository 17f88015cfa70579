import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drbdConfig, parseDrbdsetupShow } from "./drbd-config.js";
import { damagedCopies, fakeHost, FUZZ_RUNS, sample, samplesAt } from "./testing.js";

const SAMPLES = [...samplesAt("sources/drbdsetup-show/"), ...samplesAt("lab/drbdsetup_show_")];
const V84 = sample("sources/drbdsetup-show/8.4.txt");
const SECRET = /secret|REDACTED/;

describe("the dialects", () => {
  test("8.4 shows a resource with both addresses, its volume, and what is not the default", () => {
    const { resources, damaged } = parseDrbdsetupShow(V84);
    expect(damaged).toEqual([]);
    expect(resources[0]).toEqual({
      resource: "resource0",
      minor: 0,
      backingDevice: "/dev/kvmvg/1f2e.disk0_data",
      metaDevice: "/dev/kvmvg/1f2e.disk0_meta",
      localAddress: "10.77.0.11",
      localPort: 11000,
      peerAddress: "10.77.0.12",
      peerPort: 11000,
      protocol: "A",
      allowTwoPrimaries: true,
      pingIntervalS: 3,
      pingTimeoutDs: 5,
      timeoutDs: 60,
      koCount: 7,
    });
  });

  test("in StandAlone there is no net section: no address, no protocol", () => {
    expect(parseDrbdsetupShow(V84).resources[1]).toMatchObject({
      minor: 1,
      metaDevice: "internal",
      localAddress: "",
      peerAddress: "",
      peerPort: 0,
      protocol: "",
    });
  });

  test("two volumes of a resource share its addresses, and a diskless one has no device", () => {
    const { resources } = parseDrbdsetupShow(V84);
    expect(resources.slice(2)).toMatchObject([
      { resource: "resource2", minor: 2, backingDevice: "", peerAddress: "2001:db8::12", peerPort: 11002 },
      { resource: "resource2", minor: 3, metaDevice: "/dev/kvmvg/5d6e.disk1_meta", protocol: "C" },
    ]);
  });

  test("8.3 shows one minor without a name, its defaults marked", () => {
    const { resources, damaged } = parseDrbdsetupShow(sample("sources/drbdsetup-show/8.3.txt"));
    expect(damaged).toEqual([]);
    expect(resources).toMatchObject([
      { resource: "", minor: 18, peerPort: 12589, koCount: 0, protocol: "C", allowTwoPrimaries: true },
    ]);
  });

  test("9 keeps addresses in the path of its one connection", () => {
    const { resources, damaged } = parseDrbdsetupShow(sample("sources/drbdsetup-show/9.txt"));
    expect(damaged).toEqual([]);
    expect(resources).toMatchObject([
      { resource: "web1", minor: 1000, peerAddress: "10.77.0.12", peerPort: 7000 },
    ]);
  });

  test("no resource is an answer, and not a damage", () => {
    expect(parseDrbdsetupShow("")).toEqual({ resources: [], damaged: [] });
    expect(parseDrbdsetupShow("# nothing here\n\n")).toEqual({ resources: [], damaged: [] });
  });
});

test("a real 8.4 shows each end of a link to its own node", () => {
  const [primary, secondary] = ["primary", "secondary"].map((role) =>
    parseDrbdsetupShow(sample(`lab/drbdsetup_show_${role}.txt`)),
  );
  expect(primary).toMatchObject({
    damaged: [],
    resources: [{ minor: 0, peerPort: 11000, pingIntervalS: 10 }],
  });
  expect(primary?.resources[0]?.peerAddress).toBe(secondary?.resources[0]?.localAddress);
});

describe("what is not understood", () => {
  test.each([
    ["ipv4 10.77.0.12:11000", "ipv4 10.77.0.12", "an address is not understood"],
    ["ipv4 10.77.0.12:11000", "ipv4 10.77.0.12:99999", "an address is not understood"],
    ["ipv4 10.77.0.12:11000", "ssocks 10.77.0.12:11000", "an address is not understood"],
    ["minor 0;", "minor zero;", "the device is not understood"],
    ["minor 0;", "minor 0; device minor 5;", "device is set twice"],
    ["ping-int                3;", "ping-int -3;", "ping-int is not a number"],
    ["protocol                A;", "protocol D;", "the protocol is not A, B or C"],
    ['"/dev/kvmvg/1f2e.disk0_data"', '"/etc/shadow"', "a backing device is not below /dev"],
    ["options {", "options { {", "line 2 has a mark without a word"],
  ])("%s shown as %s damages that resource, and the others still parse", (from, to, reason) => {
    const { resources, damaged } = parseDrbdsetupShow(V84.replace(from, to));
    expect(damaged).toMatchObject([{ line: 1, reason, object: "resource0" }]);
    expect(resources.map(({ minor }) => minor)).toEqual([1, 2, 3]);
  });

  test("a damaged resource still names its minor", () => {
    const { damaged } = parseDrbdsetupShow(V84.replace("protocol                A", "protocol D"));
    expect(damaged).toMatchObject([{ minor: 0 }]);
  });

  test("a section that swallows the next resource is the only one lost", () => {
    const { resources, damaged } = parseDrbdsetupShow(
      V84.replace("    options {\n    }\n", "    options {\n"),
    );
    expect(damaged).toMatchObject([{ object: "resource0", reason: "it is cut" }]);
    expect(resources).toHaveLength(3);
  });

  test("a minor that two resources claim is nobody's", () => {
    const { resources, damaged } = parseDrbdsetupShow(V84.replace("minor 1;", "minor 0;"));
    expect(resources.map(({ minor }) => minor)).toEqual([2, 3]);
    expect(damaged.map(({ minor, object }) => [minor, object])).toEqual([
      [0, "resource0"],
      [0, "resource1"],
    ]);
  });

  test("two connections are more than one peer", () => {
    const text = sample("sources/drbdsetup-show/9.txt");
    const connection = /^ {4}connection[\s\S]*^ {4}\}\n/m.exec(text)?.[0] ?? "";
    const { resources, damaged } = parseDrbdsetupShow(text.replace(connection, connection + connection));
    expect(resources).toEqual([]);
    expect(damaged).toMatchObject([{ minor: 1000, object: "web1", reason: "more than one peer" }]);
  });
});

describe("shared secrets", () => {
  test.each(SAMPLES)("nothing that was parsed from %s holds one", (_, text) => {
    expect(JSON.stringify(parseDrbdsetupShow(text))).not.toMatch(SECRET);
  });

  test("cut at any byte, neither the resources nor the reasons hold one", () => {
    for (let length = 0; length < V84.length; length++) {
      expect(JSON.stringify(parseDrbdsetupShow(V84.slice(0, length)))).not.toMatch(SECRET);
    }
  });
});

test("cut at any byte, a resource is whole only when its last brace is there", () => {
  const ends = [...V84.matchAll(/^\}/gm)].map(({ index }) => index + 1);
  const volumes = [1, 1, 2];
  for (let length = 0; length < V84.length; length++) {
    const whole = volumes
      .filter((_, index) => (ends[index] ?? 0) <= length)
      .reduce((sum, each) => sum + each, 0);
    expect(parseDrbdsetupShow(V84.slice(0, length)).resources).toHaveLength(whole);
  }
});

test("whatever happens to the text, it never throws, and no minor is both known and damaged", () => {
  fc.assert(
    fc.property(damagedCopies(SAMPLES.map(([, text]) => text)), (text) => {
      const { resources, damaged } = parseDrbdsetupShow(text);
      const minors = resources.map(({ minor }) => minor);
      expect(new Set(minors).size).toBe(minors.length);
      for (const { minor } of damaged) if (minor !== undefined) expect(minors).not.toContain(minor);
    }),
    { numRuns: FUZZ_RUNS },
  );
});

describe("the reading", () => {
  test("without /proc/drbd nothing is run: drbdsetup would load the module", async () => {
    const host = fakeHost({
      run: () => {
        throw new Error("a command was run");
      },
    });
    expect(await drbdConfig().read(host)).toMatchObject({ state: "absent" });
  });

  test.each([
    [{ exitCode: 20, stderr: "Could not connect to 'drbd' generic netlink family\n" }, "COMMAND_FAILED"],
    [{ end: "timed-out" as const, exitCode: -1 }, "COMMAND_TIMED_OUT"],
    [{ end: "hung" as const, exitCode: -1 }, "COMMAND_HUNG"],
    [{ truncated: true }, "SOURCE_FAILED"],
  ])("a drbdsetup that ends as %o is a failure", async (outcome, code) => {
    const host = fakeHost({ files: { "/proc/drbd": "" }, run: () => outcome });
    await expect(drbdConfig().read(host)).rejects.toMatchObject({ code });
  });
});
