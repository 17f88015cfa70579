/**
 * What open runs hold, so that two of them never work on one disk, instance, node or pair of nodes (I9), and nothing
 * touches the second copy while the first is being mended (I10). The runs are the only memory: a lock is a line of a
 * plan whose run is at work.
 */
import { Lock, RunEventKind, RunState, type Plan, type PlanStep, type Run } from "@vigie/proto";
import { isDone, mayHaveRun } from "./run-log.js";

/** At work, or stopped half-way: what it holds is not as it should be. */
const HOLDING: ReadonlySet<RunState> = new Set([
  RunState.RUNNING,
  RunState.WAITING,
  RunState.UNDOING,
  RunState.FROZEN,
  RunState.PAUSED,
]);

const LAPSES_AFTER_MS = 3_600_000; // without a sign of life of its engine: it is broken, and a person will see it

export interface OpenRun {
  readonly run: Run;
  /** For so long its engine has not worked on it; by the monotonic clock, for the wall clock may be set. */
  readonly idleMs: number;
}

export function locksOf(open: readonly OpenRun[], nowUnixMs: number): Lock[] {
  return open
    .filter(({ run }) => HOLDING.has(run.state))
    .flatMap(({ run, idleMs }) =>
      (run.plan?.locks ?? []).map((name) =>
        Lock.create({
          name,
          runId: run.id,
          person: run.approvedBy,
          sinceUnixMs: run.events.find((e) => e.kind === RunEventKind.APPROVED)?.unixMs ?? 0,
          expiresUnixMs: waitsForPerson(run) ? 0 : nowUnixMs + LAPSES_AFTER_MS - idleMs,
          waiting: run.state === RunState.WAITING,
          shared: run.plan?.mayJoinWaiting === true && isShareable(name),
        }),
      ),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** @returns the first lock of another run that this plan would need; undefined: it may begin */
export function lockInTheWay(
  plan: Plan,
  runId: string,
  held: readonly Lock[],
  nowUnixMs: number,
): Lock | undefined {
  const wanted = new Set(plan.locks);
  return held.find(
    (lock) =>
      lock.runId !== runId &&
      wanted.has(lock.name) &&
      !((lock.waiting || lock.shared) && plan.mayJoinWaiting) &&
      (lock.expiresUnixMs === 0 || lock.expiresUnixMs > nowUnixMs),
  );
}

/**
 * Whom a run must let pass before its next step: one that joined it while it waited, and has not ended. While a link is
 * cut, or was cut and nobody has seen how it is since, nothing else is done to what it carries (I21). One that may not
 * join itself was joined, for it had to be there first, whatever the clock says. Of two that may join, the one that was
 * approved first goes on. Heals share nodes and pairs.
 */
export function joinedBy(run: Run, open: readonly Run[]): Run | undefined {
  return open.find(
    (other) =>
      other.id !== run.id &&
      other.plan?.mayJoinWaiting === true &&
      HOLDING.has(other.state) &&
      (run.plan?.mayJoinWaiting !== true || approvedAt(other) > approvedAt(run)) &&
      other.plan.locks.some(
        (name) => run.plan?.locks.includes(name) === true && !(run.plan.mayJoinWaiting && isShareable(name)),
      ),
  );
}

/** Links between the same nodes are healed side by side: each cut is of one port, and loses nothing. */
function isShareable(name: string): boolean {
  return name.startsWith("node ") || name.startsWith("pair ");
}

/**
 * Another run that has Ganeti's watcher paused and is not done with it: the pause is one for all, so only the last run
 * that needs it ends it (I31). One that does not end it itself, for it found the watcher paused, is not one to leave it
 * to.
 */
export function needsWatcherPaused(run: Run, open: readonly Run[]): Run | undefined {
  return open.find((other) => other.id !== run.id && HOLDING.has(other.state) && hasWatcherPaused(other));
}

/** It paused Ganeti's watcher, and lets it go on at its end. */
export function hasWatcherPaused({ plan, events }: Run): boolean {
  const of = (kind: string) => plan?.steps.find(({ action }) => action?.kind?.$case === kind)?.id;
  const [paused, resumed] = [of("pauseWatcher"), of("continueWatcher")];
  if (paused === undefined || resumed === undefined) return false;
  return mayHaveRun(events, paused) && !isDone(events, resumed);
}

/**
 * Whom a step that moves guests anywhere lets end first: a run that holds an instance, wherever that is (I9). Of two
 * that have nothing else left, the one that was approved first goes on. And whom every step on an instance lets end
 * first: a run whose hbal is at work, and may move that instance too.
 */
export function heldBeside(run: Run, step: PlanStep, open: readonly Run[]): Run | undefined {
  if (!movesGuestsAnywhere(step))
    return holdsInstance(run)
      ? open.find((other) => other.id !== run.id && HOLDING.has(other.state) && movesGuestsNow(other))
      : undefined;
  return open.find(
    (other) =>
      other.id !== run.id &&
      HOLDING.has(other.state) &&
      holdsInstance(other) &&
      !(hasOnlyMovesLeft(other) && approvedAt(other) > approvedAt(run)),
  );
}

/** hbal acts by itself, and goes on for as long as it finds something to move. */
export function movesGuestsAnywhere({ action }: PlanStep): boolean {
  return action?.kind?.$case === "rebalance";
}

function holdsInstance({ plan }: Run): boolean {
  return plan?.locks.some((name) => name.startsWith("instance ")) === true;
}

function movesGuestsNow({ plan, events }: Run): boolean {
  const moves = plan?.steps.filter(movesGuestsAnywhere) ?? [];
  return moves.some(({ id }) => mayHaveRun(events, id) && !isDone(events, id));
}

function hasOnlyMovesLeft({ plan, events }: Run): boolean {
  const left = plan?.steps.filter(({ id, onlyAsUndo }) => !onlyAsUndo && !isDone(events, id)) ?? [];
  return left.every(movesGuestsAnywhere);
}

/** Position in time, the id last: two runs of one millisecond have an order too. */
function approvedAt({ id, events }: Run): string {
  const unixMs = events.find(({ kind }) => kind === RunEventKind.APPROVED)?.unixMs ?? 0;
  return `${String(unixMs).padStart(16, "0")} ${id}`;
}

/** Keys of the mirrored disks that a plan holds. */
export function heldDisks(plan: Plan | undefined): Set<string> {
  const disks = (plan?.locks ?? []).filter((name) => name.startsWith("disk "));
  return new Set(disks.map((name) => name.slice("disk ".length)));
}

function waitsForPerson({ state }: Run): boolean {
  return state === RunState.FROZEN || state === RunState.PAUSED;
}
