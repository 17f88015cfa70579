/** Progress of long work: what began, what ended, with seconds since the start and for the step. */
import { asProblem } from "./problem.js";

export type Report = (line: string) => void;

export interface Progress {
  /** Do one step, reporting when it begins and how long it took. @throws LabProblem */
  readonly step: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly note: (text: string) => void;
}

export const silent: Report = () => undefined;

export function startProgress(report: Report): Progress {
  const began = performance.now();
  const note = (text: string): void => report(`[${seconds(began)}] ${text}`);
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    note(`${name} …`);
    const stepBegan = performance.now();
    try {
      const value = await work();
      note(`${name}: done in ${seconds(stepBegan).trim()}`);
      return value;
    } catch (error) {
      throw asProblem(error, name);
    }
  };
  return { step, note };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1).padStart(5)} s`;
}
