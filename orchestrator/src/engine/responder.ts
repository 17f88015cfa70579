/**
 * Answers open incidents: plans the runbook for each, asks the policy, and starts the run, asks a person, or lets it
 * be. It is asked at each tick, so a reason that passes (no majority yet) is looked at again.
 */
import {
  IncidentState,
  Role,
  RunState,
  VigieError,
  type Clock,
  type Incident,
  type Plan,
  type Run,
} from "@vigie/proto";
import type { OrchestratorConfig } from "../config.js";
import type { Desk } from "./desk.js";
import { decided, underRun } from "../detect/incident-log.js";
import type { Executor } from "./executor.js";
import { sealed } from "./seal-plan.js";
import { startRun } from "./start-run.js";
import type { Leader } from "../gateway/leader.js";
import { runbookByName, RUNBOOK_FOR } from "../runbooks/index.js";
import type { Change, Store } from "../store/store.js";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { decide, type PolicyFacts, type RecentRun } from "../policy/policy.js";

const RECENT_RUNS_READ = 100;

export interface ResponderParts {
  readonly clock: Clock;
  readonly config: OrchestratorConfig;
  readonly view: () => ClusterView;
  readonly desk: Desk;
  readonly leader: Leader;
  readonly executor: Executor;
  readonly store: Store;
  readonly newRunId: () => string;
  readonly record: (changes: readonly Change[]) => Promise<void>;
}

export interface Responder {
  readonly tick: () => Promise<void>;
  /** A plan for this disk now. @throws VigieError NOT_FOUND for an unknown runbook */
  readonly plan: (runbook: string, resource: Resource, incidentId: string) => Plan;
}

export function createResponder(parts: ResponderParts): Responder {
  const { clock, config, desk } = parts;
  return { tick, plan };

  async function tick(): Promise<void> {
    if (parts.leader.epoch() === 0) return; // who does not lead decides nothing
    const waiting = desk.open().filter((incident) => incident.state === IncidentState.OPEN);
    if (waiting.length === 0) return;
    const recent = await recentRuns();
    for (const incident of waiting) await respond(incident, recent);
  }

  async function respond(incident: Incident, recent: RecentRun[]): Promise<void> {
    const runbook = RUNBOOK_FOR[incident.kind] ?? "";
    const resource = parts.view().resources.get(desk.resourceKey(incident.id));
    if (runbook !== "" && resource === undefined) return; // seen again after a restart first
    const planned =
      runbook === "" || resource === undefined ? undefined : plan(runbook, resource, incident.id);
    const nodes = resource?.ends.map((end) => end.node) ?? [];
    const decision = decide(
      incident,
      runbook,
      resource?.key ?? "",
      nodes,
      config.policy,
      facts(planned, resource, recent),
    );
    const same = decision.reasons.join() === incident.decision.join();
    if (decision.act === "observe") {
      if (!same)
        await parts.record(desk.update(decided(incident, desk.now(), IncidentState.OPEN, decision.reasons)));
      return;
    }
    const state = decision.act === "run" ? IncidentState.HEALING : IncidentState.NEEDS_PERSON;
    const judged = decided(incident, desk.now(), state, decision.reasons);
    if (planned === undefined || planned.refusals.length > 0)
      return void (await parts.record(desk.update(judged)));
    const run = newRun(parts.newRunId(), planned);
    const approver = decision.act === "run" ? "policy" : undefined;
    await startRun(parts, run, "policy", approver, desk.update(underRun(judged, run, desk.now())));
    if (approver !== undefined) recent.unshift({ resourceKey: resource?.key ?? "", nodes, agoMs: 0 });
  }

  function plan(name: string, resource: Resource, incidentId: string): Plan {
    const runbook = runbookByName(name);
    if (runbook === undefined) throw new VigieError("NOT_FOUND", `there is no runbook ${name}`);
    return sealed(
      runbook.plan({
        resource,
        view: parts.view(),
        nowMs: clock.monotonicMs(),
        wallUnixMs: clock.wallUnixMs(),
        incidentId,
        ttlS: config.cut.ttl_s,
        minStillMs: config.detect.stall_after_s * 1000,
      }),
    );
  }

  function facts(
    planned: Plan | undefined,
    resource: Resource | undefined,
    recentRuns: readonly RecentRun[],
  ): PolicyFacts {
    const status = parts.leader.status();
    const ends = resource === undefined ? [] : endViews(parts.view(), resource, clock.monotonicMs());
    return {
      leads: status.leads,
      leadReason: status.reason,
      recentRuns,
      openRuns: parts.executor.open().filter((run) => run.state !== RunState.AWAITING_APPROVAL),
      planRefusals: planned?.refusals ?? [],
      twoPrimaries: ends.length === 2 && ends.every((end) => end.drbd?.role === Role.PRIMARY),
    };
  }

  /** What the policy itself began, by its approval's time; the wall clock only limits, and errs to asking. */
  async function recentRuns(): Promise<RecentRun[]> {
    const runs = await parts.store.runs(false, RECENT_RUNS_READ);
    return runs
      .filter((run) => run.approvedBy === "policy")
      .map(({ plan: done }) => ({
        resourceKey: done?.end?.diskUuid ?? "",
        nodes: [done?.end?.node ?? "", done?.peerEnd?.node ?? ""],
        agoMs: Math.max(0, clock.wallUnixMs() - (done?.plannedUnixMs ?? 0)),
      }));
  }
}

export function newRun(id: string, plan: Plan): Run {
  return { id, plan, state: RunState.AWAITING_APPROVAL, events: [], approvedBy: "" };
}
