/**
 * A disk's folder in sysfs, by descriptors. Node has no openat(2); /proc/self/fd/N/FILE walks from the folder that
 * was opened, and the kernel finds nothing in the folder of a device that is gone. The two files that are written
 * are opened at once: a write to one of a device that is gone gives ENODEV, whoever has its name by then (I14).
 */
import { constants } from "node:fs";
import { open, readdir, readFile, readlink, type FileHandle } from "node:fs/promises";
import type { DeviceHandle } from "./host.js";

/** @param root for tests; "/sys/block" */
export async function openDevice(name: string, root = "/sys/block"): Promise<DeviceHandle> {
  if (name === "" || name.includes("/") || name.startsWith(".")) throw new Error("not a device's name");
  const folder = await open(`${root}/${name}`, constants.O_RDONLY | constants.O_DIRECTORY);
  const inFolder = (attribute: string): string => `/proc/self/fd/${folder.fd}/${attribute}`;
  const files = new Map<string, FileHandle>();
  for (const attribute of ["state", "delete"]) {
    const file = await open(inFolder(`device/${attribute}`), constants.O_WRONLY).catch(() => undefined);
    if (file !== undefined) files.set(attribute, file); // not every bus has them: who writes will be told
  }
  return {
    read: async (attribute) => readFile(inFolder(attribute), "utf8"),
    readLink: async (attribute) => readlink(inFolder(attribute)),
    list: async (attribute) => readdir(inFolder(attribute)),
    write: async (attribute, text) => {
      const file = files.get(attribute);
      if (file === undefined) throw new Error(`${name} has no device/${attribute} that can be written`);
      await file.write(`${text}\n`, 0); // as echo does: without the end of the line the kernel knows no state (EINVAL)
    },
    close: async () => {
      for (const file of [...files.values(), folder]) await file.close();
    },
  };
}
