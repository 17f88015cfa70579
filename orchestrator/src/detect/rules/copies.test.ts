/** The rules about copies that are missing or old: diskless, degraded. */
import {
  ConnectionState,
  Damaged,
  DiskState,
  DrbdReasonKind,
  KernelLogFacts,
  Severity,
  Source,
  SourceReport,
  SourceState,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { aboutDisk, short } from "../testing.js";
import { ok, onH1, onH2, stalled, type Says } from "../../view/testing.js";
import { degraded } from "./degraded.js";
import { diskless } from "./diskless.js";
import { foundBy, isKnown } from "../rule.js";

const HEALTHY: Record<string, Says> = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };
const WF = { connection: ConnectionState.WF_CONNECTION };
const disks = (says: Record<string, Says>): string | string[] => short(aboutDisk(diskless, says));
const mirror = (says: Record<string, Says>): string | string[] => short(aboutDisk(degraded, says));

describe("a minor without its disk", () => {
  test.each([DiskState.DISKLESS, DiskState.FAILED, DiskState.DETACHING])("is found in state %s", (disk) => {
    expect(disks({ ...HEALTHY, h2: { minors: [onH2({ disk })] } })).toHaveLength(1);
  });

  test("is found at each end by itself", () => {
    const disk = DiskState.DISKLESS;
    const says = { h1: { minors: [onH1({ disk })] }, h2: { minors: [onH2({ disk })] } };
    const answer = aboutDisk(diskless, says);
    expect(foundBy(answer).map(({ key }) => key)).toEqual(["h1", "h2"]);
  });

  test("is found while the other end is silent", () => {
    expect(disks({ h1: { minors: [onH1({ disk: DiskState.DISKLESS })] } })).toHaveLength(1);
  });

  test("is not one that is not configured at all", () => {
    const off = onH2({ connection: ConnectionState.UNCONFIGURED, disk: DiskState.DISKLESS });
    expect(disks({ ...HEALTHY, h2: { minors: [off] } })).toBe("clear");
  });

  test("is not known where an end is not", () => {
    expect(disks({ ...HEALTHY, h2: { failed: "EIO" } })).toBe("unknown");
    expect(disks(HEALTHY)).toBe("clear");
  });
});

describe("a mirror is degraded where", () => {
  test.each<[string, Record<string, Says>, string]>([
    [
      "an end waits for its peer",
      { ...HEALTHY, h1: { minors: [onH1(WF)] } },
      "WFConnection, UpToDate/UpToDate on h1",
    ],
    [
      "an end is old",
      { ...HEALTHY, h2: { minors: [onH2({ disk: DiskState.OUTDATED })] } },
      "Outdated/UpToDate on h2",
    ],
    [
      "something differs that nothing resyncs",
      { ...HEALTHY, h1: { minors: [onH1({ outOfSyncKib: 4 })] } },
      "Connected, UpToDate/UpToDate, 4 KiB out of sync on h1",
    ],
    ["one end is not active", { ...HEALTHY, h2: {} }, "not active on h2"],
  ])("%s", (_what, says, why) => {
    expect(mirror(says)).toEqual([expect.stringContaining(why)]);
  });

  test("a resync is paused", () => {
    const said = stalled(0);
    const [minor] = said.h1.minors ?? [];
    expect(
      mirror({
        ...said,
        h1: { minors: minor === undefined ? [] : [{ ...minor, resyncPausedByUser: true }] },
      }),
    ).toHaveLength(1);
  });
});

test("a mirror that resyncs, or is whole, or is stopped on both ends, is not degraded", () => {
  expect(mirror(stalled(0))).toBe("clear");
  expect(mirror(HEALTHY)).toBe("clear");
  expect(mirror({ h1: {}, h2: {} })).toBe("clear");
});

test("a verify compares two whole copies, and is no trouble until it has found what differs", () => {
  const verifying = (outOfSyncKib: number) => ({
    h1: { minors: [onH1({ connection: ConnectionState.VERIFY_S, outOfSyncKib })] },
    h2: { minors: [onH2({ connection: ConnectionState.VERIFY_T, outOfSyncKib })] },
  });
  expect(mirror(verifying(0))).toBe("clear");
  expect(mirror(verifying(12))).toEqual([expect.stringContaining("12 KiB out of sync")]);
});

test("what has a rule of its own is not also degraded", () => {
  const alone = { minors: [onH2({ connection: ConnectionState.STAND_ALONE })] };
  const bare = { minors: [onH2({ disk: DiskState.DISKLESS })] };
  expect(mirror({ h1: { minors: [onH1(WF)] }, h2: alone })).toBe("clear");
  expect(mirror({ ...HEALTHY, h2: bare })).toBe("clear");
});

test("a healthy end does not speak for one that is not known", () => {
  const damaged = [Damaged.create({ minor: 10, reason: "torn" })];
  expect(mirror({ ...HEALTHY, h2: { damaged } })).toBe("unknown");
  expect(mirror({ h1: { failed: "EIO" }, h2: { failed: "EIO" } })).toBe("unknown");
});

describe("beside what the states say", () => {
  const { SYNC_SOURCE, SYNC_TARGET, CONNECTED } = ConnectionState;
  const target = onH2({ connection: SYNC_TARGET, disk: DiskState.INCONSISTENT, outOfSyncKib: 4_096 });

  test("a resync that only one end knows of is told, for nothing will end it", () => {
    expect(mirror({ h1: { minors: [onH1({ connection: CONNECTED })] }, h2: { minors: [target] } })).toEqual([
      expect.stringContaining("SyncTarget on h2 beside Connected on h1: they do not know of one resync"),
    ]);
    const source = onH1({ connection: SYNC_SOURCE, outOfSyncKib: 8 });
    expect(
      mirror({
        h1: { minors: [source] },
        h2: { minors: [onH2({ connection: SYNC_SOURCE, outOfSyncKib: 8 })] },
      }),
    ).toHaveLength(1);
  });

  test("one that is finished and was never left is a stall, and is told as nothing else", () => {
    expect(mirror({ h1: { minors: [onH1({ connection: SYNC_SOURCE })] }, h2: { minors: [onH2()] } })).toBe(
      "clear",
    );
  });

  test("I/O that is suspended is critical, whatever else is wrong", () => {
    for (const connection of [CONNECTED, ConnectionState.STAND_ALONE]) {
      const answer = aboutDisk(degraded, {
        ...HEALTHY,
        h1: { minors: [onH1({ connection, ioSuspended: true })] },
      });
      expect(foundBy(answer)).toMatchObject([
        {
          severity: Severity.CRITICAL,
          summary: "web1 disk/0: I/O is suspended on h1, and the guest waits for it",
        },
      ]);
    }
  });

  test("a guest that got I/O errors because no copy answered is critical, and its link's reason is told beside the state", () => {
    const said = (kind: DrbdReasonKind): Says => ({
      minors: [onH1({ ...WF, disk: DiskState.DISKLESS })],
      sources: [
        ok(Source.KERNEL_LOG, {
          $case: "kernelLog",
          value: KernelLogFacts.create({ drbdReasons: [{ minor: 0, kind }] }),
        }),
      ],
    });
    expect(mirror({ ...HEALTHY, h1: said(DrbdReasonKind.NO_DATA) })).toEqual([
      "web1 disk/0: its guest got I/O errors on h1, for no copy answered",
    ]);
    const late = said(DrbdReasonKind.KO_COUNT);
    expect(mirror({ ...HEALTHY, h1: { ...late, minors: [onH1(WF)] } })).toEqual([
      expect.stringMatching(/WFConnection.* on h1; by h1's kernel: .*\(ko-count\)$/),
    ]);
  });

  test("what was critical is not over because an end or its kernel's log cannot be read any more (I11)", () => {
    const lost = { minors: [onH1({ disk: DiskState.DISKLESS })] };
    const apart = aboutDisk(degraded, { h1: lost, h2: { failed: "EIO" } });
    expect(["no-copy", "suspended"].map((key) => isKnown(apart, key))).toEqual([false, false]);
    const log = SourceReport.create({ source: Source.KERNEL_LOG, state: SourceState.FAILED, reason: "EIO" });
    const unread = aboutDisk(degraded, { ...HEALTHY, h1: { minors: [onH1()], sources: [log] } });
    expect(["no-data", "no-copy"].map((key) => isKnown(unread, key))).toEqual([false, true]);
  });

  test("no copy that is UpToDate is critical, and is not told while an end is unknown (I11)", () => {
    const old = { connection: ConnectionState.WF_CONNECTION, disk: DiskState.OUTDATED };
    const answer = aboutDisk(degraded, { h1: { minors: [onH1(old)] }, h2: { minors: [onH2(old)] } });
    expect(foundBy(answer)[0]).toMatchObject({
      key: "no-copy",
      severity: Severity.CRITICAL,
      summary: "web1 disk/0: no copy is UpToDate: Outdated on h1, Outdated on h2",
    });
    const known = aboutDisk(degraded, { h1: { minors: [onH1(old)] }, h2: { failed: "EIO" } });
    expect(foundBy(known).map(({ key }) => key)).toEqual([""]);
  });
});
