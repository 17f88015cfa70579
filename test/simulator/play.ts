/** One run of one runbook on its stage: planned and approved by a person, and watched until it ends or waits. */
import { createService, type Orchestrator } from "@vigie/orchestrator";
import {
  ControlRunRequest,
  PlanRunRequest,
  RunEventKind,
  RunState,
  RunVerb,
  VigieError,
  type Plan,
  type Run,
  type RunEvent,
} from "@vigie/proto";
import { createSimCluster, type SimCluster } from "./cluster.js";
import { watchInvariants } from "./invariants.js";
import type { Stage, Theatre } from "./stages.js";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.js";

const SETTLE_MS = 12_000; // sessions, leadership, and a first reading of everything
const ASK_WITHIN_S = 30;
const WHOLE_WITHIN_S = 600;
const SEEN_AFTER_S = 20;
const PERSON = "anna";

export interface Play extends Theatre {
  readonly stage: Stage;
  readonly clock: VirtualClock;
  readonly cluster: SimCluster;
  /** What was seen that must never be. */
  readonly broken: Set<string>;
  /** Rows of the run that was begun last, as told since then. */
  readonly rows: RunEvent[];
  /** At each of them, at once. */
  onRow: (row: RunEvent) => void;
  plan: Plan | undefined;
  runId: string;
  readonly follow: () => void;
}

const CONFIG = { policy: { stalled_sync: "observe" } }; // nobody acts but the person

export async function createPlay(stage: Stage): Promise<Play> {
  const clock = createVirtualClock();
  const cluster = await createSimCluster(clock, { config: CONFIG });
  await clock.advance(SETTLE_MS);
  const invariants = watchInvariants(cluster.world);
  const broken = new Set<string>();
  const play = playOn(stage, clock, cluster, broken, async () => {
    await clock.advance(100);
    for (const line of invariants.look()) broken.add(line);
  });
  await stage.prepare(play);
  return play;
}

/** The same where a scenario has the cluster and looks at the invariants: from its trouble to its end. */
export async function playWhole(
  stage: Stage,
  { clock, cluster, pass }: Theatre & { readonly clock: VirtualClock },
): Promise<void> {
  const play = playOn(stage, clock, cluster, new Set(), () => pass(0.1));
  await stage.prepare(play);
  const { refusals } = await begin(play);
  if (refusals.length > 0) throw new Error(refusals.join("; "));
  await toItsEnd(play, WHOLE_WITHIN_S);
  await play.pass(SEEN_AFTER_S);
  const faults = stage.faults(cluster.world);
  if (faults.length > 0) throw new Error(faults.join("; "));
}

function playOn(
  stage: Stage,
  clock: VirtualClock,
  cluster: SimCluster,
  broken: Set<string>,
  passTenth: () => Promise<void>,
): Play {
  const play: Play = {
    stage,
    clock,
    cluster,
    broken,
    rows: [],
    onRow: () => undefined,
    plan: undefined,
    runId: "",
    follow: () =>
      void cluster.orchestrator().subscribe(({ event }) => {
        if (event?.$case !== "run" || event.value.event === undefined) return;
        if (event.value.runId === play.runId) hear(event.value.event);
      }),
    pass: async (seconds) => {
      for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
        await passTenth();
        stage.meanwhile?.(cluster.world, waitingStep(play));
        sayYes(play);
      }
    },
    until: async (what, holds, seconds) => {
      for (let tenth = 0; tenth < seconds * 10 && !holds(); tenth += 1) await play.pass(0.1);
      if (!holds()) throw new Error(`${what}: not within ${seconds} s; rows:\n${told(play)}`);
    },
  };
  play.follow();
  return play;

  function hear(row: RunEvent): void {
    play.rows.push(row);
    play.onRow(row);
  }
}

/** @returns the plan that a person approved; undefined: it refuses, or cannot be made, for `refusals` */
export async function begin(play: Play): Promise<{ readonly refusals: readonly string[] }> {
  const { stage, cluster } = play;
  const service = createService(cluster.orchestrator());
  const parameters = Object.entries(stage.parameters).map(([name, value]) => ({ name, value }));
  const request = PlanRunRequest.create({ runbook: stage.runbook, parameters });
  let run: Run;
  try {
    ({ run } = await answered(play, service.planRun(request, PERSON)));
  } catch (error) {
    if (error instanceof VigieError) return { refusals: [error.message] };
    throw error;
  }
  const { plan } = run;
  if (plan === undefined) throw new Error("no plan");
  if (plan.refusals.length > 0) return { refusals: plan.refusals };
  play.rows.length = 0;
  play.rows.push(...run.events);
  play.plan = plan;
  play.runId = run.id;
  const approval = { runId: run.id, planHash: plan.hash, typedWord: plan.typedWord };
  await answered(play, service.approveRun(approval, PERSON));
  return { refusals: [] };
}

export async function control(play: Play, verb: RunVerb, reason = "again"): Promise<void> {
  const service = createService(play.cluster.orchestrator());
  const request = ControlRunRequest.create({ runId: play.runId, verb, reason });
  await answered(play, service.controlRun(request, PERSON));
}

/** What needs time to be answered: it passes meanwhile. */
export async function answered<T>(play: Play, answer: Promise<T>): Promise<T> {
  const open = { is: true };
  const settled = answer.finally(() => (open.is = false));
  settled.catch(() => undefined);
  for (let tenth = 0; tenth < ASK_WITHIN_S * 10 && open.is; tenth += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (open.is) await play.pass(0.1);
  }
  return settled;
}

/** Lets it go on until it has ended, or stands for a person. @returns its state */
export async function toItsEnd(play: Play, seconds: number): Promise<RunState> {
  const over = (): boolean => isOver(stateOf(play));
  await play.until("the run's end", over, seconds);
  return stateOf(play);
}

export function stateOf({ rows }: Play): RunState {
  const ended = rows.findLast((row) => row.kind === RunEventKind.ENDED);
  if (ended !== undefined) return ended.state;
  const frozen = rows.findLastIndex((row) => row.kind === RunEventKind.FROZEN);
  const said = rows.findLastIndex((row) => ANSWERS.has(row.kind));
  return frozen > said ? RunState.FROZEN : RunState.RUNNING;
}

const ANSWERS: ReadonlySet<RunEventKind> = new Set([
  RunEventKind.RETRY_ASKED,
  RunEventKind.STEP_SKIPPED,
  RunEventKind.ABORT_ASKED,
]);

function isOver(state: RunState): boolean {
  return state !== RunState.RUNNING;
}

/** The step that the run has come to. */
export function waitingStep({ plan, rows }: Play): string {
  const done = new Set(
    rows
      .filter(({ kind }) => kind === RunEventKind.STEP_VERIFIED || kind === RunEventKind.STEP_SKIPPED)
      .map(({ stepId }) => stepId),
  );
  return plan?.steps.find(({ id, onlyAsUndo }) => !onlyAsUndo && !done.has(id))?.id ?? "";
}

/** A person answers what the run asks. */
function sayYes(play: Play): void {
  const step = play.plan?.steps.find(({ id }) => id === waitingStep(play));
  if (step?.condition?.what?.$case !== "personSays" || isOver(stateOf(play))) return;
  if (play.rows.some((row) => row.kind === RunEventKind.PERSON_SAID && row.stepId === step.id)) return;
  const orchestrator = runningOrchestrator(play);
  if (orchestrator === undefined) return;
  const request = ControlRunRequest.create({ runId: play.runId, verb: RunVerb.CONFIRM, reason: "" });
  void createService(orchestrator)
    .controlRun(request, PERSON)
    .catch(() => undefined);
}

function runningOrchestrator({ cluster }: Play): Orchestrator | undefined {
  try {
    return cluster.orchestrator();
  } catch {
    return undefined; // it was killed
  }
}

export function told({ rows }: Play): string {
  return rows
    .map((row) => `${row.stepId} ${row.kind.replace("RUN_EVENT_KIND_", "").toLowerCase()}: ${row.text}`)
    .join("\n");
}
