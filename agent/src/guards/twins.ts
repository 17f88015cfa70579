/**
 * Which other devices of the node are this very disk: a second path to it, or a clone (I12)? One that does not tell its
 * wwid may be, where nothing else says that it is not (I11).
 */
import type { BlockDevice, Damaged } from "@vigie/proto";

/**
 * @param damaged of the same reading: what could not be told of a device, or the whole of it
 * @returns their names, those that only may be it with why; empty: there is none
 */
export function twinsAmong(
  disk: BlockDevice,
  devices: readonly BlockDevice[],
  damaged: readonly Damaged[],
): string[] {
  const others = devices.filter(({ name }) => name !== disk.name);
  const same = others.filter(({ wwid }) => wwid !== "" && wwid === disk.wwid).map(({ name }) => name);
  const silent = others
    .filter((other) => mayBe(other, disk))
    .map(({ name }) => `${name}, which tells no wwid`);
  const known = new Set(devices.map(({ name }) => name));
  const unread = damaged
    .filter(({ object }) => object !== disk.name && !known.has(object))
    .map(({ object, reason }) => `${object || "a device"}, which cannot be read: ${reason}`);
  return [...same, ...silent, ...unread];
}

/** Two paths to one disk are of one size; and what has nothing of hardware is made of others. */
function mayBe(
  { wwid, sizeBytes, serial, model, scsiAddress, state }: BlockDevice,
  disk: BlockDevice,
): boolean {
  const isHardware = [serial, model, scsiAddress, state].some((text) => text !== "");
  const differs = serial !== "" && disk.serial !== "" && serial !== disk.serial;
  return wwid === "" && isHardware && sizeBytes === disk.sizeBytes && !differs;
}
