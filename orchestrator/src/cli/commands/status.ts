/** `vigie status`: several questions at once, because the screen must say in one look what is wrong and what to do. */
import type { Command } from "commander";
import {
  Health,
  IncidentState,
  RunState,
  type ResourceStatus,
  type ResyncProgress,
  type Run,
} from "@vigie/proto";
import type { Api } from "../api.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { Invocation, Register } from "../invocation.js";
import { isSilent } from "../render/nodes.js";
import { askedOf } from "../../wording/progress.js";
import { isQuiet } from "../../wording/quiet.js";
import type { HealthCounts, StatusView } from "../render/status-view.js";
import { renderStatus } from "../render/status.js";

const RUNS_IN_DETAIL = 5; // there are never many at once (I9)

export function addStatus(program: Command, register: Register): void {
  const command = program
    .command("status")
    .description("what is wrong, what is being done about it, what to do next");
  register(command, ({ withApi, show, io }: Invocation) =>
    withApi(async (api) => {
      const view = await gather(api, io.now());
      show(view, renderStatus);
      return exitCodeFor(view);
    }),
  );
}

async function gather(api: Api, nowUnixMs: number): Promise<StatusView> {
  const [status, { nodes }, { resources }, { incidents }, { runs }] = await Promise.all([
    api.ask("getStatus", {}),
    api.ask("listNodes", {}),
    api.ask("listResources", { node: "", instance: "" }),
    api.ask("listIncidents", { includeClosed: false, limit: 0 }),
    api.ask("listRuns", { openOnly: true, limit: 0 }),
  ]);
  const detailed = await Promise.all(runs.slice(0, RUNS_IN_DETAIL).map((it) => withEvents(api, it)));
  const open = incidents.filter((it) => it.state !== IncidentState.CLOSED);
  return {
    status,
    health: countHealth(resources),
    unexplained: countHealth(resources.filter(({ maintenanceNode }) => maintenanceNode === "")),
    resyncedUnixMs: resyncedUnixMs(resources, nowUnixMs),
    nodes,
    incidents: open,
    runs: [...detailed, ...runs.slice(RUNS_IN_DETAIL)],
  };
}

/** The list comes without events, and the current step is read from them. */
async function withEvents(api: Api, run: Run): Promise<Run> {
  const response = await api.ask("getRun", { id: run.id });
  return response.run ?? run;
}

/** Whatever is not a known health counts as unknown. */
function countHealth(resources: readonly ResourceStatus[]): HealthCounts {
  const of = (health: Health): number => resources.filter((it) => it.health === health).length;
  const known = {
    ok: of(Health.OK),
    resyncing: of(Health.RESYNCING),
    degraded: of(Health.DEGRADED),
    stalled: of(Health.STALLED),
    inactive: of(Health.UNSPECIFIED),
  };
  const sum = known.ok + known.resyncing + known.degraded + known.stalled + known.inactive;
  return { ...known, unknown: resources.length - sum };
}

/** The slowest counts; one whose rate is not known yet makes the whole unknown. */
function resyncedUnixMs(resources: readonly ResourceStatus[], nowUnixMs: number): number {
  const secondsLeft = resources
    .filter(({ health }) => health === Health.RESYNCING)
    .map(({ ends }) => Math.max(...ends.map(({ drbd }) => secondsOf(drbd?.resync))));
  if (secondsLeft.length === 0 || !secondsLeft.every((seconds) => seconds > 0)) return 0;
  return Math.round(nowUnixMs + Math.max(...secondsLeft) * 1000);
}

function secondsOf(resync: ResyncProgress | undefined): number {
  const kibPerS = resync?.averageSpeedKibPerS ?? resync?.speedKibPerS ?? 0;
  return resync === undefined || kibPerS <= 0 ? 0 : resync.leftKib / kibPerS;
}

/** What is quiet, and what a planned maintenance explains, wakes nobody. */
function exitCodeFor({ status, unexplained, incidents, nodes, runs }: StatusView): ExitCode {
  const loud = incidents.filter((it) => !isQuiet(it)).length;
  const wrong = Math.max(status.incidentsOpen - status.incidentsQuiet, loud) > 0 || !status.auditIntact;
  const blind = status.leadership?.leads !== true || nodes.length === 0; // nobody is looking, or at nothing
  const notKnown = Math.max(status.resourcesUnknown - status.resourcesUnknownExplained, unexplained.unknown);
  const unknown = blind || notKnown > 0 || nodes.some(isSilent);
  const waits = status.killSwitch !== "" || runs.some(waitsForPerson);
  const unheard = status.channels.some((it) => it.cannotDeliver);
  return wrong || unknown || waits || unheard ? EXIT.attention : EXIT.ok;
}

function waitsForPerson(run: Run): boolean {
  const waits = run.state === RunState.FROZEN || run.state === RunState.AWAITING_APPROVAL;
  return waits || askedOf(run) !== undefined;
}
