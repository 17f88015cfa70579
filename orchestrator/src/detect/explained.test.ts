import {
  ConnectionState,
  Damaged,
  DiskState,
  Incident,
  IncidentKind,
  Role,
  Source,
  SourceReport,
  SourceState,
  Subject,
} from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cluster, INVENTORY, NOW_MS, onH1, onH2, type Says } from "../view/testing.js";
import { explainedBy, explainedEnd } from "./explained.js";
import { judgeNode } from "./detect.js";
import { foundBy } from "./rule.js";
import { SETTINGS } from "./testing.js";

const { WF_CONNECTION, STAND_ALONE, SYNC_SOURCE } = ConnectionState;
const AWAY: Says = { offline: true, ageMs: 60_000, minors: [onH2()] };
/** h1 serves web1 from its own copy while h2 is away. */
const ALONE: Says = { minors: [onH1({ connection: WF_CONNECTION, peerDisk: DiskState.D_UNKNOWN })] };
const NODES = ["h1", "h2", "h3"];

const degraded = (key = ""): Incident =>
  Incident.create({
    kind: IncidentKind.DEGRADED,
    findingKey: key,
    subject: { instance: "web1", diskIndex: 0, node: "h1", minor: 0 },
  });
const about = (kind: IncidentKind, node: string, findingKey = ""): Incident =>
  Incident.create({ kind, findingKey, subject: Subject.create({ node }) });
const diskless = (node: string): Incident => ({
  ...degraded(node),
  kind: IncidentKind.DISKLESS,
});

function explained(incident: Incident, says: Readonly<Record<string, Says>>, nodes = ["h2"]): string {
  return explainedBy(incident, cluster(says), nodes, NOW_MS) ?? "";
}

describe("a planned maintenance of h2 explains", () => {
  const says = { h1: ALONE, h2: AWAY };

  test("that it is silent, or dead, and that its guests are down; not the same of another node", () => {
    for (const kind of [IncidentKind.NODE_SILENT, IncidentKind.NODE_DEAD, IncidentKind.GUEST_DOWN]) {
      expect(explained(about(kind, "h2"), says)).toBe("h2");
      expect(explained(about(kind, "h1"), says)).toBe("");
      expect(explained(about(kind, "h2"), says, [])).toBe("");
    }
  });

  test("that a daemon of Ganeti's is not running there, and nothing else that the node lacks", () => {
    expect(explained(about(IncidentKind.NODE_UNHEALTHY, "h2", "ganeti-noded"), says)).toBe("h2");
    expect(explained(about(IncidentKind.NODE_UNHEALTHY, "h1", "ganeti-noded"), says)).toBe("");
    expect(explained(about(IncidentKind.NODE_UNHEALTHY, "h2", "room /"), says)).toBe("");
  });

  test("that a mirror lives from its other end, which is UpToDate, and that it is not active on h2", () => {
    expect(explained(degraded(), says)).toBe("h2");
    expect(explained(degraded(), { h1: ALONE, h2: { minors: [] } })).toBe("h2");
    expect(explained(degraded(), { h1: ALONE, h2: { minors: [onH2({ connection: WF_CONNECTION })] } })).toBe(
      "h2",
    );
  });

  test("that its end has no disk, while h1 has", () => {
    const without = onH2({ disk: DiskState.DISKLESS });
    expect(explained(diskless("h2"), { h1: { minors: [onH1()] }, h2: { minors: [without] } })).toBe("h2");
  });

  test("that a source of it cannot be read, as while its daemons stop", () => {
    const failed = SourceReport.create({ source: Source.LVM, state: SourceState.FAILED, reason: "killed" });
    const incident = Incident.create({
      kind: IncidentKind.SOURCE_DAMAGED,
      subject: { node: "h2", source: Source.LVM },
    });
    expect(explained(incident, { h1: ALONE, h2: { minors: [], sources: [failed] } })).toBe("h2");
    const ganeti = SourceReport.create({ ...failed, source: Source.GANETI });
    const ofAll = Incident.create({ ...incident, subject: { node: "h2", source: Source.GANETI } });
    expect(explained(ofAll, { h1: ALONE, h2: { minors: [], sources: [ganeti] } })).toBe("");
    const odd = SourceReport.create({ ...failed, damaged: [Damaged.create({ reason: "what is that?" })] });
    expect(explained(incident, { h1: ALONE, h2: { minors: [], sources: [odd] } })).toBe("");
  });
});

describe("it does not explain", () => {
  test.each([
    ["Inconsistent", { disk: DiskState.INCONSISTENT }],
    ["Outdated", { disk: DiskState.OUTDATED }],
    ["Diskless", { disk: DiskState.DISKLESS }],
    ["StandAlone", { connection: STAND_ALONE }],
    ["suspended", { ioSuspended: true }],
  ])("a mirror whose other end is %s: that is less than the maintenance takes away", (_name, change) => {
    const h1 = { minors: [onH1({ connection: WF_CONNECTION, peerDisk: DiskState.D_UNKNOWN, ...change })] };
    expect(explained(degraded(), { h1, h2: AWAY })).toBe("");
  });

  test.each([
    ["silent", { ...ALONE, offline: true, ageMs: 60_000 }],
    ["not understood", { minors: [], damaged: [Damaged.create({ minor: 0, reason: "Conn3cted" })] }],
    ["not active", { minors: [] }],
    ["not to be read", { failed: "EIO" }],
  ])("a mirror of which the other end is %s: nobody knows that there is a good copy (I11)", (_name, h1) => {
    expect(explained(degraded(), { h1, h2: AWAY })).toBe("");
  });

  test("a mirror whose line on h2 was read and not understood", () => {
    const h2 = { minors: [], damaged: [Damaged.create({ minor: 10, reason: "Conn3cted" })] };
    expect(explained(degraded(), { h1: ALONE, h2 })).toBe("");
  });

  test("a mirror that h2's guest writes alone, now or when it was last seen: its newest copy is there", () => {
    const apart = onH2({ connection: WF_CONNECTION, role: Role.PRIMARY });
    expect(explained(degraded(), { h1: ALONE, h2: { minors: [apart] } })).toBe("");
    expect(explained(degraded(), { h1: ALONE, h2: { ...AWAY, minors: [apart] } })).toBe("");
    expect(
      explained(degraded(), { h1: ALONE, h2: { ...AWAY, minors: [onH2({ role: Role.PRIMARY })] } }),
    ).toBe("h2");
  });

  test("that no copy is UpToDate, that I/O is suspended, or that h1's end has no disk", () => {
    const says = { h1: ALONE, h2: AWAY };
    expect(explained(degraded("no-copy"), says)).toBe("");
    expect(explained(degraded("suspended"), says)).toBe("");
    expect(explained(diskless("h1"), says)).toBe("");
  });

  test("anything of another kind, on h2 itself either", () => {
    const explains = new Set([
      IncidentKind.NODE_SILENT,
      IncidentKind.NODE_DEAD,
      IncidentKind.GUEST_DOWN,
      IncidentKind.DEGRADED,
      IncidentKind.DISKLESS,
      IncidentKind.SOURCE_DAMAGED,
    ]);
    for (const kind of Object.values(IncidentKind).filter((it) => !explains.has(it))) {
      expect(explained(about(kind, "h2"), { h1: ALONE, h2: AWAY }, NODES), kind).toBe("");
      expect(explained({ ...degraded(), kind }, { h1: ALONE, h2: AWAY }, NODES), kind).toBe("");
    }
  });

  test("a disk that Ganeti does not name", () => {
    const incident = Incident.create({ kind: IncidentKind.DEGRADED, subject: { node: "h2", minor: 77 } });
    const stray = onH2({ minor: 77, connection: WF_CONNECTION });
    expect(explained(incident, { h1: {}, h2: { minors: [stray] } })).toBe("");
  });
});

describe("a disk that is not well needs nobody", () => {
  const end = (says: Readonly<Record<string, Says>>, nodes: readonly string[]): string => {
    const view = cluster(says);
    const resource = view.resources.get("d1");
    return resource === undefined ? "?" : (explainedEnd(resource, view, nodes, NOW_MS) ?? "");
  };

  test("while one end is away and planned to be, or both are", () => {
    expect(end({ h1: ALONE, h2: AWAY }, ["h2"])).toBe("h2");
    expect(end({ h1: { ...ALONE, offline: true, ageMs: 60_000 }, h2: AWAY }, ["h1", "h2"])).toBe("h1");
  });

  test("but not where an end is away that nobody planned, or where a good copy is not known", () => {
    expect(end({ h1: ALONE, h2: AWAY }, ["h1", "h3"])).toBe("");
    expect(end({ h1: { ...ALONE, offline: true, ageMs: 60_000 }, h2: AWAY }, ["h2"])).toBe("");
    expect(end({ h1: { failed: "EIO" }, h2: AWAY }, ["h1", "h2"])).toBe("");
  });
});

const CONNECTIONS = [
  WF_CONNECTION,
  STAND_ALONE,
  SYNC_SOURCE,
  ConnectionState.SYNC_TARGET,
  ConnectionState.CONNECTED,
];
const DISKS = [
  DiskState.UP_TO_DATE,
  DiskState.INCONSISTENT,
  DiskState.OUTDATED,
  DiskState.DISKLESS,
  DiskState.FAILED,
  DiskState.D_UNKNOWN,
];

/** web1's two ends, and h3 beside them, in any state, some of them silent. */
const anyCluster = fc
  .record({
    minors: fc.array(
      fc.record({
        connection: fc.constantFrom(...CONNECTIONS),
        role: fc.constantFrom(Role.PRIMARY, Role.SECONDARY),
        disk: fc.constantFrom(...DISKS),
        peerDisk: fc.constantFrom(...DISKS),
        ioSuspended: fc.boolean(),
        outOfSyncKib: fc.constantFrom(0, 4_096),
      }),
      { minLength: 2, maxLength: 2 },
    ),
    ages: fc.array(fc.constantFrom(0, 60_000), { minLength: 3, maxLength: 3 }),
    has: fc.array(fc.constantFrom("minor", "none", "damaged", "failed"), { minLength: 2, maxLength: 2 }),
    still: fc.constantFrom(0, 8_000),
  })
  .map(({ minors: [a, b], ages, has, still }) => {
    const says = (minor: ReturnType<typeof onH1>, n: number): Says => ({
      ageMs: ages[n] ?? 0,
      offline: (ages[n] ?? 0) > 0,
      ...(has[n] === "minor" ? { minors: [minor], still: { [minor.minor]: still } } : {}),
      ...(has[n] === "damaged" ? { damaged: [Damaged.create({ minor: minor.minor, reason: "?" })] } : {}),
      ...(has[n] === "failed" ? { failed: "EIO" } : {}),
    });
    return { h1: says(onH1(a), 0), h2: says(onH2(b), 1), h3: { ageMs: ages[2] ?? 0 } };
  });

/** What is found in it, as its incidents would be. */
function incidentsOf(says: Readonly<Record<string, Says>>): Incident[] {
  const view = cluster(says);
  return NODES.flatMap((node) => judgeNode(view, node, NOW_MS, SETTINGS)).flatMap(({ rule, answer }) =>
    foundBy(answer).map((it) =>
      Incident.create({
        kind: rule.kind,
        subject: it.subject,
        findingKey: it.key,
        severity: it.severity,
        summary: it.summary,
      }),
    ),
  );
}

test("whatever is seen, and whichever nodes are under maintenance, what does not involve them is told", () => {
  let quieted = 0;
  fc.assert(
    fc.property(anyCluster, fc.subarray(NODES), (says, planned) => {
      const view = cluster(says);
      for (const incident of incidentsOf(says)) {
        const node = explainedBy(incident, view, planned, NOW_MS);
        if (node === undefined) continue;
        quieted += 1;
        const disk = incident.subject?.instance === "web1" ? ["h1", "h2"] : [incident.subject?.node];
        expect(disk).toContain(node);
        expect(planned).toContain(node);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(quieted).toBeGreaterThan(200); // or it proves nothing
});

test("whatever is seen, no incident of a disk is quiet unless its end elsewhere is known to be UpToDate", () => {
  fc.assert(
    fc.property(anyCluster, fc.constantFrom("h1", "h2"), (says, planned) => {
      const view = cluster(says);
      const other = planned === "h1" ? says.h2 : says.h1;
      const quiet = incidentsOf(says).filter(
        (it) => it.subject?.instance === "web1" && explainedBy(it, view, [planned], NOW_MS) !== undefined,
      );
      if (quiet.length === 0) return;
      expect(other.ageMs).toBe(0);
      expect(other.minors?.[0]?.disk).toBe(DiskState.UP_TO_DATE);
      expect(quiet.map(({ kind }) => kind)).not.toContain(IncidentKind.SPLIT_BRAIN);
    }),
    { numRuns: 2_000 },
  );
});

test("a maintenance of every node quiets no stall, no split brain and no second Primary", () => {
  expect(INVENTORY.nodes).toHaveLength(NODES.length);
  fc.assert(
    fc.property(anyCluster, (says) => {
      const view = cluster(says);
      const never = [
        IncidentKind.STALLED_SYNC,
        IncidentKind.SPLIT_BRAIN,
        IncidentKind.STANDALONE,
        IncidentKind.TWO_PRIMARIES,
      ];
      for (const incident of incidentsOf(says).filter(({ kind }) => never.includes(kind)))
        expect(explainedBy(incident, view, NODES, NOW_MS)).toBeUndefined();
    }),
  );
});
