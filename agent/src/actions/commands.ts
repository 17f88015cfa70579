/** What an action runs, told without running it: a plan's commands for people are held against this (I32). */
import { stepArgv, type Asker, type RequestedAction } from "./action.js";
import { definitionOf } from "./index.js";

/**
 * Every command of the action in its order, where all are needed: one that the world makes needless is passed over
 * when it runs. A write into sysfs is given as the shell does it: echo, the text, ">", the file.
 *
 * @throws VigieError INVALID_ARGUMENT
 */
export function actionCommands(action: RequestedAction, asker: Asker): string[][] {
  const definition = definitionOf(action);
  definition.check(action.value);
  const prepare = definition.prepare?.steps(action.value, asker) ?? [];
  return [...prepare, ...definition.steps(action.value, asker)].map(stepArgv);
}
