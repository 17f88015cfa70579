/** What every guard is made of: facts that hold or refuse, each with the invariant that asks for it. */
import { GuardFact } from "@vigie/proto";

export const FACT_AGE_MAX_MS = 2_000; // I7, I14

/** @param invariant "I7"; empty: none, it is the action's own condition */
export function fact(name: string, value: string, holds: boolean, invariant: string): GuardFact {
  return GuardFact.create({ name, value, holds, invariant });
}

export function allHold(facts: readonly GuardFact[]): boolean {
  return facts.every(({ holds }) => holds);
}
