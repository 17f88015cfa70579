/** Does the host itself use anything on this disk: a filesystem, swap (I3)? Its queue and our journal are such. */
import type { GuardFact } from "@vigie/proto";
import type { DiskStack } from "../disk-stack.js";
import { fact, unknownFact } from "./fact.js";

export interface HostUse {
  readonly mounts: readonly { readonly dev: string; readonly mountPoint: string; readonly source: string }[];
  readonly swaps: readonly string[]; // paths
  readonly unknownBecause: string; // empty: they are all known
}

/** @param stack a mirrored minor is not among what it uses: what is mounted from one is its peer's too */
export function hostUseFacts(stack: DiskStack, use: HostUse): GuardFact[] {
  if (use.unknownBecause !== "") return [unknownFact("what the host mounts", use.unknownBecause)];
  const own = [...stack.parts, ...stack.devices].filter(({ name }) => !/^drbd\d+$/.test(name));
  const devs = new Set(own.map(({ dev }) => dev));
  const paths = new Set([
    ...own.map(({ name }) => `/dev/${name.replaceAll("!", "/")}`),
    ...stack.devices.filter(({ dmName }) => dmName !== "").map(({ dmName }) => `/dev/mapper/${dmName}`),
  ]);
  const mounted = use.mounts.filter(({ dev, source }) => devs.has(dev) || paths.has(source));
  const swapped = use.swaps.filter((path) => paths.has(path));
  return [
    fact(
      "mounted from it",
      mounted.map(({ mountPoint }) => mountPoint).join(", ") || "nothing",
      mounted.length === 0,
      "I3",
    ),
    fact("swap on it", swapped.join(", ") || "none", swapped.length === 0, "I3"),
  ];
}
