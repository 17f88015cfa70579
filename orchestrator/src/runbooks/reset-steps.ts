/**
 * The wiki's cure for a resync that does not move, as four steps: cut the one TCP connection until both ends wait for
 * a connection, let it back, and see the resync move. The new connection has new sockets and a new handshake, and
 * what had been lost on the old one is sent again.
 *
 * On which node: the Primary's, as the wiki says; of two Primaries or two Secondaries, the SyncSource's. An end that is
 * done has no resync that stands: where the Primary is that one, the SyncSource's too.
 */
import {
  ConnectionState,
  CUT_TTL_MAX_S,
  minimumCutS,
  Role,
  Source,
  type Condition,
  type DrbdEnd,
  type PlanStep,
} from "@vigie/proto";
import { endViews, isInSync, type EndView } from "../view/end-view.js";
import type { Resource } from "../view/join.js";
import { freshFacts } from "../view/fresh-facts.js";
import { factsOf } from "../view/node-view.js";
import { anyOf, cutGone, cutStands, linkDown, resyncMoves, resyncStands, stepRan } from "./conditions.js";
import { CUT_MS, LINK_DOWN_MARGIN_MS, MOVING_MS, NO_LIMIT_MS, RESTORE_MS } from "./deadlines.js";
import { drbdEnd } from "./drbd-end.js";
import { masterOf } from "./plan.js";
import { manualCut, manualLook, manualRestore } from "./manual.js";
import { stillThere } from "./premises.js";
import type { RunbookRequest } from "./runbook.js";
import { act, stepId, wait } from "./steps.js";

export interface Reset {
  readonly steps: readonly PlanStep[];
  readonly refusals: readonly string[];
}

export function resetSteps(request: RunbookRequest, resource: Resource, migrateJobId: number): Reset {
  const { ends, refusals, pair } = looked(request, resource, migrateJobId);
  if (pair === undefined) return { steps: [], refusals };
  return { steps: stepsOf(request, ...pair, migrateJobId), refusals: [...refusals, ...notInSync(ends)] };
}

/**
 * The same for a resync that may stand by then, or move, or be over: first it is waited for which of these it is.
 * @param of tells the steps of one disk from another's
 */
export function resetStepsIfItStands(
  request: RunbookRequest,
  resource: Resource,
  migrateJobId: number,
  of: number,
): Reset {
  const { refusals, pair } = looked(request, resource, migrateJobId);
  if (pair === undefined) return { steps: [], refusals };
  const [end, peerEnd] = pair;
  const stands = resyncStands(end, peerEnd, request.minStillMs);
  const verdict = wait({
    id: stepId("await-verdict", of),
    title: `whether the resync of disk/${resource.diskIndex} moves, is over, or stands`,
    node: end.node,
    condition: anyOf(stands, resyncMoves(end, peerEnd)),
    deadlineMs: NO_LIMIT_MS,
    manual: [manualLook(end.node, end.minor), manualLook(end.peerNode, end.peerMinor)],
  });
  return { steps: [verdict, ...stepsOf(request, end, peerEnd, migrateJobId, of, stands)], refusals };
}

function looked(request: RunbookRequest, resource: Resource, migrateJobId: number) {
  const { view, nowMs } = request;
  const ends = endViews(view, resource, nowMs);
  const refusals = [...ganetiRefusals(request), ...refusalsOf(resource, ends, migrateJobId)];
  const [actor, peer] = chooseEnd(ends);
  if (actor === undefined || peer === undefined) return { ends, refusals, pair: undefined };
  const pair = [
    drbdEnd(view, resource, actor.end, peer.end),
    drbdEnd(view, resource, peer.end, actor.end),
  ] as const;
  return { ends, refusals, pair };
}

function stepsOf(
  request: RunbookRequest,
  end: DrbdEnd,
  peerEnd: DrbdEnd,
  migrateJobId: number,
  of?: number,
  onlyIf?: Condition,
): PlanStep[] {
  const { minStillMs } = request;
  const afterCut = onlyIf === undefined ? {} : { onlyIf: stepRan(stepId("cut-link", of)) };
  const ttlS = cutTtlS(end, request);
  const { node } = end;
  const instance = request.view.instances.get(end.instance);
  const premises = instance === undefined ? [] : [stillThere(instance)];
  const look = [manualLook(node, end.minor), manualLook(end.peerNode, end.peerMinor)];
  return [
    act({
      id: stepId("cut-link", of),
      title: `cut the DRBD link ${node} ↔ ${end.peerNode}, port ${end.port}, for at most ${ttlS} s`,
      node,
      action: { $case: "cutDrbdLink", value: { end, ttlS, minStillMs, migrateJobId, peer: undefined } },
      premises,
      condition: cutStands(end),
      deadlineMs: CUT_MS,
      manual: manualCut(end, ttlS),
      undo: stepId("restore-link", of),
      ...(onlyIf === undefined ? {} : { onlyIf }),
    }),
    wait({
      id: stepId("await-link-down", of),
      title: `both ends in WFConnection (${howTheyHear(end, request)})`,
      node,
      condition: linkDown(end, peerEnd),
      deadlineMs: ttlS * 1000 - LINK_DOWN_MARGIN_MS,
      manual: look,
      ...afterCut,
    }),
    act({
      id: stepId("restore-link", of),
      title: "let the link back",
      node,
      action: { $case: "restoreDrbdLink", value: { end } },
      premises: [],
      condition: cutGone(end),
      deadlineMs: RESTORE_MS,
      manual: manualRestore(end),
      ...afterCut,
    }),
    wait({
      id: stepId("await-resync-moves", of),
      title: "the resync moves on both ends, or there is nothing left to resync",
      node,
      condition: resyncMoves(end, peerEnd),
      deadlineMs: MOVING_MS,
      manual: look,
      ...afterCut,
    }),
  ];
}

/** The faster way where the kernel has it, by its node's last report; the agent tries it in any case. */
function howTheyHear({ node }: DrbdEnd, { view }: RunbookRequest): string {
  const cuts = factsOf(view.nodes.get(node), Source.LINK_CUTS, "linkCuts");
  return cuts?.destroysSockets === true
    ? `${node}'s kernel tells both at once`
    : "each hears at its next packet, or by DRBD's timers";
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
/** Whose minors these are now is Ganeti's word, and it is asked again in the moment of the cut. */
function ganetiRefusals({ view, nowMs }: RunbookRequest): string[] {
  const { unknown } = freshFacts(view.nodes.get(masterOf(view)), Source.GANETI, "ganeti", nowMs);
  return unknown === "" ? [] : [`${unknown}: whose minors these are is not known now (I11)`];
}

function refusalsOf(resource: Resource, ends: readonly EndView[], migrateJobId: number): string[] {
  const why: string[] = [];
  if (resource.instance === "")
    why.push("Ganeti does not name this minor: it is not known what is at the other end");
  if (ends.length !== 2) why.push("both ends must be known");
  for (const { end, unknown } of ends)
    if (unknown !== "") why.push(`${end.node} minor ${end.minor} is unknown: ${unknown} (I7, I11)`);
  for (const { end, drbd } of ends)
    if (drbd?.connection === ConnectionState.STAND_ALONE)
      why.push(`${end.node} is StandAlone: a person decides (I8)`);
  if (ends.length === 2 && ends.every(({ drbd }) => drbd?.role === Role.PRIMARY) && migrateJobId === 0)
    why.push("both ends are Primary and no migration runs (I8)");
  return why;
}

function notInSync(ends: readonly EndView[]): string[] {
  const known = ends.every((e) => e.unknown === "");
  if (!known || ends.some(({ drbd }) => drbd !== undefined && isInSync(drbd))) return [];
  return ["neither end is resyncing: there is nothing to reset"];
}
