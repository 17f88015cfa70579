/** Is what was seen of the very thing that the request names (I12, I13)? Asked where nothing needs to be done any more. */
import { Source, type DiskIdentity, type DrbdEnd, type GuardFact } from "@vigie/proto";
import { diskFacts } from "../guards/disk-identity.js";
import { bootFact, endFacts, type Missing } from "../guards/drbd-end.js";
import { fact } from "../guards/fact.js";
import { twinsAmong } from "../guards/twins.js";
import type { Look } from "./action.js";

/** @param missing what the action itself takes away */
export async function identityOfEnd(
  end: DrbdEnd | undefined,
  look: Look,
  missing: Missing,
): Promise<GuardFact[]> {
  const config = await look.drbdConfig(end?.minor ?? -1);
  return endFacts(end, { bootId: look.bootId, config }, missing);
}

/** For what is gone, and shows nothing of itself any more. */
export async function identityOfGone(
  of: { readonly bootId: string } | undefined,
  look: Look,
): Promise<GuardFact[]> {
  return [of === undefined ? fact("what is gone", "not named", false, "I13") : bootFact(of, look.bootId)];
}

/** By the list of the node's disks: the disk's own folder is opened only to act on it. */
export async function identityOfDisk(disk: DiskIdentity | undefined, look: Look): Promise<GuardFact[]> {
  const readAtMs = look.host.monotonicMs();
  const { facts, reason, damaged } = await look.read(Source.BLOCK_DEVICES);
  const devices = facts?.$case === "blockDevices" ? facts.value.devices : [];
  const device = devices.find(({ name }) => name === disk?.name);
  return diskFacts(disk, {
    bootId: look.bootId,
    device,
    unknownBecause: reason || "not listed",
    twins: device === undefined ? [] : twinsAmong(device, devices, damaged),
    ageMs: look.host.monotonicMs() - readAtMs,
  });
}
