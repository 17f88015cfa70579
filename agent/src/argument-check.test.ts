import { CutDrbdLink, DrbdEnd, VigieError, type ActionRequest } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkArguments } from "./argument-check.js";
import { stall } from "./guards/testing.js";
import { cutRequest, requestFor } from "./testing.js";

function withEnd(change: Partial<DrbdEnd>): ActionRequest {
  const request = cutRequest();
  const end = DrbdEnd.create({ ...stall().params.end, ...change });
  return { ...request, action: { kind: { $case: "cutDrbdLink", value: CutDrbdLink.create({ end }) } } };
}

function complaint(request: ActionRequest): string {
  try {
    checkArguments(request);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(VigieError);
    expect((error as VigieError).code).toBe("INVALID_ARGUMENT");
    return (error as VigieError).message;
  }
}

/** What was tried on other systems: options, shell, paths, control characters, look-alikes, nothing at all. */
const CRAFTED = [
  "",
  " ",
  "-",
  "--",
  "-f",
  "--force",
  "-j ACCEPT",
  "a;reboot",
  "a&&reboot",
  "a|reboot",
  "$(reboot)",
  "`reboot`",
  "${IFS}reboot",
  "a\nreboot",
  "a\r\nreboot",
  "a\0b",
  "a\tb",
  "a b",
  "'a'",
  '"a"',
  "a\\b",
  "a*",
  "a?",
  "a[0]",
  "~root",
  "#a",
  "!a",
  "%00",
  "%2e%2e",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "a/../b/c",
  "a=b",
  "a,tcp:22",
  "héberge.example",
  "аpple.example", // Cyrillic а
  "a\u200bb",
  "\ufeffa",
  "\u202eelpmaxe",
  "a".repeat(300),
  "a.example-",
  ".a.example",
];

/** A path in a volume group is two names; this one is harmless there. */
const NAME_FIELDS = ["instance", "node", "peerNode"] as const;

describe("a crafted text is refused", () => {
  test.each(NAME_FIELDS)("as %s", (field) => {
    expect(CRAFTED.filter((text) => complaint(withEnd({ [field]: text })) === "")).toEqual([]);
  });

  test("as an address", () => {
    const addresses = [
      "10.0.0.2/0",
      "10.0.0.2,tcp:22",
      "0.0.0.0/0",
      "h2.example",
      "fd00::2%eth0;x",
      "010.0.0.2",
    ];
    for (const field of ["localAddress", "peerAddress"])
      expect(
        [...CRAFTED, ...addresses].filter((text) => complaint(withEnd({ [field]: text })) === ""),
      ).toEqual([]);
  });

  test("as a volume", () => {
    const volumes = [
      "kvmvg",
      "kvmvg/",
      "/lv",
      "kvmvg/-lv",
      "-vg/lv",
      "a/b/c",
      "vg/lv;x",
      "vg/l v",
      "vg/..",
      "../lv",
    ];
    expect([...CRAFTED, ...volumes].filter((text) => complaint(withEnd({ dataLv: text })) === "")).toEqual(
      [],
    );
  });

  test("as a run or step id, for these reach the kernel's comment and the log", () => {
    const runs = ["r-", "r-A", "r 1", "x-1", 'r-1" comment "', ...CRAFTED];
    expect(runs.filter((runId) => complaint(cutRequest({ runId })) === "")).toEqual([]);
    expect(CRAFTED.filter((stepId) => complaint(cutRequest({ stepId })) === "")).toEqual([]);
  });
});

test.each([
  ["ssh", 22],
  ["Ganeti's node daemon", 1811],
  ["a privileged port", 1023],
  ["no port", 0],
  ["a port that is none", 65_536],
  ["half a port", 11_000.5],
  ["a negative port", -1],
])("%s is never cut (I18)", (_what, port) => {
  expect(complaint(withEnd({ port }))).toContain("port");
});

test("this node's own address is never cut off", () => {
  expect(complaint(withEnd({ peerAddress: "10.0.0.1" }))).toContain("own");
  const otherwise = ["fd00:0::1", "FD00::1", "fd00:0:0:0:0:0:0:1", "fd00::0.0.0.1", "fd00::1%eth0"];
  for (const peerAddress of otherwise)
    expect(complaint(withEnd({ localAddress: "fd00::1", peerAddress })), peerAddress).not.toBe("");
});

test("loopback, unspecified and multicast addresses are no peer's", () => {
  const nobody = [
    "127.0.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "ff02::1",
    "::ffff:10.0.0.2",
  ];
  expect(nobody.filter((peerAddress) => complaint(withEnd({ peerAddress })) === "")).toEqual([]);
});

test("a request without an action or an end is refused", () => {
  expect(complaint(cutRequest({ action: undefined }))).toContain("no action");
  expect(complaint(cutRequest({ action: { kind: undefined } }))).toContain("no action");
  expect(complaint(requestFor({ $case: "cutDrbdLink", value: CutDrbdLink.create({}) }))).toContain(
    "no DRBD end",
  );
});

test("names as Ganeti and LVM write them pass", () => {
  expect(complaint(cutRequest())).toBe("");
  expect(complaint(withEnd({ dataLv: "kvmvg/9c6c-4.disk0_data", instance: "a" }))).toBe("");
  expect(complaint(withEnd({ localAddress: "fd00::1", peerAddress: "fd00::2" }))).toBe("");
});

test("whatever passes as a name is one harmless word", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom(...CRAFTED)), (text) => {
      if (complaint(withEnd({ instance: text })) !== "") return;
      expect(text).toMatch(/^[A-Za-z0-9][A-Za-z0-9.-]*$/);
    }),
    { numRuns: 2_000 },
  );
});
