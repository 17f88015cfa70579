/** May kpartx's maps of this minor go? Not while one of them is mounted or open: that is a person's work. */
import type { DeviceMapperDevice, DrbdEnd, GuardFact } from "@vigie/proto";
import { endFacts, type EndSeen } from "./drbd-end.js";
import { fact, unknownFact } from "./fact.js";
import type { HostUse } from "./host-use.js";

export interface SeenForUnmap extends EndSeen {
  readonly maps: readonly DeviceMapperDevice[] | string; // of kpartx, on this minor; a text: why they are not known
  readonly use: HostUse;
}

export function judgeUnmap(end: DrbdEnd | undefined, seen: SeenForUnmap): GuardFact[] {
  const { maps, use } = seen;
  const identity = endFacts(end, seen, { disk: "perhaps", link: "perhaps" });
  if (typeof maps === "string") return [...identity, unknownFact("partition maps", maps)];
  if (use.unknownBecause !== "")
    return [...identity, unknownFact("what the host mounts", use.unknownBecause)];
  const devs = new Set(maps.map(({ major, minor }) => `${major}:${minor}`));
  const paths = new Set(maps.flatMap(({ name, minor }) => [`/dev/mapper/${name}`, `/dev/dm-${minor}`]));
  const mounted = use.mounts.filter(({ dev, source }) => devs.has(dev) || paths.has(source));
  const open = maps.filter(({ openCount }) => openCount !== 0);
  return [
    ...identity,
    fact(
      "mounted",
      mounted.map(({ mountPoint }) => mountPoint).join(", ") || "none",
      mounted.length === 0,
      "",
    ),
    fact(
      "open",
      open.map(({ name, openCount }) => `${name} ${openCount}`).join(", ") || "none",
      open.length === 0,
      "",
    ),
  ];
}
