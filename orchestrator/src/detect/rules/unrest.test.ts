/** What no single reading shows: a link that is lost again and again, two Primaries without a job, a Ganeti that is held up. */
import { ConnectionState, GanetiFacts, GanetiJob, IncidentKind, Role } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import { emptyView, joined, withNode, type ClusterView } from "../../view/cluster-view.js";
import { endViews } from "../../view/end-view.js";
import { foldReport, unseenNode, type NodeView } from "../../view/node-view.js";
import {
  ganetiReport,
  INVENTORY,
  NOW_MS,
  onH1,
  onH2,
  reportOf,
  SSCONF,
  ssconfReport,
} from "../../view/testing.js";
import { aboutDisk, aboutNode, SETTINGS, short } from "../testing.js";
import { foundBy } from "../rule.js";
import { ganetiHeldUp } from "./ganeti-held-up.js";
import { RULES } from "./index.js";
import { linkUnstable } from "./link-unstable.js";
import { twoPrimaries } from "./two-primaries.js";

const { CONNECTED, SYNC_SOURCE, SYNC_TARGET, WF_CONNECTION } = ConnectionState;

describe("a link is unstable", () => {
  /** h1's minor is in these states, one each minute, the last one now. */
  function after(states: readonly ConnectionState[]): string | string[] {
    let h1: NodeView = unseenNode("h1");
    const own = [ssconfReport(SSCONF), ganetiReport(INVENTORY)];
    states.forEach((connection, i) => {
      const atMs = NOW_MS - (states.length - 1 - i) * 60_000;
      h1 = foldReport(h1, reportOf({ minors: [onH1({ connection })] }, own), atMs);
    });
    let view: ClusterView = withNode(emptyView("h1"), { ...h1, connected: true }, "h1");
    view = joined(withNode(view, foldReport(unseenNode("h2"), reportOf({ minors: [onH2()] }), NOW_MS), "h1"));
    const resource = view.resources.get("d1");
    if (resource === undefined) throw new Error("no disk d1");
    return short(linkUnstable.judge(resource, endViews(view, resource, NOW_MS), view, SETTINGS));
  }
  const loop = (times: number): ConnectionState[] =>
    Array.from({ length: times }, () => [CONNECTED, WF_CONNECTION, SYNC_SOURCE]).flat();

  test("when it is lost five times in half an hour, though it is whole each time it is looked at", () => {
    expect(after([...loop(5), CONNECTED])).toEqual([
      "web1 disk/0: in 30 min its link was lost 5 times, and a resync began 5 times",
    ]);
    expect(after([...loop(4), CONNECTED])).toBe("clear");
  });

  test("and no more when it has held for half an hour", () => {
    expect(after([...loop(5), ...Array.from({ length: 31 }, () => CONNECTED)])).toBe("clear");
  });

  test("when a Primary runs ahead of its peer again and again", () => {
    const ahead = Array.from({ length: 6 }, () => [ConnectionState.AHEAD, SYNC_SOURCE]).flat();
    expect(after([...ahead, CONNECTED])).toHaveLength(1);
  });
});

describe("two Primaries", () => {
  const primary = { role: Role.PRIMARY, peerRole: Role.PRIMARY };
  const both = { h1: { minors: [onH1(primary)] }, h2: { minors: [onH2(primary)] } };
  const with_ = (...jobs: GanetiJob[]): GanetiFacts => GanetiFacts.create({ ...INVENTORY, jobs });

  test("are told where no job of Ganeti's migrates the instance", () => {
    expect(short(aboutDisk(twoPrimaries, both, "d1", with_()))).toEqual([
      expect.stringContaining("Primary on h1 and h2, and no job of Ganeti's migrates it"),
    ]);
    const migrates = GanetiJob.create({ id: 7, status: "running", instances: ["web1"] });
    expect(short(aboutDisk(twoPrimaries, both, "d1", with_(migrates)))).toBe("clear");
    const other = GanetiJob.create({ id: 7, status: "running", instances: ["web2"] });
    expect(short(aboutDisk(twoPrimaries, both, "d1", with_(other)))).toHaveLength(1);
  });

  test("whose link is down are split brain, and told as that", () => {
    const apart = { ...primary, connection: WF_CONNECTION };
    const says = { h1: { minors: [onH1(apart)] }, h2: { minors: [onH2(apart)] } };
    expect(short(aboutDisk(twoPrimaries, says, "d1", with_()))).toBe("clear");
  });

  test("are not known where an end is not", () => {
    expect(short(aboutDisk(twoPrimaries, { ...both, h2: { failed: "EIO" } }, "d1", with_()))).toBe("unknown");
    const resyncs = { ...primary, connection: SYNC_TARGET };
    expect(
      short(aboutDisk(twoPrimaries, { ...both, h2: { minors: [onH2(resyncs)] } }, "d1", with_())),
    ).toHaveLength(1);
  });
});

describe("Ganeti is held up", () => {
  const judge = (facts: Partial<GanetiFacts>, node = "h1") =>
    aboutNode(ganetiHeldUp, { h1: {}, h2: {} }, node, {}, GanetiFacts.create({ ...INVENTORY, ...facts }));

  test("by a drained queue, a paused watcher and a job that waits, each after its own time", () => {
    const jobs = [
      GanetiJob.create({ id: 7, status: "waiting", summary: "INSTANCE_STARTUP(web1)" }),
      GanetiJob.create({ id: 8, status: "running", summary: "INSTANCE_REPLACE_DISKS(web2)" }),
    ];
    const found = foundBy(judge({ queueDrained: true, watcherPausedUntilUnixS: 1_800_000_000, jobs }));
    expect(found.map(({ key, holdDownMs }) => [key, holdDownMs])).toEqual([
      ["queue", 900_000],
      ["watcher", 18_000_000],
      ["job 7", 7_200_000],
    ]);
    expect(found[2]?.summary).toBe(
      "Ganeti: job 7 is waiting for hours: INSTANCE_STARTUP(web1); gnt-job list",
    );
  });

  test("at the master alone, and not by what it says no more", () => {
    expect(short(judge({}))).toBe("clear");
    expect(short(judge({ queueDrained: true }, "h2"))).toBe("clear");
    expect(short(aboutNode(ganetiHeldUp, { h1: { ageMs: 60_000 } }, "h1"))).toBe("unknown");
  });
});

test("there is one rule a kind, and one kind a rule", () => {
  const kinds = RULES.map(({ kind }) => kind);
  const all = Object.values(IncidentKind).filter(
    (kind) => kind !== IncidentKind.UNSPECIFIED && kind !== IncidentKind.UNRECOGNIZED,
  );
  expect(kinds.toSorted()).toEqual(all.toSorted());
});
