import { CutDrbdLink, DrbdEnd, VigieError, type ActionRequest } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestedAction } from "./actions/action.js";
import { actionCommands } from "./actions/commands.js";
import { ASKER, EVERY_SAMPLE } from "./actions/testing.js";
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
      expect(text).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
    }),
    { numRuns: 2_000 },
  );
});

/** Every place in the parameters of every action that holds a text or a number. */
interface Leaf {
  readonly action: RequestedAction;
  readonly path: readonly (string | number)[];
  readonly value: string | number;
}

function leavesOf(action: RequestedAction): Leaf[] {
  return within(action.value, []);

  function within(value: unknown, path: readonly (string | number)[]): Leaf[] {
    if (typeof value === "string" || typeof value === "number") return [{ action, path, value }];
    if (Array.isArray(value)) return value.flatMap((item, index) => within(item, [...path, index]));
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value)
      .filter(([key]) => key !== "$case")
      .flatMap(([key, item]) => within(item, [...path, key]));
  }
}

/** The action with another value at this place. */
function replaced({ action, path }: Leaf, value: string | number): RequestedAction {
  const copy = structuredClone(action) as { value: unknown };
  const last = path.at(-1) ?? "";
  let at = copy.value as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[last] = value;
  return copy as RequestedAction;
}

/** What would be run; undefined: it is refused. */
function wouldRun(action: RequestedAction): string[][] | undefined {
  if (complaint(requestFor(action)) !== "") return undefined;
  return actionCommands(action, ASKER);
}

/** Arguments that it would not run with its own value. */
function newArguments(leaf: Leaf, value: string | number): string[] {
  const usual = new Set(wouldRun(leaf.action)?.flat());
  return (wouldRun(replaced(leaf, value))?.flat() ?? []).filter((arg) => !usual.has(arg));
}

const LEAVES = EVERY_SAMPLE.flatMap(([action]) => leavesOf(action));

describe("of every action, whatever is crafted (I36)", () => {
  test("no text reaches a command line that is not of its type", () => {
    const texts = LEAVES.filter(({ value }) => typeof value === "string");
    expect(texts.length).toBeGreaterThan(100);
    const through: string[] = [];
    for (const leaf of texts)
      for (const text of CRAFTED)
        if (newArguments(leaf, text).length > 0 && !isPlain(leaf, text))
          through.push(`${leaf.action.$case} ${leaf.path.join(".")} ${JSON.stringify(text)}`);
    expect(through).toEqual([]);
  });

  test("no number reaches a command line that is not a whole one in its range", () => {
    const numbers = LEAVES.filter(({ value }) => typeof value === "number");
    const through = numbers.flatMap((leaf) =>
      [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21]
        .filter((value) => newArguments(leaf, value).length > 0)
        .map((value) => `${leaf.action.$case} ${leaf.path.join(".")} ${value}`),
    );
    expect(through).toEqual([]);
  });

  test("no argument begins with a dash that a name brought, and none holds what a shell would read", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LEAVES.filter(({ value }) => typeof value === "string")),
        fc.string(),
        (leaf, text) => {
          const news = newArguments(leaf, text);
          expect(
            news.filter((arg) => /^-(?!-reason=)/.test(arg) || /[;&|`$<>\\\n\0\s'"*?]/.test(arg)),
          ).toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** A plain word is a name to LVM and device-mapper though it is none of a host. */
function isPlain({ action, path }: Leaf, text: string): boolean {
  const field = String(path.at(-1));
  const lvms =
    field === "vgName" ||
    field === "snapshotName" ||
    (action.$case === "removeVolumeMaps" && path[0] === "maps" && field === "name");
  return lvms && /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/.test(text);
}
