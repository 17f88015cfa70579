/** device-mapper's devices, for the guards: a text says why they are not known (I11). */
import { explain, Source, type DeviceMapperDevice } from "@vigie/proto";
import type { Look } from "./action.js";

export async function allMaps(look: Look): Promise<readonly DeviceMapperDevice[] | string> {
  const { facts, reason, damaged } = await look.read(Source.DEVICE_MAPPER);
  if (facts?.$case !== "deviceMapper") return `device-mapper: ${reason}`;
  const [first] = damaged;
  return first === undefined ? facts.value.devices : `device-mapper: ${first.object}: ${first.reason}`;
}

/** kpartx's maps of a DRBD minor. */
export async function partitionMaps(
  minor: number,
  look: Look,
): Promise<readonly DeviceMapperDevice[] | string> {
  try {
    const dev = (await look.host.readFile(`/sys/block/drbd${minor}/dev`)).trim();
    const maps = await allMaps(look);
    return typeof maps === "string" ? maps : maps.filter(({ kpartxOf }) => kpartxOf === dev);
  } catch (error) {
    return `drbd${minor}: ${explain(error)}`;
  }
}
