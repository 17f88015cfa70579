/** Conditions that the run's own rows answer, and what a person says. */
import {
  ActionOutcome,
  RunEventKind,
  type CommandsSucceeded,
  type PersonSays,
  type StepRan,
} from "@vigie/proto";
import { mayHaveRun } from "../run-log.js";
import { never, NOT_YET, seen, type ConditionDefinition } from "./condition.js";

export const personSays: ConditionDefinition<PersonSays> = {
  asks: () => [],
  watch:
    ({ question }, { events, stepId }) =>
    () => {
      const said = events().findLast((e) => e.kind === RunEventKind.PERSON_SAID && e.stepId === stepId);
      return said === undefined
        ? { seen: false, never: "", what: `a person is asked: ${question}`, asksPerson: true }
        : seen(`${said.actor}: ${said.text}`);
    },
};

export const stepRan: ConditionDefinition<StepRan> = {
  asks: () => [],
  watch:
    ({ stepId }, { events }) =>
    () =>
      mayHaveRun(events(), stepId) ? seen(`${stepId} was done`) : never(`${stepId} was not done`),
};

const WENT_WELL: ReadonlySet<ActionOutcome> = new Set([ActionOutcome.DONE, ActionOutcome.ALREADY_SO]);

export const commandsSucceeded: ConditionDefinition<CommandsSucceeded> = {
  asks: () => [],
  watch:
    ({ stepId }, { events }) =>
    () => {
      const row = events().findLast((e) => e.kind === RunEventKind.STEP_RESULT && e.stepId === stepId);
      const commands = row?.result?.commands;
      if (commands === undefined) return NOT_YET;
      if (row?.result?.outcome === ActionOutcome.UNKNOWN)
        return never(
          `what became of ${stepId} is not known: it may be at work still (${row.result.message})`,
        );
      const failed = commands.find(({ exitCode }) => exitCode !== 0);
      if (failed !== undefined)
        return never(`${failed.argv.join(" ")} exited with ${failed.exitCode}: ${lastLine(failed.output)}`);
      if (row?.result !== undefined && !WENT_WELL.has(row.result.outcome))
        // hbal exits with 0 though its jobs failed
        return never(`${stepId}: ${row.result.message}`);
      if (commands.length === 0) return never(`nothing was run for ${stepId}`);
      return seen(`every command of ${stepId} exited with 0`);
    },
};

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1) ?? "";
}
