/**
 * Does the host itself use this disk in a way that the kernel's stack does not show (I3)? The members of a ZFS pool, the
 * second device of a btrfs, a LUKS header that is closed, an array that is not assembled and a database's raw disk have
 * neither holders nor a mount of their own. So what is no physical volume of the cluster's group must be known to be
 * unused: nothing is written on it that anybody knows, the kernel gives it to us alone, and nobody writes to it.
 */
import type { DiskIdentity, GuardFact, PhysicalVolume } from "@vigie/proto";
import type { DiskPart, DiskStack } from "../disk-stack.js";
import { isVolumeOf } from "./disk-volumes.js";
import { fact, unknownFact } from "./fact.js";

/** What the kernel says to whom wants a device for itself. */
export const FREE = "free";
export const IN_USE = "in use";

/** What was found on the disk or on one partition. */
export interface PartContent {
  readonly name: string; // "sdb", "sdb1"
  readonly signatures: readonly string[] | string; // "zfs_member at 0x3f000"; a text: why they are not known
  readonly claim: string; // FREE, IN_USE; another text: why it is not known
}

/** Who writes to the disk or to a partition past what stands on it: "process postgres (812)", "loop loop0". */
export interface DiskUsers {
  readonly users: readonly string[];
  readonly unknownBecause: string; // empty: they are all known
}

export const TABLES: readonly string[] = ["dos", "gpt", "PMBR"]; // wipefs' names of partition tables

/**
 * Parts of which nothing is known by the cluster's own volume group: neither does LVM say that it is the one that was
 * planned, nor do volumes of the group stand on it. A disk whose partition the kernel gave to the group is nobody
 * else's as a whole.
 *
 * @param pvs on the disk, by LVM; empty where it cannot say
 */
export function partsToLookAt(
  { parts, devices }: DiskStack,
  disk: DiskIdentity,
  pvs: readonly PhysicalVolume[],
): DiskPart[] {
  const volumes = new Set(devices.filter((each) => isVolumeOf(each, disk.vgUuid)).map(({ name }) => name));
  const carries = ({ holders }: DiskPart): boolean =>
    holders.length > 0 && holders.every((name) => volumes.has(name));
  const isListed = ({ name }: DiskPart): boolean =>
    pvs.some(
      ({ pvName, uuid, vgName }) =>
        pvName === devicePath(name) && uuid !== "" && uuid === disk.pvUuid && vgName === disk.vgName,
    );
  const [whole, ...partitions] = parts;
  return parts.filter(
    (part) => !isListed(part) && !carries(part) && !(part === whole && partitions.some(carries)),
  );
}

/** @param contents of every part that must be looked at */
export function contentFacts(
  stack: DiskStack,
  parts: readonly DiskPart[],
  contents: readonly PartContent[],
): GuardFact[] {
  return parts.flatMap((part) => {
    const content = contents.find(({ name }) => name === part.name);
    if (content === undefined) return [fact(`what is on ${part.name}`, "not looked at", false, "I11")];
    const hasTable = part === stack.parts[0] && stack.parts.length > 1;
    return [signatureFact(content, hasTable ? TABLES : []), claimFact(content)];
  });
}

/** @param allowed wipefs' types */
export function signatureFact(
  { name, signatures }: Pick<PartContent, "name" | "signatures">,
  allowed: readonly string[],
): GuardFact {
  if (typeof signatures === "string") return unknownFact(`what is on ${name}`, signatures);
  const isKnown = signatures.every((found) => allowed.includes(found.split(" ")[0] ?? ""));
  return fact(`what is on ${name}`, signatures.join(", ") || "nothing that is known", isKnown, "I3");
}

export function claimFact({ name, claim }: Pick<PartContent, "name" | "claim">): GuardFact {
  const isKnown = claim === FREE || claim === IN_USE;
  return fact(
    `the kernel's user of ${name}`,
    claim === FREE ? "none" : claim,
    claim === FREE,
    isKnown ? "I3" : "I11",
  );
}

export function usersFact({ users, unknownBecause }: DiskUsers): GuardFact {
  if (unknownBecause !== "") return unknownFact("who writes to it", unknownBecause);
  return fact("who writes to it", users.join(", ") || "nobody", users.length === 0, "I3");
}

export function devicePath(name: string): string {
  return `/dev/${name.replaceAll("!", "/")}`;
}
