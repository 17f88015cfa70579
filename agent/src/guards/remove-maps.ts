/**
 * May these maps go? Only of a disk that is offline, each by its name and UUID, closed, and wholly on that disk: a
 * volume with a piece elsewhere is never removed (I4).
 */
import type { DeviceMapperDevice, GuardFact, RemoveVolumeMaps, VolumeMap } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { diskFacts, stateFact, type DiskSeen } from "./disk-identity.js";
import { fact, unknownFact } from "./fact.js";

export interface SeenForRemoval extends DiskSeen {
  readonly stack: DiskStack | string; // a text: why it is not known
  readonly maps: readonly DeviceMapperDevice[] | string; // all of the node's, likewise
}

export function judgeRemoval({ disk, maps }: RemoveVolumeMaps, seen: SeenForRemoval): GuardFact[] {
  const identity = [...diskFacts(disk, seen), stateFact(seen.device, "offline")];
  if (typeof seen.stack === "string") return [...identity, unknownFact("what stands on it", seen.stack)];
  if (typeof seen.maps === "string") return [...identity, unknownFact("maps", seen.maps)];
  const known = seen.maps;
  const devs = new Set(seen.stack.parts.map(({ dev }) => dev));
  const vgUuid = (disk?.vgUuid ?? "").replaceAll("-", "");
  return [
    ...identity,
    fact("maps to remove", String(maps.length), maps.length > 0, ""),
    ...maps.flatMap((map) => mapFacts(map, known, devs, vgUuid)),
  ];
}

/** One that is gone already is passed over. */
function mapFacts(
  { name, uuid }: VolumeMap,
  known: readonly DeviceMapperDevice[],
  devs: ReadonlySet<string>,
  vgUuid: string,
): GuardFact[] {
  const map = known.find((each) => each.name === name);
  if (map === undefined) return [fact(name, "gone already", true, "")];
  const elsewhere = map.dependsOn.filter((dev) => !devs.has(dev));
  const whole = map.dependsOn.length > 0 && elsewhere.length === 0;
  return [
    fact(`${name}: UUID`, map.uuid, map.uuid === uuid, "I4"),
    fact(`${name}: its group`, uuid.slice(0, 36), vgUuid !== "" && uuid.startsWith(`LVM-${vgUuid}`), "I12"),
    fact(`${name}: open`, String(map.openCount), map.openCount === 0, "I4"),
    fact(`${name}: lies on`, map.dependsOn.join(", ") || "nothing that is known", whole, "I4"),
  ];
}
