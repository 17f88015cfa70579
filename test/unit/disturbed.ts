/** Runs in the simulator that are disturbed: a step's command fails, a request comes twice, a process is killed. */
import {
  type ActionOutcome,
  type ActionResult,
  ActionRequest,
  RunEventKind,
  Source,
  StepKind,
  type RunEvent,
} from "@vigie/proto";
import {
  asksGenerations,
  endsWithPeers,
  peerReport,
  withPeers,
} from "../../orchestrator/src/engine/action-facts.js";
import { begin, createPlay, toItsEnd, type Play } from "../simulator/play.js";
import type { Stage } from "../simulator/stages.js";
import { nodeOf, type Trouble, type World } from "../simulator/world.js";

/** `npm run test:long` asks for many runs of everything that is random, and for all of this. */
const LONG = process.env["VIGIE_LONG"] === "1" || process.env["VIGIE_FUZZ_RUNS"] !== undefined;
/** Of one test: all rows of the longest runbook take some minutes. */
export const TEST_MS = LONG ? 900_000 : 60_000;
export const LIMIT_S = 900;

/** What one undisturbed run has: the steps that act, its rows, and those of the agents' journals. */
export interface Course {
  readonly acts: readonly { readonly id: string; readonly isJob: boolean }[];
  readonly rows: number;
  readonly journalRows: number;
}

const courses = new Map<Stage, Promise<Course>>();

export function courseOf(stage: Stage): Promise<Course> {
  const known = courses.get(stage) ?? playOnce(stage);
  courses.set(stage, known);
  return known;
}

async function playOnce(stage: Stage): Promise<Course> {
  const play = await createPlay(stage);
  try {
    let journalRows = 0;
    play.cluster.hooks.journaled = (_node, { kind }) =>
      (journalRows += Number(kind !== "epoch" && kind !== "sweep"));
    await begin(play);
    await toItsEnd(play, LIMIT_S);
    const asked = new Set(
      play.rows.filter(({ kind }) => kind === RunEventKind.STEP_INTENT).map((r) => r.stepId),
    );
    const acts = (play.plan?.steps ?? []).filter(({ id, kind }) => kind === StepKind.ACT && asked.has(id));
    return {
      acts: acts.map(({ id, action }) => ({ id, isJob: action?.kind?.$case === "submitGanetiJob" })),
      rows: play.rows.length,
      journalRows,
    };
  } finally {
    play.cluster.end();
  }
}

/** This trouble meets whatever the step's first try runs, and nothing else. */
export function troubleAt(play: Play, stepId: string, trouble: Trouble): void {
  const { world } = play.cluster;
  let over = false;
  play.onRow = ({ kind, stepId: of }: RunEvent) => {
    if (of !== stepId || over) return;
    if (kind === RunEventKind.STEP_INTENT) world.trouble = () => trouble;
    if (kind !== RunEventKind.STEP_RESULT) return;
    world.trouble = () => undefined;
    over = true;
  };
}

/** The step's first job fails; a second one does not. */
export function jobFailsAt({ cluster: { world } }: Play, stepId: string): void {
  let failed = false;
  world.ganeti.failing = ({ reasons }) => {
    if (failed || !reasons.some((reason) => reason.endsWith(`:${stepId}`))) return undefined;
    failed = true;
    return "injected: the job failed";
  };
}

/** What was asked last, once more, as another try. @returns its outcome */
export async function askAnew(play: Play, last: ActionRequest): Promise<ActionOutcome> {
  const { outcome } = await ask(play, { ...last, attempt: last.attempt + 100 });
  return outcome;
}

/** This request, with facts of now. */
export async function ask({ cluster }: Play, request: ActionRequest): Promise<ActionResult> {
  const { gateway, keeper, leader, clock } = cluster.orchestrator();
  const { action } = request;
  if (action === undefined) throw new Error("no action");
  const ends = endsWithPeers(action);
  const observed = async (node: string, source: Source, minor = 0) => {
    const at = await gateway.observe(node, source, { minor });
    keeper.observed(node, at);
    return at;
  };
  if (asksGenerations(action))
    for (const end of ends) await observed(end.peerNode, Source.DRBD_GENERATIONS, end.peerMinor);
  const own = await observed(request.node, Source.PROC_DRBD);
  const others = await Promise.all(ends.map((end) => observed(end.peerNode, Source.PROC_DRBD)));
  const peers = ends.map((end, i) =>
    peerReport(end, others[i] ?? own, keeper.view(), clock.monotonicMs(), 0),
  );
  return gateway.act(
    ActionRequest.create({
      ...request,
      epoch: leader.epoch(),
      answersSequence: own.observed.sequence,
      action: withPeers(action, peers),
    }),
    600_000,
  );
}

export interface Killed {
  readonly orchestrator: boolean;
  readonly agent: string; // a node's name; empty: none
}

const DOWN_S = 4;

/** They are away for a moment, and start again. */
export async function restart(play: Play, { orchestrator, agent }: Killed): Promise<void> {
  const { cluster, pass } = play;
  await pass(DOWN_S);
  if (agent !== "" && nodeOf(cluster.world, agent).up) cluster.startAgent(agent);
  if (!orchestrator) return;
  await cluster.startOrchestrator();
  play.follow();
}

export function kill({ cluster }: Play, { orchestrator, agent }: Killed): void {
  if (orchestrator) cluster.killOrchestrator();
  if (agent !== "") cluster.killAgent(agent);
}

/** Everything of the world that a person would call changed. */
export function digest(world: World): string {
  return JSON.stringify({
    ends: world.disks.map(({ ends }) =>
      ends.map(({ node, minor, configured, role, disk, connection }) => [
        node,
        minor,
        configured,
        role,
        disk,
        connection,
      ]),
    ),
    nodes: [...world.nodes.values()].map((node) => ({
      name: node.name,
      offline: node.offline,
      drained: node.drained,
      guests: [...node.guests].toSorted(),
      disks: node.disks.map(({ name, state, pv }) => [name, state, pv]),
      volumes: node.volumes.map(({ lvName }) => lvName),
      maps: node.maps.map(({ name }) => name),
      cuts: [...node.cuts.keys()],
    })),
    primaries: world.ganeti.instances.map(({ primary }) => primary),
    paused: world.ganeti.watcherPausedUntilUnixS > 0,
  });
}

/** All with VIGIE_LONG=1; else one of every few, and other ones where `offset` differs. */
export function sample<T>(items: readonly T[], everyNth: number, offset: number): T[] {
  return LONG ? [...items] : items.filter((_item, i) => i % everyNth === offset % everyNth);
}
