/** What a person may do with a run, by its state. The first line is what is most often meant. */
import { RunState, type Run } from "@vigie/proto";
import { commandFor, type Hint } from "./command-line.js";
import { askedOf, isEnding } from "./progress.js";

export function nextForRun(run: Run): Hint[] {
  const { id, plan } = run;
  const follow = { command: `vigie run follow ${id}`, why: "see it live" };
  const abort = {
    command: `vigie abort ${id} --reason WHY`,
    why: "end it, and take back what can be taken back",
  };
  const pause = { command: `vigie run pause ${id}`, why: "halt it before its next step" };
  const takeOver = {
    command: `vigie run take-over ${id} --reason WHY`,
    why: "do the rest by hand: nothing is sent, nothing taken back",
  };
  if (isEnding(run)) return [follow];
  switch (run.state) {
    case RunState.AWAITING_APPROVAL:
      return [{ command: `vigie approve ${id}`, why: "read the plan again, and say yes or no" }];
    case RunState.RUNNING:
    case RunState.WAITING:
      return [...answerFor(run), follow, pause, abort];
    case RunState.UNDOING:
      return [follow];
    case RunState.PAUSED:
      return [{ command: `vigie run resume ${id}`, why: "go on" }, abort, takeOver];
    case RunState.FROZEN:
      return [
        { command: `vigie run retry ${id}`, why: "try the failed step again" },
        { command: `vigie run skip ${id} --reason WHY`, why: "leave that step as it is, and go on" },
        abort,
        takeOver,
      ];
    case RunState.FAILED:
    case RunState.ABORTED:
      return plan === undefined ? [] : [{ command: commandFor(plan), why: "plan it anew" }];
    case RunState.SUCCEEDED:
    case RunState.PLANNED:
    case RunState.UNSPECIFIED:
    case RunState.UNRECOGNIZED:
      return [];
  }
  return [];
}

function answerFor(run: Run): Hint[] {
  return askedOf(run) === undefined
    ? []
    : [{ command: `vigie run continue ${run.id}`, why: "say that it is so" }];
}
