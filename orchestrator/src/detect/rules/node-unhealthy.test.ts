import {
  KernelLogKind,
  KernelLogLine,
  NodeHealthFacts,
  Severity,
  Source,
  SourceReport,
  SourceState,
  SsconfFacts,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { NOW_MS, ok, SSCONF, ssconfReport, type Says } from "../../view/testing.js";
import { aboutNode, short } from "../testing.js";
import { foundBy } from "../rule.js";
import { nodeUnhealthy } from "./node-unhealthy.js";

const MIB = 1024 * 1024;
const room = (path: string, sizeMib: number, freeMib: number, inodesFree = 900) => ({
  path,
  sizeBytes: sizeMib * MIB,
  availableBytes: freeMib * MIB,
  inodes: 1000,
  inodesFree,
});

interface State {
  readonly health?: Partial<NodeHealthFacts>;
  readonly log?: readonly KernelLogLine[];
  readonly monotonicMs?: number; // of the node, when it read its kernel's log
}

function says({ health = {}, log = [], monotonicMs = 0 }: State = {}): Says {
  const value = NodeHealthFacts.create({ filesystems: [room("/", 20_000, 9_000)], ...health });
  const ofLog = ok(Source.KERNEL_LOG, {
    $case: "kernelLog",
    value: { lines: [...log], diskErrors: [], drbdReasons: [] },
  });
  return {
    sources: [ok(Source.NODE_HEALTH, { $case: "nodeHealth", value }), { ...ofLog, monotonicMs }],
  };
}

const judge = (state: State, h1: State = {}) =>
  aboutNode(nodeUnhealthy, { h1: says(h1), h2: says(state) }, "h2");

test("a node that has what it needs is healthy", () => {
  expect(short(judge({}))).toBe("clear");
});

describe("room", () => {
  const severities = (filesystems: NodeHealthFacts["filesystems"]) =>
    foundBy(judge({ health: { filesystems } })).map(({ severity, key }) => [key, severity]);

  test("is little below a twentieth or a gigabyte, whichever is less, and gone below a hundredth or 200 MiB", () => {
    expect(severities([room("/", 2_500, 126)])).toEqual([]);
    expect(severities([room("/", 2_500, 124)])).toEqual([["room /", Severity.WARNING]]);
    expect(severities([room("/", 2_500, 24)])).toEqual([["room /", Severity.CRITICAL]]);
    expect(severities([room("/", 2_000_000, 1_025)])).toEqual([]);
    expect(severities([room("/", 2_000_000, 1_023)])).toEqual([["room /", Severity.WARNING]]);
    expect(severities([room("/", 2_000_000, 199)])).toEqual([["room /", Severity.CRITICAL]]);
  });

  test("is told once for folders of one filesystem, with what to type", () => {
    const filesystems = [
      room("/", 2_500, 30),
      room("/var/lib/ganeti", 2_500, 30),
      room("/var/log", 9_000, 0),
    ];
    expect(short(judge({ health: { filesystems } }))).toEqual([
      "h2: the filesystem of / has 30 MiB left of 2500; what fills it: du -xh --max-depth=1 /",
      "h2: the filesystem of /var/log has 0 MiB left of 9000; what fills it: du -xh --max-depth=1 /var/log",
    ]);
  });

  test("is gone when no inode is left, and a filesystem without such a limit has none", () => {
    const full = [room("/", 20_000, 9_000, 3)];
    expect(short(judge({ health: { filesystems: full } }))).toEqual([
      "h2: the filesystem of / has 3 inodes left of 1000; df -i /",
    ]);
    const btrfs = [{ ...room("/", 20_000, 9_000, 0), inodes: 0 }];
    expect(short(judge({ health: { filesystems: btrfs } }))).toBe("clear");
  });
});

describe("Ganeti's daemons and certificates", () => {
  const daemons = [{ name: "ganeti-noded", running: false }];
  test("a daemon that stays away for three minutes is told, with what to type", () => {
    expect(foundBy(judge({ health: { daemons } }))).toMatchObject([
      { holdDownMs: 180_000, summary: expect.stringContaining("systemctl restart ganeti-noded") as string },
    ]);
  });

  test("and not on a node that Ganeti counts as offline", () => {
    const ssconf = ssconfReport(SsconfFacts.create({ ...SSCONF, offlineNodes: ["h1"] }));
    const h1 = says({ health: { daemons } });
    const answer = aboutNode(
      nodeUnhealthy,
      { h1: { ...h1, sources: [ssconf, ...(h1.sources ?? [])] } },
      "h1",
    );
    expect(short(answer)).toBe("clear");
  });

  const certificate = (name: string, daysLeft: number, sha256 = "A") => ({ name, daysLeft, sha256 });
  test.each([
    [31, undefined, undefined],
    [30, Severity.WARNING, "ends in 30 days"],
    [7, Severity.CRITICAL, "ends in 7 days"],
    [0, Severity.CRITICAL, "ends in less than a day"],
    [-1, Severity.CRITICAL, "has ended"],
  ])("a certificate that has %i days is told as Ganeti's own verify does", (days, severity, says_) => {
    const [found] = foundBy(judge({ health: { certificates: [certificate("client.pem", days)] } }));
    expect(found?.severity).toBe(severity);
    if (says_ !== undefined)
      expect(found?.summary).toBe(
        `h2: Ganeti's certificate client.pem ${says_}; gnt-cluster renew-crypto --new-node-certificates`,
      );
  });

  test("the cluster's certificate must be the master's; a node's own need not", () => {
    const master = {
      health: { certificates: [certificate("server.pem", 900), certificate("client.pem", 900)] },
    };
    const other = [certificate("server.pem", 900, "B"), certificate("client.pem", 900, "B")];
    expect(short(judge({ health: { certificates: other } }, master))).toEqual([
      expect.stringContaining("server.pem is not the master's"),
    ]);
    expect(short(judge({ health: { certificates: other } }, {}))).toBe("clear"); // what the master has is not known
    expect(short(judge(master, master))).toBe("clear");
  });
});

describe("tasks that hang", () => {
  const line = KernelLogLine.create({
    kind: KernelLogKind.HUNG_TASK,
    sinceBootUs: 5_000_000_000,
    text: "INFO: task jbd2/dm-3-8:811 blocked for more than 120 seconds.",
  });
  const at = (sinceLineMs: number) => judge({ log: [line], monotonicMs: 5_000_000 + sinceLineMs });
  test("are told for an hour after the kernel's last word on them", () => {
    expect(short(at(1_000))).toEqual([expect.stringContaining("task jbd2/dm-3-8:811 blocked")]);
    expect(short(at(3_599_000))).toHaveLength(1);
    expect(short(at(3_601_000))).toBe("clear");
  });
});

test("what cannot be read is not known to be well, and what was found beside it is told", () => {
  const failed = SourceReport.create({ source: Source.KERNEL_LOG, state: SourceState.FAILED, reason: "EIO" });
  const full = says({ health: { filesystems: [room("/", 2_500, 0)] } });
  const answer = aboutNode(
    nodeUnhealthy,
    { h1: { ...full, sources: [...(full.sources ?? []), failed] } },
    "h1",
  );
  expect(short(answer)).toHaveLength(1);
  expect(short(aboutNode(nodeUnhealthy, { h1: {} }, "h1"))).toBe("unknown");
  expect(short(aboutNode(nodeUnhealthy, { h1: { ...says(), ageMs: 3_600_000 } }, "h1"))).toBe("unknown");
  expect(NOW_MS).toBeGreaterThan(0);
});
