import {
  ConnectionState,
  GanetiJob,
  KernelLogFacts,
  KernelLogKind,
  KernelLogLine,
  Role,
  Severity,
  Source,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { aboutDisk, short } from "../testing.js";
import { INVENTORY, ok, onH1, onH2, type Says } from "../../view/testing.js";
import { splitBrain, standalone } from "./standalone.js";
import { foundBy } from "../rule.js";

const ALONE = { connection: ConnectionState.STAND_ALONE, peerRole: Role.UNKNOWN };
const WAITS = { connection: ConnectionState.WF_CONNECTION, peerRole: Role.UNKNOWN };
const HEALTHY = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };

/** What each of the two rules says; never both find something. */
function judge(says: Record<string, Says>): { standalone: string | string[]; splitBrain: string | string[] } {
  return { standalone: short(aboutDisk(standalone, says)), splitBrain: short(aboutDisk(splitBrain, says)) };
}

function log(...texts: string[]): Says["sources"] {
  const lines = texts.map((text, i) =>
    KernelLogLine.create({ sequence: i, kind: KernelLogKind.DRBD_STATE, device: "drbd0", text }),
  );
  return [ok(Source.KERNEL_LOG, { $case: "kernelLog", value: KernelLogFacts.create({ lines }) })];
}

test("an end that gave up is StandAlone, whatever the other says", () => {
  const said = judge({ h1: { minors: [onH1(ALONE)] }, h2: { minors: [onH2(WAITS)] } });
  expect(said.standalone).toEqual(["web1 disk/0: StandAlone on h1; the mirror is not being written"]);
  expect(said.splitBrain).toBe("clear");
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
  const said = judge(says);
  expect(said.splitBrain).toEqual(["web1 disk/0: split brain; a person must say which side is thrown away"]);
  expect(said.standalone).toBe("clear");
});

describe("the kernel's word", () => {
  const split = "block drbd0: Split-Brain detected but unresolved, dropping connection!";
  const connected = "block drbd0: conn( WFReportParams -> Connected )";
  const alone = (sources: Says["sources"]): Record<string, Says> => ({
    h1: { minors: [onH1(ALONE)], ...(sources === undefined ? {} : { sources }) },
    h2: { minors: [onH2(WAITS)] },
  });

  test("makes StandAlone a split brain", () => {
    expect(judge(alone(log(split))).splitBrain).toHaveLength(1);
  });

  test("of before the last connection is over", () => {
    expect(judge(alone(log(split, connected))).splitBrain).toBe("clear");
    expect(judge(alone(log(connected, split))).splitBrain).toHaveLength(1);
  });

  test("about another minor is not about this one", () => {
    const other = (log(split) ?? []).map((report) => ({ ...report }));
    for (const { facts } of other)
      if (facts?.$case === "kernelLog") for (const line of facts.value.lines) line.device = "drbd10";
    expect(judge(alone(other)).splitBrain).toBe("clear");
  });
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
