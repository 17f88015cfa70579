/** The exit codes of `vigie status` and `vigie audit`: what wakes somebody, and what does not. */
import { GetStatusResponse, Health, ResourceStatus } from "@vigie/proto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as sample from "../testing/samples.js";
import { openStage, type Stage } from "../testing/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.reset());

const WELL = { cluster: "c", auditIntact: true, leadership: { leads: true } };
/** Nothing open, nothing unknown. */
const QUIET = {
  getStatus: () => GetStatusResponse.fromPartial(WELL),
  listNodes: () => ({ nodes: [{ ...sample.NODES.nodes[0], reporting: true }] }),
  listResources: () => ({ resources: [] }),
  listIncidents: () => ({ incidents: [] }),
  listRuns: () => ({ runs: [] }),
};

describe("status", () => {
  test("exits 10 while something is wrong", async () => {
    const { code, out } = await stage.vigie("status");
    expect(code).toBe(10);
    expect(out).toContain("running, step 2 of 4: both ends notice");
  });

  test("exits 0 when all is well, and a node that Ganeti marks offline is silent", async () => {
    Object.assign(stage.answers, QUIET, {
      listNodes: () => ({ nodes: [{ ...sample.NODES.nodes[2], offline: true }] }),
    });
    const { code, out } = await stage.vigie("status");
    expect(code).toBe(0);
    expect(out).toContain("Nothing to do.");
  });

  const maintenance = sample.MAINTENANCE;
  const silent = { ...sample.NODES.nodes[2], reporting: false, offline: false };
  const away = ResourceStatus.fromPartial({ health: Health.UNKNOWN, maintenanceNode: "h4.example" });
  /** All that is not well is what a planned maintenance explains. */
  const planned = (over: object = {}) => ({
    ...QUIET,
    getStatus: () =>
      GetStatusResponse.fromPartial({
        ...WELL,
        incidentsOpen: 1,
        incidentsQuiet: 1,
        resourcesUnknown: 1,
        resourcesUnknownExplained: 1,
        maintenances: [maintenance],
      }),
    listNodes: () => ({ nodes: [{ ...silent, maintenance }] }),
    listResources: () => ({ resources: [away] }),
    listIncidents: () => ({ incidents: [sample.EXPECTED] }),
    ...over,
  });

  test("exits 0 while all that is not well is what a planned maintenance explains", async () => {
    Object.assign(stage.answers, planned());
    const { code, out } = await stage.vigie("status");
    expect(code).toBe(0);
    expect(out).toContain("maintenance h4.example until");
  });

  test.each([
    ["another node is silent", { listNodes: () => ({ nodes: [{ ...silent, maintenance }, silent] }) }],
    [
      "another disk is unknown",
      { listResources: () => ({ resources: [away, { ...away, maintenanceNode: "" }] }) },
    ],
    [
      "an incident is not explained",
      { listIncidents: () => ({ incidents: [sample.EXPECTED, sample.INCIDENT] }) },
    ],
    [
      "an incident is acknowledged, and open",
      { listIncidents: () => ({ incidents: [sample.ACKNOWLEDGED] }) },
    ],
    [
      "more is open than is quiet",
      { getStatus: () => GetStatusResponse.fromPartial({ ...WELL, incidentsOpen: 2, incidentsQuiet: 1 }) },
    ],
  ])("exits 10 under maintenance where %s", async (_name, over) => {
    Object.assign(stage.answers, planned(over));
    expect((await stage.vigie("status")).code).toBe(10);
  });

  test.each([
    ["a thrown kill switch", { getStatus: () => ({ ...sample.STATUS, killSwitch: "laurent: x" }) }],
    [
      "a frozen run",
      { listRuns: () => ({ runs: [sample.FAILED_RUN] }), getRun: () => ({ run: sample.FAILED_RUN }) },
    ],
    [
      "a run that asks a person",
      { listRuns: () => ({ runs: [sample.RUN] }), getRun: () => ({ run: sample.ASKING_RUN }) },
    ],
    [
      "a plan that waits for approval",
      { listRuns: () => ({ runs: [sample.PLANNED] }), getRun: () => ({ run: sample.PLANNED }) },
    ],
    ["an orchestrator that does not lead", status({ leadership: { leads: false } })],
    ["an orchestrator of which it is not known whether it leads", status({ leadership: undefined })],
    ["a broken audit log", status({ auditIntact: false })],
    ["a cluster without any node", { listNodes: () => ({ nodes: [] }) }],
  ])("%s is enough for 10", async (_, answers) => {
    Object.assign(stage.answers, QUIET);
    expect((await stage.vigie("status")).code).toBe(0);
    Object.assign(stage.answers, answers);
    expect((await stage.vigie("status")).code).toBe(10);
  });

  test("a silent node is enough for 10", async () => {
    Object.assign(stage.answers, QUIET, { listNodes: () => sample.NODES });
    expect((await stage.vigie("status")).code).toBe(10);
  });

  test("a disk of which nothing is known is enough for 10", async () => {
    Object.assign(stage.answers, QUIET, { listResources: () => sample.RESOURCES });
    expect((await stage.vigie("status")).code).toBe(10);
  });
});

function status(change: object) {
  return { getStatus: () => GetStatusResponse.fromPartial({ ...WELL, ...change }) };
}

describe("the forecast of the resyncs that run", () => {
  const syncing = (leftKib: number, averageSpeedKibPerS: number | undefined): ResourceStatus =>
    ResourceStatus.fromPartial({
      health: Health.RESYNCING,
      ends: [{ drbd: { resync: { leftKib, averageSpeedKibPerS } } }, { drbd: {} }],
    });
  const told = async (...resources: ResourceStatus[]): Promise<string> => {
    stage.answers.listResources = () => ({ resources });
    const { out } = await stage.vigie("status");
    return /^resyncs +(.*)$/m.exec(out)?.[1] ?? "";
  };

  test("is of the slowest", async () => {
    expect(await told(syncing(60_000, 1_000), syncing(7_200_000, 1_000))).toContain("in 2 h");
  });

  test("is not made while the rate of one is not known, or none runs", async () => {
    expect(await told(syncing(60_000, 1_000), syncing(60_000, undefined))).toBe("");
    expect(await told()).toBe("");
  });
});

test("a broken audit chain exits 1", async () => {
  stage.answers.getStatus = () => ({ ...sample.STATUS, auditIntact: false });
  expect(await stage.vigie("audit")).toMatchObject({ code: 1 });
});

test("audit asks for the newest, and for an older time where one is named", async () => {
  stage.answers.getStatus = () => ({ ...sample.STATUS, auditRecords: 5_000 });
  const asked = async (line: string): Promise<unknown> => {
    stage.asked.length = 0;
    await stage.vigie(line);
    return stage.asked.find(({ method }) => method === "listAudit")?.request;
  };
  expect(await asked("audit --limit 10")).toMatchObject({ afterSequence: 4_990, sinceUnixMs: 0 });
  expect(await asked("audit --since 2026-03-01")).toMatchObject({ sinceUnixMs: Date.UTC(2026, 2, 1) });
  expect(await stage.vigie("audit --since yesterday")).toMatchObject({ code: 2 });
  expect(await stage.vigie("audit --since 2026-03-01 --after 4")).toMatchObject({ code: 2 });
});

test("audit verify says what is missing, cut or changed, and exits 1; 0 where all of it holds", async () => {
  const archive = { name: "000000000001-2026-01.log", firstSequence: 1, lastSequence: 31, bytes: 4_096 };
  const verified = { records: 90, head: "ab", archives: [archive], folder: "/var/lib/x/vigie.audit" };
  stage.answers.verifyAudit = () => ({ ...verified, intact: true, faults: [] });
  const whole = await stage.vigie("audit verify");
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.out).toContain("Intact: all 90 records hold");
  expect(whole.out).toContain("/var/lib/x/vigie.audit");
  stage.answers.verifyAudit = () => ({ ...verified, intact: false, faults: ["2026-01.log is missing"] });
  const broken = await stage.vigie("audit verify");
  expect(broken).toMatchObject({ code: 1 });
  expect(broken.out).toContain("- 2026-01.log is missing");
});
