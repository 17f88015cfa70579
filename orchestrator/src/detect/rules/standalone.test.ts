import {
  ConnectionState,
  DrbdReasonKind,
  GanetiJob,
  KernelLogFacts,
  Role,
  Severity,
  Source,
  SourceReport,
  SourceState,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { aboutDisk, short } from "../testing.js";
import { INVENTORY, ok, onH1, onH2, type Says } from "../../view/testing.js";
import { splitBrain, standalone } from "./standalone.js";
import { foundBy, isKnown } from "../rule.js";

const ALONE = { connection: ConnectionState.STAND_ALONE, peerRole: Role.UNKNOWN };
const WAITS = { connection: ConnectionState.WF_CONNECTION, peerRole: Role.UNKNOWN };
const HEALTHY = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };

/** What each of the two rules says; never both find something. */
function judge(says: Record<string, Says>): { standalone: string | string[]; splitBrain: string | string[] } {
  return { standalone: short(aboutDisk(standalone, says)), splitBrain: short(aboutDisk(splitBrain, says)) };
}

/** What the kernel said of this minor last. */
function said(minor: number, kind: DrbdReasonKind): Says["sources"] {
  const value = KernelLogFacts.create({ drbdReasons: [{ minor, kind }] });
  return [ok(Source.KERNEL_LOG, { $case: "kernelLog", value })];
}

test("an end that gave up is StandAlone, whatever the other says", () => {
  const judged = judge({ h1: { minors: [onH1(ALONE)] }, h2: { minors: [onH2(WAITS)] } });
  expect(judged.standalone).toEqual(["web1 disk/0: StandAlone on h1; the mirror is not being written"]);
  expect(judged.splitBrain).toBe("clear");
});

test("it is critical, and shows both ends", () => {
  const answer = aboutDisk(standalone, { h1: { minors: [onH1(ALONE)] }, h2: { minors: [onH2(ALONE)] } });
  const [finding] = foundBy(answer);
  expect(finding?.severity).toBe(Severity.CRITICAL);
  expect(finding?.evidence).toHaveLength(2);
  expect(finding?.summary).toContain("h1 and h2");
});

test("while a job of Ganeti's works on the instance it is held down, for that parts the ends itself", () => {
  const says = { h1: { minors: [onH1(ALONE)] }, h2: { minors: [onH2(ALONE)] } };
  const heldDown = (status: string, instance: string): number | undefined => {
    const job = GanetiJob.create({ id: 7, status, instances: [instance] });
    const answer = aboutDisk(standalone, says, "d1", { ...INVENTORY, jobs: [job] });
    return foundBy(answer)[0]?.holdDownMs;
  };
  expect(heldDown("running", "web1")).toBe(15_000);
  expect(heldDown("waiting", "web1")).toBeUndefined();
  expect(heldDown("running", "web2")).toBeUndefined();
});

test("one end that is known to be StandAlone is enough; the other may be silent", () => {
  expect(judge({ h1: { minors: [onH1(ALONE)] } }).standalone).toHaveLength(1);
});

test("two Primaries apart are a split brain, and not also StandAlone (I8)", () => {
  const says = { h1: { minors: [onH1(ALONE)] }, h2: { minors: [onH2({ ...WAITS, role: Role.PRIMARY })] } };
  const judged = judge(says);
  expect(judged.splitBrain).toEqual([
    "web1 disk/0: split brain; a person must say which side is thrown away",
  ]);
  expect(judged.standalone).toBe("clear");
});

describe("the kernel's word", () => {
  const alone = (sources: Says["sources"]): Record<string, Says> => ({
    h1: { minors: [onH1(ALONE)], ...(sources === undefined ? {} : { sources }) },
    h2: { minors: [onH2(WAITS)] },
  });

  test("makes StandAlone a split brain", () => {
    expect(judge(alone(said(0, DrbdReasonKind.SPLIT_BRAIN))).splitBrain).toHaveLength(1);
  });

  test("about another minor is not about this one", () => {
    expect(judge(alone(said(10, DrbdReasonKind.SPLIT_BRAIN))).splitBrain).toBe("clear");
  });

  test("says of StandAlone that no connect helps, where the two ends never had the same data", () => {
    expect(judge(alone(said(0, DrbdReasonKind.UNRELATED_DATA))).standalone).toEqual([
      "web1 disk/0: StandAlone on h1; the mirror is not being written; by h1's kernel: the two ends never had the same data: to connect them does not help, only a new copy does",
    ]);
  });

  test.each([
    [DrbdReasonKind.SPLIT_BRAIN_LOST, "h1"],
    [DrbdReasonKind.SPLIT_BRAIN_WON, "h2"],
  ])("tells of a split brain that DRBD ended by itself whose writes are gone (%s: of %s)", (kind, node) => {
    const says = { ...HEALTHY, h1: { ...HEALTHY.h1, sources: said(0, kind) ?? [] } };
    expect(judge(says)).toEqual({
      standalone: "clear",
      splitBrain: [
        `web1 disk/0: DRBD ended a split brain by itself: what was written on ${node} while they were apart is gone`,
      ],
    });
  });
});

test("a split brain is not over, nor one that DRBD ended forgotten, because the log cannot be read any more (I11)", () => {
  const log = SourceReport.create({ source: Source.KERNEL_LOG, state: SourceState.FAILED, reason: "EIO" });
  const says = { h1: { minors: [onH1(ALONE)], sources: [log] }, h2: { minors: [onH2(WAITS)] } };
  const answer = aboutDisk(splitBrain, says);
  expect(["", "decided"].map((key) => isKnown(answer, key))).toEqual([false, false]);
  expect(judge(says).standalone).toHaveLength(1);
});

test("a mirror that is connected is neither", () => {
  expect(judge(HEALTHY)).toEqual({ standalone: "clear", splitBrain: "clear" });
});

test("with an end that is not known and none that is StandAlone, neither is known", () => {
  expect(judge({ ...HEALTHY, h2: { failed: "EIO" } })).toEqual({
    standalone: "unknown",
    splitBrain: "unknown",
  });
});

test("an old reading of StandAlone is not enough", () => {
  const says = { h1: { minors: [onH1(ALONE)], ageMs: 6_000 }, h2: { minors: [onH2()] } };
  expect(judge(says)).toEqual({ standalone: "unknown", splitBrain: "unknown" });
});
