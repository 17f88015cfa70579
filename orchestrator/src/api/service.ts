/** What the API's methods do, apart from gRPC: a request and who asks, to a response or a VigieError. */
import {
  Health,
  RunEventKind,
  RunState,
  VERSION,
  VigieError,
  type AbortRunRequest,
  type ApproveRunRequest,
  type ConfirmLeadershipRequest,
  type GetIncidentRequest,
  type GetIncidentResponse,
  type GetRunRequest,
  type GetStatusResponse,
  type Incident,
  type ListAuditRequest,
  type ListIncidentsRequest,
  type ListResourcesRequest,
  type ListRunsRequest,
  type PlanRunRequest,
  type Run,
} from "@vigie/proto";
import { isAbout } from "../detect/evidence.js";
import { underRun } from "../detect/incident-log.js";
import { isTooOldToApprove } from "../engine/approval.js";
import { newRun } from "../engine/responder.js";
import { startRun } from "../engine/start-run.js";
import type { Orchestrator } from "../orchestrator.js";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import type { NodeView } from "../view/node-view.js";
import { describeInstance, describeNode, describeResource } from "./describe.js";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

export function createService(orchestrator: Orchestrator) {
  const { clock, store, keeper, desk, leader, executor, responder, config } = orchestrator;
  const stallAfterMs = config.detect.stall_after_s * 1000;
  let audited: { readonly atMs: number; readonly intact: boolean } | undefined;

  return {
    getStatus,
    listNodes: async () => ({
      nodes: sortedNodes(keeper.view()).map((n) => describeNode(keeper.view(), n, clock.monotonicMs())),
    }),
    listResources: async (request: ListResourcesRequest) => ({ resources: resources(request).map(describe) }),
    listInstances: async () => ({
      instances: [...keeper.view().instances.values()].map((i) =>
        describeInstance(keeper.view(), i, clock.monotonicMs(), stallAfterMs),
      ),
    }),
    listIncidents: async (request: ListIncidentsRequest) => ({
      incidents: await store.incidents(request.includeClosed, limit(request.limit)),
    }),
    getIncident,
    planRun,
    approveRun,
    abortRun,
    listRuns: async (request: ListRunsRequest) => ({
      runs: await store.runs(request.openOnly, limit(request.limit)),
    }),
    getRun: async (request: GetRunRequest) => ({ run: await theRun(request.id) }),
    listAudit: async (request: ListAuditRequest) => ({
      records: await store.audit(request.afterSequence, limit(request.limit)),
    }),
    confirmLeadership,
  };

  async function getStatus(): Promise<GetStatusResponse> {
    const view = keeper.view();
    const nodes = sortedNodes(view).map((node) => describeNode(view, node, clock.monotonicMs()));
    const healths = [...view.resources.values()].map((r) => describe(r).health);
    const count = (...wanted: Health[]): number => healths.filter((health) => wanted.includes(health)).length;
    return {
      cluster: view.ssconf?.clusterName ?? "",
      orchestratorNode: orchestrator.ownNode,
      version: VERSION,
      leadership: leader.status(),
      nodesTotal: nodes.length,
      nodesReporting: nodes.filter((node) => node.reporting).length,
      instancesTotal: view.instances.size,
      resourcesTotal: healths.length,
      resourcesHealthy: count(Health.OK),
      resourcesResyncing: count(Health.RESYNCING),
      resourcesUnknown: count(Health.UNKNOWN),
      incidentsOpen: desk.open().length,
      runsOpen: executor.open().length,
      auditHead: await store.auditHead(),
      auditIntact: await auditIntact(),
    };
  }

  /** The whole chain is hashed again, so not for every look at the status. */
  async function auditIntact(): Promise<boolean> {
    const now = clock.monotonicMs();
    if (audited === undefined || now - audited.atMs > AUDITED_FOR_MS)
      audited = { atMs: now, intact: (await store.firstBrokenAudit()) === undefined };
    return audited.intact;
  }

  async function getIncident({ id }: GetIncidentRequest): Promise<GetIncidentResponse> {
    const incident = onlyOne(await store.incidentsById(id), "incident", id);
    return { incident, now: resourcesOf(incident).map(describe) };
  }

  async function planRun(request: PlanRunRequest, person: string): Promise<{ run: Run }> {
    const incident =
      request.incidentId === ""
        ? undefined
        : onlyOne(await store.incidentsById(request.incidentId), "incident", request.incidentId);
    const found =
      incident === undefined ? resources({ instance: request.instance, node: "" }) : resourcesOf(incident);
    const resource = incident === undefined ? found.find((r) => r.diskIndex === request.diskIndex) : found[0];
    if (resource === undefined) {
      const wanted = incident?.id ?? `${request.instance} disk/${request.diskIndex}`;
      throw new VigieError("NOT_FOUND", `there is no mirrored disk for ${wanted}; see: vigie resources`);
    }
    const plan = responder.plan(request.runbook, resource, incident?.id ?? "");
    const run = newRun(orchestrator.newRunId(), plan);
    if (plan.refusals.length > 0) return { run }; // shown, and not kept: it cannot be approved
    const parts = { ...orchestrator, record: orchestrator.recorder.record };
    const open = desk.find(incident?.id ?? "");
    const alongside = open === undefined ? [] : desk.update(underRun(open, run, desk.now()));
    return { run: await startRun(parts, run, person, undefined, alongside) };
  }

  async function approveRun({ runId, planHash }: ApproveRunRequest, person: string): Promise<{ run: Run }> {
    const run = openRun(runId);
    if (run.state !== RunState.AWAITING_APPROVAL)
      throw new VigieError("CONFLICT", `${run.id} was approved already, by ${run.approvedBy}`);
    if (planHash !== run.plan?.hash)
      throw new VigieError(
        "PLAN_CHANGED",
        `${run.id} has plan ${run.plan?.hash}, not ${planHash}; look at it again: vigie run show ${run.id}`,
      );
    stillGood(run);
    if (leader.epoch() === 0) throw new VigieError("NOT_LEADING", leader.status().reason);
    return {
      run: await executor.append(run.id, {
        kind: RunEventKind.APPROVED,
        actor: person,
        text: `plan ${planHash}`,
      }),
    };
  }

  /** An approval is for a plan of now: the same disk, unchanged in Ganeti, and not older than a quarter of an hour (I15, I32). */
  function stillGood(run: Run): void {
    const { plan } = run;
    const again = `plan it again: vigie plan ${plan?.runbook} ${plan?.end?.instance}/${plan?.end?.diskIndex}`;
    if (isTooOldToApprove(plan, clock.wallUnixMs()))
      throw new VigieError("PLAN_CHANGED", `the plan of ${run.id} is older than 15 minutes; ${again}`);
    const resource = keeper.view().resources.get(plan?.end?.diskUuid ?? "");
    if (resource?.instanceSerial !== plan?.configSerial)
      throw new VigieError(
        "PLAN_CHANGED",
        `${plan?.end?.instance} was changed in Ganeti since ${run.id} was planned; ${again}`,
      );
    const nodes = [plan?.end?.node, plan?.peerEnd?.node];
    const clash = executor
      .open()
      .find(
        (other) =>
          other.id !== run.id &&
          other.state !== RunState.AWAITING_APPROVAL &&
          [other.plan?.end?.node, other.plan?.peerEnd?.node].some((n) => nodes.includes(n)),
      );
    if (clash !== undefined)
      throw new VigieError("CONFLICT", `${clash.id} works on the same nodes; wait for it, or abort it (I9)`);
  }

  async function abortRun({ runId, reason }: AbortRunRequest, person: string): Promise<{ run: Run }> {
    const run = openRun(runId);
    if (reason.trim() === "") throw new VigieError("INVALID_ARGUMENT", "an abort needs a reason");
    const asked = { kind: RunEventKind.ABORT_ASKED, actor: person, text: reason };
    // Frozen: nothing goes on by itself; a person who has looked ends it, and frees its nodes.
    const ended = { kind: RunEventKind.ENDED, state: RunState.ABORTED, actor: person, text: reason };
    return { run: await executor.append(run.id, run.state === RunState.FROZEN ? ended : asked) };
  }

  async function confirmLeadership({ reason }: ConfirmLeadershipRequest, person: string) {
    if (reason.trim() === "") throw new VigieError("INVALID_ARGUMENT", "a confirmation needs a reason");
    const audit = {
      unixMs: clock.wallUnixMs(),
      actor: person,
      action: "leadership.confirmed",
      subject: orchestrator.ownNode,
      detail: { reason },
    };
    await orchestrator.recorder.record([{ record: "audit", audit }]);
    leader.confirm(person);
    await leader.tick();
    return { leadership: leader.status() };
  }

  function resources({ node, instance }: { readonly node: string; readonly instance: string }): Resource[] {
    const all = [...keeper.view().resources.values()];
    return all.filter(
      (r) =>
        (instance === "" || r.instance === instance) &&
        (node === "" || r.ends.some((end) => end.node === node)),
    );
  }

  function resourcesOf({ subject }: Incident): Resource[] {
    return [...keeper.view().resources.values()].filter((r) => subject !== undefined && isAbout(r, subject));
  }

  function describe(resource: Resource) {
    return describeResource(keeper.view(), resource, clock.monotonicMs(), stallAfterMs);
  }

  async function theRun(id: string): Promise<Run> {
    return onlyOne(await store.runsById(id), "run", id);
  }

  function openRun(id: string): Run {
    return onlyOne(
      executor.open().filter((run) => id !== "" && run.id.startsWith(id)),
      "open run",
      id,
    );
  }
}

export type Service = ReturnType<typeof createService>;

const AUDITED_FOR_MS = 60_000;

/** By name: h1, h2, h10. */
function sortedNodes(view: ClusterView): NodeView[] {
  const order = new Intl.Collator("en", { numeric: true });
  return [...view.nodes.values()].toSorted((a, b) => order.compare(a.name, b.name));
}

function onlyOne<T>(found: readonly T[], what: string, id: string): T {
  const [first] = found;
  if (first === undefined || id === "") throw new VigieError("NOT_FOUND", `there is no ${what} ${id}`);
  if (found.length > 1)
    throw new VigieError("INVALID_ARGUMENT", `${id} begins more than one ${what}; type more of it`);
  return first;
}

function limit(asked: number): number {
  return asked === 0 ? LIMIT_DEFAULT : Math.min(asked, LIMIT_MAX);
}
