/** The rules about nodes: silent ones, disks that are gone, sources that are not understood. */
import {
  BlockDevice,
  BlockDeviceFacts,
  Damaged,
  Source,
  SourceReport,
  SourceState,
  SsconfFacts,
} from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { aboutNode, short } from "../testing.js";
import { onH1, onH2, ok, SSCONF, ssconfReport, type Says } from "../../view/testing.js";
import { diskOffline } from "./disk-offline.js";
import { nodeSilent } from "./node-silent.js";
import { sourceDamaged } from "./source-damaged.js";
import { foundBy } from "../rule.js";

const HEALTHY: Record<string, Says> = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };

describe("a node is silent", () => {
  const silent = (says: Record<string, Says>, name = "h2"): string | string[] =>
    short(aboutNode(nodeSilent, says, name));

  test("when its agent has not reported for five seconds, and its instances are named", () => {
    const says = { ...HEALTHY, h1: { minors: [onH1()], ageMs: 5_000 } };
    expect(silent(says, "h1")).toEqual([
      "h1: its agent does not report; the node, its network or the agent is down",
    ]);
    const answer = aboutNode(nodeSilent, says, "h1");
    expect(foundBy(answer)[0]?.evidence[0]?.text).toBe("primary of web1");
  });

  test("not when it reported 4.9 seconds ago", () => {
    expect(silent({ ...HEALTHY, h2: { ageMs: 4_999 } })).toBe("clear");
  });

  test("when it was never seen, but not while it may still be on its way", () => {
    expect(silent(HEALTHY, "h3")).toHaveLength(1);
    expect(short(aboutNode(nodeSilent, HEALTHY, "h3", { expectAllAfterMs: Number.MAX_SAFE_INTEGER }))).toBe(
      "unknown",
    );
  });

  test("not when Ganeti says that it is offline, or does not know it", () => {
    const offline = ssconfReport(SsconfFacts.create({ ...SSCONF, offlineNodes: ["h3"] }));
    expect(silent({ h1: { minors: [], sources: [offline] } }, "h3")).toBe("clear");
    expect(silent({ ...HEALTHY, h9: { ageMs: 60_000 } }, "h9")).toBe("clear");
  });
});

describe("a disk of a node", () => {
  const blocks = (state: string): SourceReport => {
    const devices = [BlockDevice.create({ name: "sda", state }), BlockDevice.create({ name: "vda" })];
    return ok(Source.BLOCK_DEVICES, { $case: "blockDevices", value: BlockDeviceFacts.create({ devices }) });
  };
  const gone = (said: Says): string | string[] =>
    short(aboutNode(diskOffline, { ...HEALTHY, h2: said }, "h2"));

  test.each(["offline", "transport-offline", "cancel", "deleted"])("that is %s is gone", (state) => {
    expect(gone({ sources: [blocks(state)] })).toEqual([`h2: disk sda is ${state}`]);
  });

  test.each(["running", "quiesce", "blocked", "created", ""])("that is %j is not gone", (state) => {
    expect(gone({ sources: [blocks(state)] })).toBe("clear");
  });

  test("is not known from an old reading, a failed one, or none", () => {
    expect(gone({ sources: [blocks("offline")], ageMs: 6_000 })).toBe("unknown");
    const failed = SourceReport.create({
      source: Source.BLOCK_DEVICES,
      state: SourceState.FAILED,
      reason: "EIO",
    });
    expect(gone({ sources: [failed] })).toBe("unknown");
    expect(gone({})).toBe("unknown");
  });
});

describe("a source of a node", () => {
  const odd = (says: Record<string, Says>, name = "h2"): string | string[] =>
    short(aboutNode(sourceDamaged, says, name));

  test("that holds a line which is not understood is damaged, and the line is shown", () => {
    const damaged = [Damaged.create({ line: 3, minor: 10, reason: 'unknown connection state "Conn3cted"' })];
    expect(odd({ ...HEALTHY, h2: { damaged } })).toEqual([
      'h2: proc-drbd is not understood: line 3: unknown connection state "Conn3cted"',
    ]);
  });

  test("that cannot be read is damaged; one that is absent is not", () => {
    expect(odd({ ...HEALTHY, h2: { failed: "EIO" } })).toEqual(["h2: proc-drbd cannot be read: EIO"]);
    const absent = SourceReport.create({
      source: Source.GANETI,
      state: SourceState.ABSENT,
      reason: "not the master",
    });
    expect(odd({ ...HEALTHY, h2: { sources: [absent] } })).toBe("clear");
  });

  test("is not known to be whole while the node has told nothing", () => {
    expect(odd(HEALTHY, "h3")).toBe("unknown");
  });
});
