/** What every guard is made of: facts that hold or refuse, each with the invariant that asks for it. */
import { GuardFact } from "@vigie/proto";

export const FACT_AGE_MAX_MS = 2_000; // I7, I14

/** @param invariant "I7"; empty: none, it is the action's own condition */
export function fact(name: string, value: string, holds: boolean, invariant: string): GuardFact {
  return GuardFact.create({ name, value, holds, invariant });
}

/** How old a reading is that the guard stands on: too old is no judgement of the world, and it may be asked again. */
export function ageFact(name: string, ageMs: number, invariant: string): GuardFact {
  const holds = ageMs <= FACT_AGE_MAX_MS;
  return { ...fact(name, `${ageMs} ms`, holds, invariant), late: !holds };
}

export function allHold(facts: readonly GuardFact[]): boolean {
  return facts.every(({ holds }) => holds);
}
