/** What every guard is made of: facts that hold or refuse, each with the invariant that asks for it. */
import { GuardFact } from "@vigie/proto";

export const FACT_AGE_MAX_MS = 2_000; // I7, I14

/** @param invariant "I7"; empty: none, it is the action's own condition */
export function fact(name: string, value: string, holds: boolean, invariant: string): GuardFact {
  return GuardFact.create({ name, value, holds, invariant });
}

/** What is not known refuses (I11), and may be known in a moment: a reading that failed, a report that has not come. */
export function unknownFact(name: string, because: string, invariant = "I11"): GuardFact {
  return { ...fact(name, because, false, invariant), early: true };
}

/** The age of what was read, when it was judged: it grows until the command runs. */
export interface AgeFact extends GuardFact {
  readonly ageMs: number;
}

/** How old a reading is that the guard stands on: too old is no judgement of the world, and it may be asked again. */
export function ageFact(name: string, ageMs: number, invariant: string): AgeFact {
  const holds = ageMs <= FACT_AGE_MAX_MS;
  return { ...fact(name, `${ageMs} ms`, holds, invariant), late: !holds, ageMs };
}

/**
 * The same facts this much later: each age has grown, and may refuse now (I7, I14).
 * @param sinceMs since they were judged
 */
export function agedBy(facts: readonly GuardFact[], sinceMs: number): GuardFact[] {
  return facts.map((each) => (isAge(each) ? ageFact(each.name, each.ageMs + sinceMs, each.invariant) : each));
}

function isAge(each: GuardFact): each is AgeFact {
  return "ageMs" in each;
}

export function allHold(facts: readonly GuardFact[]): boolean {
  return facts.every(({ holds }) => holds);
}
