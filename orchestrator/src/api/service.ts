/** What the API's methods do, apart from gRPC: a request and who asks, to a response or a VigieError. */
import {
  Health,
  Source,
  VERSION,
  VigieError,
  type ConfirmLeadershipRequest,
  type GetHoldersRequest,
  type GetHoldersResponse,
  type GetIncidentRequest,
  type GetIncidentResponse,
  type GetRunRequest,
  type GetStatusResponse,
  type Incident,
  type ListAuditRequest,
  type ListIncidentsRequest,
  type ListResourcesRequest,
  type ListRunsRequest,
  type Run,
  type SetKillSwitchRequest,
  type TestChannelsRequest,
  type VerifyAuditResponse,
} from "@vigie/proto";
import { isAbout } from "../detect/evidence.js";
import { explainedEnd } from "../detect/explained.js";
import { locksOf } from "../engine/locks.js";
import type { Orchestrator } from "../orchestrator.js";
import type { ClusterView } from "../view/cluster-view.js";
import type { Resource } from "../view/join.js";
import type { NodeView } from "../view/node-view.js";
import { RUNBOOKS } from "../runbooks/index.js";
import { manualLetGo } from "../runbooks/manual-minors.js";
import { nodeNamed } from "../runbooks/parameters.js";
import { describeInstance, describeNode, describeResource, describeRunbook } from "./describe.js";
import { confirmStop } from "./confirm-stop.js";
import { onlyOne } from "./only-one.js";
import { createAttentionService } from "./attention-service.js";
import { createRunService } from "./run-service.js";

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

export function createService(orchestrator: Orchestrator) {
  const { clock, store, keeper, desk, leader, executor, config, maintenance } = orchestrator;
  const stallAfterMs = (): number => config().detect.stall_after_s * 1000;

  return {
    getStatus,
    listNodes: async () => ({
      nodes: sortedNodes(keeper.view()).map(describeIt),
    }),
    listResources: async (request: ListResourcesRequest) => ({ resources: resources(request).map(describe) }),
    listInstances: async () => ({
      instances: [...keeper.view().instances.values()].map((i) =>
        describeInstance(keeper.view(), i, clock.monotonicMs(), stallAfterMs()),
      ),
    }),
    listIncidents: async (request: ListIncidentsRequest) => ({
      incidents: await store.incidents(request.includeClosed, limit(request.limit)),
    }),
    getIncident,
    ...createAttentionService(orchestrator),
    ...createRunService(orchestrator),
    listRuns: async (request: ListRunsRequest) => ({
      runs: await store.runs(request.openOnly, limit(request.limit)),
    }),
    getRun: async (request: GetRunRequest) => ({ run: await theRun(request.id) }),
    listAudit,
    verifyAudit,
    confirmLeadership,
    listRunbooks: async () => ({ runbooks: RUNBOOKS.map(describeRunbook) }),
    getHolders,
    listLocks: async () => ({ locks: locksOf(executor.atWork(), clock.wallUnixMs()) }),
    listChannels: async () => ({ channels: orchestrator.notifier.status() }),
    testChannels: async ({ channel }: TestChannelsRequest) => ({
      tests: await orchestrator.notifier.test(channel),
    }),
    setKillSwitch: async ({ stopped, reason }: SetKillSwitchRequest, person: string) => {
      await orchestrator.killSwitch.set(stopped, person, reason);
      return confirmStop(orchestrator);
    },
  };

  async function getStatus(): Promise<GetStatusResponse> {
    const audit = await orchestrator.auditor.state();
    const view = keeper.view();
    const nodes = sortedNodes(view).map(describeIt);
    const disks = [...view.resources.values()].map(describe);
    const healths = disks.map(({ health }) => health);
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
      auditHead: (await store.auditEnd()).head,
      auditIntact: audit.intact,
      auditRecords: audit.records,
      auditChecked: audit.checked,
      auditFaults: [...audit.faults],
      killSwitch: orchestrator.killSwitch.stopped(),
      channels: orchestrator.notifier.status(),
      maintenances: [...maintenance.on()],
      incidentsQuiet: desk.open().filter((it) => (it.maintenance ?? it.snooze) !== undefined).length,
      resourcesUnknownExplained: disks.filter(
        ({ health, maintenanceNode }) => health === Health.UNKNOWN && maintenanceNode !== "",
      ).length,
    };
  }

  async function listAudit({ afterSequence, limit: asked, sinceUnixMs }: ListAuditRequest) {
    const after = sinceUnixMs === 0 ? afterSequence : await store.auditBefore(sinceUnixMs);
    return { records: await store.audit(after, limit(asked)) };
  }

  async function verifyAudit(): Promise<VerifyAuditResponse> {
    const { intact, faults, records } = await orchestrator.auditor.verify();
    const archives = (await store.archives()).map(({ name, firstSequence, end, bytes }) => ({
      name,
      firstSequence,
      lastSequence: end.records,
      bytes,
    }));
    const folder = archives.length === 0 ? "" : store.archiveFolder();
    return { intact, faults: [...faults], records, head: (await store.auditEnd()).head, archives, folder };
  }

  async function getIncident({ id }: GetIncidentRequest): Promise<GetIncidentResponse> {
    const incident = onlyOne(await store.incidentsById(id), "incident", id);
    return { incident, now: resourcesOf(incident).map(describe) };
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
    const view = keeper.view();
    const nodes = maintenance.on().map(({ node }) => node);
    const planned =
      nodes.length === 0 ? "" : (explainedEnd(resource, view, nodes, clock.monotonicMs()) ?? "");
    return describeResource(view, resource, clock.monotonicMs(), stallAfterMs(), planned);
  }

  function describeIt(node: NodeView) {
    const planned = maintenance.on().find((it) => it.node === node.name);
    return describeNode(keeper.view(), node, clock.monotonicMs(), planned);
  }

  /** Who follows a run asks for it twice a second: its rows are not read again for that. */
  async function theRun(id: string): Promise<Run> {
    const open = executor.open().find((run) => run.id === id);
    if (open !== undefined) return open;
    const stored = onlyOne(await store.runsById(id), "run", id);
    return executor.open().find((run) => run.id === stored.id) ?? stored;
  }

  async function getHolders({ node: named, minor }: GetHoldersRequest): Promise<GetHoldersResponse> {
    const node = nodeNamed(keeper.view(), named);
    const at = await orchestrator.gateway.observe(node, Source.HOLDERS, { minor });
    keeper.observed(node, at);
    const { report } = at.observed;
    if (report?.facts?.$case !== "holders")
      throw new VigieError("UNAVAILABLE", `the agent of ${node} cannot tell: ${report?.reason ?? ""}`);
    const { holders } = report.facts.value;
    const resource = resources({ node, instance: "" }).find((r) =>
      r.ends.some((end) => end.node === node && end.minor === minor),
    );
    return { holders, instance: resource?.instance ?? "", manualCommands: manualLetGo(node, minor, holders) };
  }
}

export type Service = ReturnType<typeof createService>;

/** By name: h1, h2, h10. */
function sortedNodes(view: ClusterView): NodeView[] {
  const order = new Intl.Collator("en", { numeric: true });
  return [...view.nodes.values()].toSorted((a, b) => order.compare(a.name, b.name));
}

function limit(asked: number): number {
  return asked === 0 ? LIMIT_DEFAULT : Math.min(asked, LIMIT_MAX);
}
