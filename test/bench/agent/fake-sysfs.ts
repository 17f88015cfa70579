/** /sys/block of a node with many mirrored disks: four real disks, two volumes and one DRBD device for each minor. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const DISKS = ["sda", "sdb", "sdc", "sdd"];
const SERIAL_PAGE = "\0\x80\0\x04S123"; // VPD page 0x80: header, length, serial

export function writeSysfs(root: string, minors: number): void {
  DISKS.forEach((name, index) => writeDisk(root, name, index));
  for (let n = 0; n < 2 * minors; n += 1) writeDevice(root, `dm-${n}`, `253:${n}`, 131_072);
  for (let n = 0; n < minors; n += 1) writeDevice(root, `drbd${n}`, `147:${n}`, 131_072);
  for (let n = 0; n < 8; n += 1) writeDevice(root, `loop${n}`, `7:${n}`, 0);
}

function writeDisk(root: string, name: string, index: number): void {
  writeDevice(root, name, `8:${16 * index}`, 7_814_037_168);
  const scsi = `sys/devices/${index}:0:0:0`;
  const attributes: Record<string, string> = {
    state: "running\n",
    model: "ST4000NM0035    \n",
    wwid: `naa.5000c500a1b2c3d${index}\n`,
    vpd_pg80: SERIAL_PAGE,
    ioerr_cnt: "0x1\n",
    iodone_cnt: "0x5e7\n",
  };
  for (const [key, text] of Object.entries(attributes)) write(join(root, scsi, key), text);
  write(join(root, "sys/block", name, "queue/rotational"), "1\n");
  write(join(root, "sys/block", name, "removable"), "0\n");
  symlinkSync(`../../devices/${index}:0:0:0`, join(root, "sys/block", name, "device"));
}

function writeDevice(root: string, name: string, dev: string, sectors: number): void {
  const folder = join(root, "sys/block", name);
  mkdirSync(join(folder, "holders"), { recursive: true });
  write(join(folder, "dev"), `${dev}\n`);
  write(join(folder, "size"), `${sectors}\n`);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, "latin1");
}
