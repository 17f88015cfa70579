/** Makes one copy of a mirrored disk anew, after its node lost its (memory) disk with its power. */
import type { Lab } from "../lab.js";
import type { DiskSide, InstanceDisk } from "./configuration.js";
import { activateDisks, waitForHealthy } from "./instance.js";

const META_MIB = 128; // lib/constants.py, DRBD_META_SIZE

/**
 * The volumes get their old names, so Ganeti finds them where its configuration says; DRBD's fresh
 * metadata says that nothing on them is valid, so the peer's copy is what is mirrored.
 */
export async function rebuildCopy(lab: Lab, disk: InstanceDisk, side: DiskSide): Promise<void> {
  const create = (volume: string, mib: number): string => {
    const [group, name] = volume.split("/").slice(-2);
    return `[ -e ${volume} ] || lvcreate --quiet -Wn -y -L ${String(mib)}m -n ${String(name)} ${String(group)}`;
  };
  await lab.node(side.node).script(`
set -e
${create(disk.dataVolume, disk.sizeMib)}
if [ ! -e ${disk.metaVolume} ]; then
  ${create(disk.metaVolume, META_MIB)}
  dd if=/dev/zero of=${disk.metaVolume} bs=1M count=${String(META_MIB)} oflag=direct status=none
  drbdmeta --force ${side.device} v08 ${disk.metaVolume} flex-external create-md >/dev/null
fi`);
  await activateDisks(lab, disk.instance);
  await waitForHealthy(lab, disk);
}
