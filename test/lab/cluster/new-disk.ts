/**
 * A blank disk in a node's free slot. It is the kernel's own SCSI target over a sparse file, on a bus of its own: a
 * second disk of scsi_debug would show the first one's bytes, or take as much memory again.
 */
import type { LabNode } from "../lab.js";

const FILE = "/var/lab-new-disk";
const SIZE_GIB = 24; // Ganeti wants 20 or more in its volume group

const PLUG = `set -e
modprobe -a target_core_mod target_core_file tcm_loop
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
target=/sys/kernel/config/target
store=$target/core/fileio_0/new
group=$target/loopback/naa.5001405000000001/tpgt_1
ls /sys/block > /run/lab-disks
rm -f ${FILE}
truncate -s ${SIZE_GIB}G ${FILE}
mkdir -p $store
echo fd_dev_name=${FILE},fd_dev_size=$((${SIZE_GIB} << 30)) > $store/control
cat /proc/sys/kernel/random/uuid > $store/wwn/vpd_unit_serial
echo 1 > $store/enable
mkdir -p $group
echo naa.5001405000000001 > $group/nexus
mkdir -p $group/lun/lun_0
ln -s $store $group/lun/lun_0/port
for try in $(seq 100); do
  for name in $(ls /sys/block | grep ^sd); do
    if ! grep -qx $name /run/lab-disks && [ -b /dev/$name ]; then echo $name; exit 0; fi
  done
  sleep 0.1
done
exit 1`;

/** One a node; it is gone when the node is started again. @returns the kernel's name of it: "sdb" */
export async function plugDisk(node: LabNode): Promise<string> {
  return (await node.script(PLUG)).stdout.trim();
}
