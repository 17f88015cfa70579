/** Does anybody hold this device? A volume that is in use is not taken from under who uses it (W3). */
import { HolderKind, type Damaged, type GuardFact, type Holder } from "@vigie/proto";
import { fact, unknownFact } from "./fact.js";

export interface HoldersSeen {
  readonly holders: readonly Holder[];
  readonly damaged: readonly Damaged[]; // what could not be looked at
  readonly unknownBecause: string; // empty: it was looked
}

export function heldFacts({ holders, damaged, unknownBecause }: HoldersSeen): GuardFact[] {
  if (unknownBecause !== "") return [unknownFact("who holds it", unknownBecause)];
  const [first] = damaged;
  return [
    fact("who holds it", holders.map(named).join(", ") || "nobody", holders.length === 0, ""),
    fact("what could not be looked at", first?.object ?? "nothing", first === undefined, "I11"),
  ];
}

function named({ kind, name, pid }: Holder): string {
  const what = kind.replace("HOLDER_KIND_", "").toLowerCase().replace("_", " ");
  return kind === HolderKind.PROCESS ? `${what} ${name} (${pid})` : `${what} ${name}`;
}
