/**
 * The wiki's cure for a resync that does not move: cut the one TCP connection on the Primary's node until both ends
 * wait for a connection, let it back, and see the resync move. The new connection has new sockets and a new
 * handshake, and what had been lost on the old one is sent again.
 *
 * On which node: the Primary's, as the wiki says; of two Primaries or two Secondaries, the SyncSource's. An end that is
 * done has no resync that stands: where the Primary is that one, the SyncSource's too.
 */
import {
  Condition,
  ConnectionState,
  CUT_TTL_MAX_S,
  CutDrbdLink,
  DrbdEnd,
  minimumCutS,
  Plan,
  PlanStep,
  RestoreDrbdLink,
  Role,
  Source,
  StepKind,
} from "@vigie/proto";
import type { ClusterView } from "../view/cluster-view.js";
import { endViews, isInSync, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { factsOf } from "../view/node-view.js";
import { manualCut, manualLook, manualRestore } from "./manual.js";
import type { Runbook, RunbookRequest } from "./runbook.js";

const CUT_DEADLINE_MS = 5_000;
const RESTORE_DEADLINE_MS = 10_000;
const MOVING_DEADLINE_MS = 45_000; // DRBD tries to connect every 10 s, then shakes hands
const LINK_DOWN_MARGIN_MS = 3_000; // look for WFConnection no longer than the cut stands

export const resetStalledSync: Runbook = {
  name: "reset-stalled-sync",
  version: 1,
  summary: "reset the TCP connection of a resync that does not move",
  plan: (request) => {
    const { resource, view, nowMs } = request;
    const ends = endViews(view, resource, nowMs);
    const [actor, peer] = chooseEnd(ends);
    const end = drbdEnd(resource, view, actor, peer);
    const migrateJobId = runningMigration(request);
    return Plan.create({
      runbook: resetStalledSync.name,
      runbookVersion: resetStalledSync.version,
      incidentId: request.incidentId,
      end,
      peerEnd: drbdEnd(resource, view, peer, actor),
      steps: steps(end, request, migrateJobId),
      configSerial: resource.instanceSerial,
      plannedUnixMs: request.wallUnixMs,
      refusals: refusals(resource, ends, migrateJobId),
    });
  },
};

function steps(end: DrbdEnd, request: RunbookRequest, migrateJobId: number): PlanStep[] {
  const { minStillMs } = request;
  const ttlS = cutTtlS(end, request);
  const { node, minor, peerNode, peerMinor } = end;
  const cut = CutDrbdLink.create({ end, ttlS, minStillMs, migrateJobId });
  return [
    PlanStep.create({
      id: "cut-link",
      kind: StepKind.ACT,
      title: `cut the DRBD link ${node} ↔ ${peerNode}, port ${end.port}, for at most ${ttlS} s`,
      node,
      condition: Condition.CUT_STANDS,
      deadlineMs: CUT_DEADLINE_MS,
      action: { $case: "cutDrbdLink", value: cut },
      manualCommands: manualCut(end, ttlS),
      undoStepId: "restore-link",
    }),
    PlanStep.create({
      id: "await-link-down",
      kind: StepKind.WAIT,
      title: `both ends in WFConnection`,
      node,
      condition: Condition.LINK_DOWN,
      deadlineMs: ttlS * 1000 - LINK_DOWN_MARGIN_MS,
      manualCommands: [manualLook(node, minor), manualLook(peerNode, peerMinor)],
    }),
    PlanStep.create({
      id: "restore-link",
      kind: StepKind.ACT,
      title: "let the link back",
      node,
      condition: Condition.CUT_GONE,
      deadlineMs: RESTORE_DEADLINE_MS,
      action: { $case: "restoreDrbdLink", value: RestoreDrbdLink.create({ end }) },
      manualCommands: manualRestore(end),
    }),
    PlanStep.create({
      id: "await-resync-moves",
      kind: StepKind.WAIT,
      title: "the resync moves on both ends, or there is nothing left to resync",
      node,
      condition: Condition.RESYNC_MOVES,
      deadlineMs: MOVING_DEADLINE_MS,
      manualCommands: [manualLook(node, minor), manualLook(peerNode, peerMinor)],
    }),
  ];
}

/** The configured time, raised where this link's own timers need more (I19); the agent checks it again. */
function cutTtlS({ node, minor }: DrbdEnd, { ttlS, view }: RunbookRequest): number {
  const facts = factsOf(view.nodes.get(node), Source.DRBD_CONFIG, "drbdConfig");
  const config = facts?.resources.find((resource) => resource.minor === minor);
  const neededS = config === undefined ? ttlS : minimumCutS(config);
  return Math.min(CUT_TTL_MAX_S, Math.max(ttlS, neededS));
}

function chooseEnd(ends: readonly EndView[]): readonly [EndView | undefined, EndView | undefined] {
  const primaries = ends.filter(({ drbd }) => drbd?.role === Role.PRIMARY);
  const [primary] = primaries;
  const source = ends.find(({ drbd }) => drbd?.connection === ConnectionState.SYNC_SOURCE);
  const primaryResyncs = primary?.drbd !== undefined && isInSync(primary.drbd);
  const actor = primaries.length === 1 && primaryResyncs ? primary : (source ?? primary ?? ends[0]);
  return [actor, ends.find((end) => end !== actor)];
}

/** Why it cannot be run now. The agent's guard asks most of this again when it comes to run. */
function refusals(resource: Resource, ends: readonly EndView[], migrateJobId: number): string[] {
  const why: string[] = [];
  if (resource.instance === "")
    why.push("Ganeti does not name this minor: it is not known what is at the other end");
  if (ends.length !== 2) why.push("both ends must be known");
  for (const { end, unknown } of ends)
    if (unknown !== "") why.push(`${end.node} minor ${end.minor} is unknown: ${unknown} (I7, I11)`);
  for (const { end, drbd } of ends)
    if (drbd?.connection === ConnectionState.STAND_ALONE)
      why.push(`${end.node} is StandAlone: a person decides (I8)`);
  if (ends.every((e) => e.unknown === "") && !ends.some(({ drbd }) => drbd !== undefined && isInSync(drbd)))
    why.push("neither end is resyncing: there is nothing to reset");
  if (ends.length === 2 && ends.every(({ drbd }) => drbd?.role === Role.PRIMARY) && migrateJobId === 0)
    why.push("both ends are Primary and no migration runs (I8)");
  return why;
}

function runningMigration({ resource, view }: RunbookRequest): number {
  const jobs = view.inventory?.jobs ?? [];
  const job = jobs.find(
    (j) => j.status === "running" && /MIGRATE/.test(j.summary) && j.instances.includes(resource.instance),
  );
  return job?.id ?? 0;
}

function drbdEnd(
  resource: Resource,
  view: ClusterView,
  own: EndView | undefined,
  peer: EndView | undefined,
): DrbdEnd {
  return DrbdEnd.create({
    instance: resource.instance,
    instanceUuid: resource.instanceUuid,
    diskIndex: resource.diskIndex,
    diskUuid: resource.diskUuid,
    node: own?.end.node ?? "",
    minor: own?.end.minor ?? 0,
    peerNode: peer?.end.node ?? "",
    peerMinor: peer?.end.minor ?? 0,
    localAddress: own?.end.address ?? "",
    peerAddress: peer?.end.address ?? "",
    port: resource.port,
    dataLv: resource.dataLv,
    bootId: view.nodes.get(own?.end.node ?? "")?.bootId ?? "",
    peerBootId: view.nodes.get(peer?.end.node ?? "")?.bootId ?? "",
  });
}
