/** Which step of which run put a job into Ganeti's queue, by the job's reason trail. */

export interface OurStep {
  readonly runId: string;
  readonly stepId: string;
}

/** @returns undefined: the job is a person's */
export function ourStep(reasons: readonly string[]): OurStep | undefined {
  const [, runId, stepId] = reasons.find((reason) => reason.startsWith("vigie:"))?.split(":") ?? [];
  return runId === undefined || stepId === undefined ? undefined : { runId, stepId };
}
