/** The next move after a crash at any row, and after rows that nobody would write. */
import { ActionOutcome, ActionResult, RunEvent, RunEventKind, RunState } from "@vigie/proto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextMove } from "./next-move.js";
import { ALL_WELL, BEGUN, drive, intent, PLAN, resultRow, row, type Answer } from "./testing.js";

const RUNS = Number(process.env["VIGIE_FUZZ_RUNS"] ?? 1_000);
const OUTCOMES = Object.values(ActionOutcome);
const { STEP_INTENT, STEP_RESULT, STEP_VERIFIED, STEP_FAILED, ABORT_ASKED, UNDO_STARTED, ENDED } =
  RunEventKind;

/** A world that answers by chance: results of all kinds, none at all, steps not seen, aborts and restarts. */
function byChance(dice: readonly number[]): Answer {
  let at = 0;
  const throwOf = (sides: number): number => (dice[at++ % dice.length] ?? 0) % sides;
  return (move, rows) => {
    const odd = throwOf(12);
    if (odd === 0 && move.move !== "end") return [row(RunEventKind.RECOVERED)];
    if (odd === 1 && !rows.some((e) => e.kind === ABORT_ASKED)) return [row(ABORT_ASKED, { text: "stop" })];
    if (move.move === "send") {
      if (odd === 2) return [...intent(move)]; // no answer; asked again
      const late = odd === 3 ? "TOO_LATE" : "";
      const outcome =
        late === "" ? (OUTCOMES[throwOf(OUTCOMES.length)] ?? ActionOutcome.DONE) : ActionOutcome.REFUSED;
      return [...intent(move), resultRow(move.step.id, move.attempt, outcome, late)];
    }
    if (move.move === "await" && throwOf(3) === 0)
      return [row(STEP_FAILED, { stepId: move.step.id, attempt: move.attempt, text: "not seen" })];
    return ALL_WELL(move, rows);
  };
}

const anyLog = fc
  .array(fc.nat(1_000), { minLength: 40, maxLength: 200 })
  .map((dice) => drive(BEGUN, byChance(dice), { limit: 2_000, person: true }));

/** What must be so in every log that the engine can write. */
function faults(log: readonly RunEvent[]): string[] {
  const intents = log.filter((e) => e.kind === STEP_INTENT).map((e) => `${e.stepId}/${e.attempt}`);
  const found: string[] = [];
  if (new Set(intents).size !== intents.length) found.push(`a key was begun twice: ${intents.join(" ")}`);
  const undoAt = log.findIndex((e) => e.kind === UNDO_STARTED);
  const after = undoAt === -1 ? [] : log.slice(undoAt + 1).filter((e) => e.stepId !== "");
  if (after.some((e) => e.stepId !== "restore-link")) found.push("a step forward after the undo began");
  if (log.findIndex((e) => e.kind === ENDED) !== log.length - 1) found.push("rows after the end");
  const end = log.at(-1)?.state;
  const cutMayStand = mayHaveRun(log, "cut-link") && !takenBack(log);
  const personLooked = log.some((e) => e.kind === RunEventKind.FROZEN);
  if (cutMayStand && !personLooked) found.push(`ended ${end} with a cut that may stand`);
  const seen = (id: string): boolean => log.some((e) => e.kind === STEP_VERIFIED && e.stepId === id);
  if (end === RunState.SUCCEEDED && !PLAN.steps.every(({ id }) => seen(id))) found.push("succeeded unseen");
  return found;
}

function mayHaveRun(log: readonly RunEvent[], stepId: string): boolean {
  return log
    .filter((e) => e.kind === STEP_INTENT && e.stepId === stepId)
    .some(({ attempt }) => {
      const of = (e: RunEvent): boolean =>
        e.kind === STEP_RESULT && e.stepId === stepId && e.attempt === attempt;
      return log.findLast(of)?.result?.outcome !== ActionOutcome.REFUSED;
    });
}

function takenBack(log: readonly RunEvent[]): boolean {
  const lastCut = log.findLastIndex((e) => e.kind === STEP_INTENT && e.stepId === "cut-link");
  return log.slice(lastCut).some((e) => e.kind === STEP_VERIFIED && e.stepId === "restore-link");
}

test("a run ends whatever the world answers, and no log breaks a rule", () => {
  const ends = new Set<RunState | undefined>();
  fc.assert(
    fc.property(anyLog, (log) => {
      ends.add(log.at(-1)?.state);
      expect(faults(log)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
  expect(ends).toEqual(new Set([RunState.ABORTED, RunState.FAILED, RunState.SUCCEEDED]));
});

describe("after a crash at any row", () => {
  const world = byChance([5, 11, 7, 4]);
  const unseen: Answer = (move, rows) =>
    move.move === "await" && move.step.id === "await-link-down"
      ? [row(STEP_FAILED, { stepId: move.step.id, attempt: 1, text: "not seen" })]
      : ALL_WELL(move, rows);
  const logs: readonly [string, RunEvent[]][] = [
    ["successful", drive(BEGUN, ALL_WELL)],
    ["failed", drive(BEGUN, unseen)],
    ["aborted", drive([...BEGUN, row(ABORT_ASKED)], ALL_WELL)],
    ["unlucky", drive(BEGUN, world)],
  ];

  test.each(logs)("of a %s run, it goes on and ends by the rules", (_what, log) => {
    for (let rows = 0; rows < log.length; rows += 1) {
      const resumed = drive([...log.slice(0, rows), row(RunEventKind.RECOVERED)], ALL_WELL);
      expect(faults(resumed), `after row ${rows}`).toEqual([]);
    }
  });

  test.each(logs)("of a %s run, a step that was begun is never sent under another key", (_what, log) => {
    for (let rows = 0; rows < log.length; rows += 1) {
      const prefix = log.slice(0, rows);
      const open = prefix.at(-1);
      if (open?.kind !== STEP_INTENT) continue;
      const move = nextMove(PLAN, prefix);
      expect(move).toMatchObject({
        move: "send",
        attempt: open.attempt,
        begun: true,
        step: { id: open.stepId },
      });
    }
  });
});

describe("after rows in any order, as a damaged log might have them", () => {
  const anyRow = fc
    .record({
      kind: fc.constantFrom(...Object.values(RunEventKind)),
      stepId: fc.constantFrom(
        "",
        "cut-link",
        "restore-link",
        "await-link-down",
        "await-resync-moves",
        "other",
      ),
      attempt: fc.integer({ min: 0, max: 3 }),
      result: fc.option(
        fc
          .record({ outcome: fc.constantFrom(...OUTCOMES), code: fc.constantFrom("", "TOO_LATE") })
          .map((some) => ActionResult.create(some)),
        { nil: undefined },
      ),
      state: fc.constantFrom(...Object.values(RunState)),
    })
    .map((some) => RunEvent.create(some));
  const rows = fc.array(anyRow, { maxLength: 12 }).map((some) => [...BEGUN, ...some]);

  test("there is a next move, and none after the end", () => {
    fc.assert(
      fc.property(rows, (log) => {
        const ended = log.some((e) => e.kind === ENDED);
        expect(nextMove(PLAN, log).move === "none").toBe(ended);
      }),
      { numRuns: RUNS },
    );
  });

  test("nothing but the restore is sent once the undo began", () => {
    fc.assert(
      fc.property(rows, (log) => {
        const move = nextMove(PLAN, [...log.filter((e) => e.kind !== ENDED), row(UNDO_STARTED)]);
        if (move.move === "send" || move.move === "await") expect(move.step.id).toBe("restore-link");
      }),
      { numRuns: RUNS },
    );
  });
});
