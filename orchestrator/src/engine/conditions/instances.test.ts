import { ConnectionState, DiskState, Guest, GuestFacts, Source, type Condition } from "@vigie/proto";
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../view/cluster-view.js";
import { cluster, NOW_MS, ok, onH1, onH2, stalled } from "../../view/testing.js";
import { createWatch } from "./index.js";
import { contextAt, short } from "./testing.js";

type What = NonNullable<Condition["what"]>;

describe("an instance is redundant", () => {
  const redundant: What = { $case: "redundant", value: { instance: "web1", forMs: 10_000 } };
  const whole = { h1: { minors: [onH1()] }, h2: { minors: [onH2()] } };

  /** As the agents count it themselves. */
  function since(view: ClusterView, ms: { h1?: number; h2?: number }): ClusterView {
    const nodes = new Map(view.nodes);
    for (const [name, forMs] of Object.entries(ms)) {
      const node = nodes.get(name);
      if (node === undefined) continue;
      const minors = [...node.minors].map(
        ([minor, v]) => [minor, { ...v, redundantSinceMs: NOW_MS - forMs }] as const,
      );
      nodes.set(name, { ...node, minors: new Map(minors) });
    }
    return { ...view, nodes };
  }

  test("when both ends have seen it whole for long enough (I10)", () => {
    const look = (view: ClusterView): string => short(createWatch({ what: redundant }, contextAt(0))(view));
    expect(look(since(cluster(whole), { h1: 10_000, h2: 10_000 }))).toBe("seen");
    expect(look(since(cluster(whole), { h1: 10_000, h2: 9_999 }))).toBe("not yet");
    expect(look(since(cluster(whole), { h1: 10_000 }))).toBe("not yet");
    expect(look(cluster(stalled(0)))).toBe("not yet");
  });

  test("never, where it has no mirrored disk", () => {
    const what: What = { $case: "redundant", value: { instance: "web9", forMs: 0 } };
    expect(short(createWatch({ what }, contextAt(0))(cluster(whole)))).toContain("no mirrored disk");
  });

  test("not yet, where Ganeti was not heard since the orchestrator started: it is unknown, and not unmirrored (I11)", () => {
    const view = { ...cluster(whole), inventory: undefined, instances: new Map(), resources: new Map() };
    expect(short(createWatch({ what: redundant }, contextAt(0))(view))).toBe("not yet");
  });

  test("never, once an end has been StandAlone for ten seconds: for a moment Ganeti itself does that (I8)", () => {
    let nowMs = NOW_MS;
    const watch = createWatch({ what: redundant }, contextAt(0, { nowMs: () => nowMs }));
    const alone = cluster({
      h1: { minors: [onH1({ connection: ConnectionState.STAND_ALONE, peerDisk: DiskState.D_UNKNOWN })] },
      h2: { minors: [onH2()] },
    });
    expect(short(watch(alone))).toBe("not yet");
    nowMs += 10_000;
    expect(short(watch(alone))).toContain("StandAlone");
  });

  test("and until then it says how much is left, and when it will be done at the rate it measured", () => {
    let nowMs = NOW_MS;
    const watch = createWatch({ what: redundant }, contextAt(0, { nowMs: () => nowMs }));
    const left = (kib: number): ClusterView => {
      const resync = { totalKib: 100_000, leftKib: kib };
      const { SYNC_SOURCE, SYNC_TARGET } = ConnectionState;
      const own = { connection: SYNC_SOURCE, outOfSyncKib: kib, peerDisk: DiskState.INCONSISTENT };
      const base = onH1(own);
      return cluster({
        h1: { minors: [{ ...base, resync: { ...RESYNC, ...resync } }] },
        h2: { minors: [onH2({ connection: SYNC_TARGET, outOfSyncKib: kib, disk: DiskState.INCONSISTENT })] },
      });
    };
    watch(left(100_000));
    nowMs += 10_000;
    const seen = watch(left(75_000));
    const progress = { donePercent: 25, finishUnixMs: nowMs + 30_000, kibPerS: 2_500 };
    expect(seen).toMatchObject({ progress });
  });

  test("and while a job of Ganeti's is waited for beside it, that tells how far it is too", () => {
    const what: What = {
      $case: "allOf",
      value: { conditions: [{ what: { $case: "jobOver", value: { jobId: 9 } } }, { what: redundant }] },
    };
    const { SYNC_SOURCE, SYNC_TARGET } = ConnectionState;
    const resync = { ...RESYNC, totalKib: 100_000, leftKib: 50_000 };
    const source = {
      connection: SYNC_SOURCE,
      peerDisk: DiskState.INCONSISTENT,
      outOfSyncKib: 50_000,
      resync,
    };
    const target = { connection: SYNC_TARGET, disk: DiskState.INCONSISTENT, outOfSyncKib: 50_000 };
    const view = cluster({ h1: { minors: [onH1(source)] }, h2: { minors: [onH2(target)] } });
    expect(createWatch({ what }, contextAt(0))(view)).toMatchObject({
      what: expect.stringContaining("resync 50.0 %"),
      progress: { donePercent: 50 },
    });
  });
});

const RESYNC = {
  verify: false,
  donePercent: 0,
  leftKib: 0,
  totalKib: 0,
  leftResolutionKib: 1,
  finishS: undefined,
  speedKibPerS: undefined,
  averageSpeedKibPerS: undefined,
  wantKibPerS: undefined,
  kernelSaysStalled: false,
};

describe("an instance runs where it should", () => {
  const on: What = { $case: "instanceOn", value: { instance: "web1", node: "h1", running: true } };
  const guests = (...names: string[]) =>
    ok(Source.GUESTS, {
      $case: "guests",
      value: GuestFacts.create({ guests: names.map((instance) => Guest.create({ instance })) }),
    });
  const look = (h1: string[], h2: string[] | undefined): string =>
    short(
      createWatch(
        { what: on },
        contextAt(0),
      )(
        cluster({
          h1: { sources: [guests(...h1)] },
          h2: h2 === undefined ? {} : { sources: [guests(...h2)] },
        }),
      ),
    );

  test("when its node's hypervisor has it, and the other's does not", () => {
    expect(look(["web1"], [])).toBe("seen");
    expect(look(["web2"], [])).toBe("not yet");
  });

  test("not when the other node has not said that it does not run there", () => {
    expect(look(["web1"], undefined)).toBe("not yet");
  });

  test("never, when it runs twice: a person must stop one", () => {
    expect(look(["web1"], ["web1"])).toContain("stop one of them");
  });
});

test("a disk that a queued job will mend is no reason to ask a person; one that nothing mends is", () => {
  const view = cluster({
    h1: { minors: [onH1({ peerDisk: DiskState.DISKLESS })] },
    h2: { minors: [onH2({ disk: DiskState.DISKLESS })] },
  });
  const redundant: What = { $case: "redundant", value: { instance: "web1", forMs: 0 } };
  const queued: What = { $case: "jobSucceeded", value: { stepId: "", jobId: 7 } };
  const looked = (...parts: What[]) =>
    createWatch(
      { what: { $case: "allOf", value: { conditions: parts.map((what) => ({ what })) } } },
      contextAt(0),
    )(view);
  expect(looked(queued, redundant)).not.toHaveProperty("stuck");
  expect(looked(redundant)).toMatchObject({ stuck: expect.stringContaining("Diskless") });
});
