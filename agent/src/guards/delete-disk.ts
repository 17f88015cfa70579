/** May the kernel forget this disk? Only one that is offline and on which nothing stands any more. */
import type { DeleteDisk, GuardFact } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { usersFact, type DiskUsers } from "./disk-content.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { fact, unknownFact } from "./fact.js";
import { hostUseFacts, type HostUse } from "./host-use.js";

export interface SeenForDelete extends DiskSeen {
  readonly stack: DiskStack | string; // a text: why it is not known
  readonly use: HostUse;
  readonly users: DiskUsers;
}

export function judgeDelete({ disk }: DeleteDisk, seen: SeenForDelete): GuardFact[] {
  const identity = [...diskFacts(disk, seen), stateFact(seen.device, "offline")];
  if (typeof seen.stack === "string") return [...identity, unknownFact("what stands on it", seen.stack)];
  const names = seen.stack.devices.map(({ name, dmName }) => dmName || name);
  return [
    ...identity,
    fact("what stands on it", names.join(", ") || "nothing", names.length === 0, "I2"),
    ...hostUseFacts(seen.stack, seen.use),
    usersFact(seen.users),
  ];
}
