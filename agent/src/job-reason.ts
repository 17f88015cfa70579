/**
 * The text by which a Ganeti job of ours is found again: one argument of gnt-*'s --reason, kept by Ganeti as it is
 * in the reason trail of every opcode of the job, and of those that they submit (I30).
 */

/** "vigie:r-7:migrate": no blank, so that it is one word in a log; the orchestrator matches /vigie:r-…:STEP/. */
export function jobReason(runId: string, stepId: string): string {
  return `vigie:${runId}:${stepId}`;
}
