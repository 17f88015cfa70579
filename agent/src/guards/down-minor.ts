/**
 * May this minor be taken down? Only of an instance that is stopped, and that nobody holds (W3, safety 2). Its role
 * may still be Primary: Ganeti leaves it so where a device could not be closed.
 */
import { Role, roleWord, type DownMinor, type DrbdMinor, type GuardFact } from "@vigie/proto";
import { endFacts, type EndSeen } from "./drbd-end.js";
import { ageFact, fact, unknownFact } from "./fact.js";
import { heldFacts, type HoldersSeen } from "./held-open.js";
import { noCutFact, type CutsKnown } from "./no-cut.js";

export interface SeenForDown extends EndSeen, CutsKnown {
  readonly own: DrbdMinor | undefined;
  readonly ownUnknownBecause: string;
  readonly ownAgeMs: number;
  readonly held: HoldersSeen;
}

export function judgeDown({ end, instanceStopped }: DownMinor, seen: SeenForDown): GuardFact[] {
  return [
    ...endFacts(end, seen, { disk: "perhaps", link: "perhaps" }),
    resourceFact(end?.minor, seen.config),
    fact("the instance", instanceStopped ? "stopped" : "not stopped", instanceStopped, ""),
    ...ownFacts(seen),
    ...heldFacts(seen.held),
    noCutFact(end, seen),
  ];
}

/** A name that does not exist is a success without effect (F5), and another's is another's loss. */
function resourceFact(minor: number | undefined, config: EndSeen["config"]): GuardFact {
  if (config === "unknown") return unknownFact("resource", "not known");
  const name = config?.resource ?? "";
  return fact("resource", name || "none", minor !== undefined && name === `resource${minor}`, "I13");
}

function ownFacts({ own, ownUnknownBecause, ownAgeMs }: SeenForDown): GuardFact[] {
  if (own === undefined) return [unknownFact("own minor", ownUnknownBecause)];
  return [
    ageFact("own reading age", ownAgeMs, "I14"),
    fact("own role", roleWord(own.role), own.role === Role.PRIMARY || own.role === Role.SECONDARY, "I11"),
    fact("open by DRBD's count", String(own.openCount ?? "not told"), (own.openCount ?? 0) === 0, ""),
  ];
}
